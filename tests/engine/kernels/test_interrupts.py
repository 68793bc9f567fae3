"""Ctrl-C and cancelled threads end compiled loops midway, and leave what is whole."""

import _thread
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from programs import numbers_of
from support.engine_tasks import random_row, task_of

from skmlp.engine import fitting
from skmlp.engine.descent.objective import CompiledObjective
from skmlp.engine.epochs.compiled_training import CompiledTraining
from skmlp.engine.kernels import loops
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.runtime import Draws, cancelled_by, one_fit
from skmlp.engine.task import Samples, Status
from skmlp.engine.train import train

pytest.importorskip("skmlp.engine.kernels.compiled")
pytestmark = pytest.mark.usefixtures("interruptible")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2000, 20))
MOST_SECONDS = 10  # from an interrupt to the end; the loops meant would take longer


def long_task(n_rows=1_000_000, **params):
    """Many rows, which are the same few again and again: seconds for each pass."""
    task = task_of(X, X[:, 0], **{"hidden_layer_sizes": (512, 512), "batch_size": 256, **params})
    samples = Samples(X, np.zeros((n_rows, 1)), rows=np.arange(n_rows) % len(X))
    return replace(task, train=samples, program=replace(task.program, n_samples=n_rows))


def parts_of(task):
    layout = Layout(task.program)
    return [task], [penalty_numbers(task, layout)], layout


def point_of(task):
    return 0.01 * random_row(Layout(task.program), np.random.default_rng(1))


def training_of(task):
    _, (penalty,), layout = parts_of(task)
    return CompiledTraining(task, penalty, layout, point_of(task), Draws.of(task.seed))


@pytest.fixture
def at_work(monkeypatch):
    """``at_work(act)``: a thread that calls ``act`` once the loops have run for a while."""
    check, started, threads, acted_at = loops.raise_if_cancelled, threading.Event(), [], []

    def noted():
        started.set()
        check()

    def after_a_while(act):
        started.wait(60)
        time.sleep(0.05)
        acted_at.append(time.monotonic())
        act()

    def begin(act):
        threads.append(threading.Thread(target=after_a_while, args=(act,)))
        threads[0].start()
        return acted_at

    monkeypatch.setattr(loops, "raise_if_cancelled", noted)
    yield begin
    started.set()
    for thread in threads:
        thread.join()


def press_ctrl_c():
    """A signal wakes the main thread, where ``interrupt_main`` only leaves it a note."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


INTERRUPTS = [_thread.interrupt_main, *([press_ctrl_c] if os.name == "posix" else [])]


@pytest.mark.parametrize("batch_size", [256, 1_000_000])
@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_a_long_epoch_is_interrupted(interrupt, batch_size, at_work):
    """Its weights are those before it, though it be a single step."""
    task = long_task()
    training = training_of(replace(task, program=replace(task.program, batch_size=batch_size)))
    acted_at = at_work(interrupt)
    with one_fit():
        outcome = fitting._run_compiled(training)
    assert time.monotonic() - acted_at[0] < MOST_SECONDS
    assert outcome.status is Status.INTERRUPTED
    assert outcome.n_iter == training.progress.n_epochs == 0
    assert_array_equal(outcome.row, point_of(training.task))
    assert (training._theta != outcome.row).any() == (batch_size == 256)


def test_a_long_objective_is_interrupted(at_work):
    task = long_task(2_000_000)
    objective, row = CompiledObjective(*parts_of(task)), point_of(task)[None]
    acted_at = at_work(_thread.interrupt_main)
    with one_fit(), pytest.raises(KeyboardInterrupt):
        objective.evaluate(row, True)
    assert time.monotonic() - acted_at[0] < MOST_SECONDS


def test_long_outputs_are_interrupted(at_work):
    task = long_task(4_000_000)
    (_, (penalty,), layout), row = parts_of(task), point_of(task)
    passes = loops.Loops(task.program, layout, task.train, penalty, "float64")
    acted_at = at_work(_thread.interrupt_main)
    with one_fit(), pytest.raises(KeyboardInterrupt):
        passes.outputs(row)
    assert time.monotonic() - acted_at[0] < MOST_SECONDS


def test_weights_are_those_after_the_last_whole_epoch(at_work):
    """The same as of a training that was to have as many epochs."""
    params = {"hidden_layer_sizes": (16,), "n_iter_no_change": np.inf}
    task = long_task(4000, **params, max_iter=10**6)
    at_work(_thread.interrupt_main)
    (interrupted,) = train([task])
    assert interrupted.status is Status.INTERRUPTED
    assert interrupted.n_iter > 0
    assert len(interrupted.loss_curve) == interrupted.n_iter
    (whole,) = train([replace(task, max_iter=interrupted.n_iter)])
    assert interrupted.loss_curve == whole.loss_curve
    assert_array_equal(numbers_of(interrupted.weights), numbers_of(whole.weights))


def test_a_thread_is_cancelled(at_work):
    """No Ctrl-C reaches it: it looks for the event that it was given."""
    event, outcomes = threading.Event(), []
    training = training_of(long_task())

    def work():
        cancelled_by(event)
        with one_fit():
            outcomes.append(fitting._run_compiled(training))

    acted_at = at_work(event.set)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert time.monotonic() - acted_at[0] < MOST_SECONDS
    assert outcomes[0].status is Status.INTERRUPTED
    assert outcomes[0].n_iter == 0


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_interrupt_ends_all_threads(solver, at_work):
    tasks = [long_task(seed, solver=solver, max_iter=10**6) for seed in (1_000_000, 999_999)]
    acted_at = at_work(press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        train(tasks, 2)
    for thread in threading.enumerate():
        if thread.name.startswith("skmlp-train"):
            thread.join(60)
            assert not thread.is_alive()
    assert time.monotonic() - acted_at[0] < MOST_SECONDS


def test_the_check_may_raise_anything(monkeypatch):
    def fail():
        raise ZeroDivisionError("seen")

    monkeypatch.setattr(loops, "raise_if_cancelled", fail)
    training = training_of(long_task())
    with one_fit(), pytest.raises(ZeroDivisionError, match="seen"):
        training.run_epochs()
    assert training.progress.n_epochs == 0
    assert_array_equal(training.saved, point_of(training.task))


def test_other_threads_work_meanwhile(at_work):
    """The interpreter's lock is released: a thread beside counts while an epoch runs."""
    counts, ended, event = [], threading.Event(), threading.Event()

    def count():
        while not ended.is_set():
            counts.append(1)
            time.sleep(0.001)

    def when_counted():
        before, deadline = len(counts), time.monotonic() + 60
        while len(counts) < before + 20 and time.monotonic() < deadline:
            time.sleep(0.001)
        event.set()

    cancelled_by(event)
    counter = threading.Thread(target=count)
    counter.start()
    try:
        at_work(when_counted)
        with one_fit():
            outcome = fitting._run_compiled(training_of(long_task()))
    finally:
        ended.set()
        counter.join()
        cancelled_by(threading.Event())
    assert outcome.status is Status.INTERRUPTED
    assert outcome.n_iter == 0
    assert len(counts) >= 20
