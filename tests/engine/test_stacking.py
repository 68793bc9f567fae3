"""Which tasks train together, and that neither chunks nor threads show in the numbers."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.engine_tasks import task_of

from skmlp.engine import fitting, stacking
from skmlp.engine.stacking import bytes_of_step, count_stacks, cut, share_samples
from skmlp.engine.task import Samples
from skmlp.engine.train import train

pytestmark = pytest.mark.usefixtures("through_torch")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5))
y = X[:, 0] + np.tanh(X[:, 1])
PARAMS = {"hidden_layer_sizes": (7,), "max_iter": 6, "batch_size": 16, "n_iter_no_change": np.inf}


def tasks_of(n_models, **params):
    """Models of alternating folds, each with arrays of its own."""
    return [
        task_of(X[k % 2 :].copy(), y[k % 2 :].copy(), **{**PARAMS, "alpha": k / 10, **params})
        for k in range(n_models)
    ]


def members(chunks):
    return [chunk.members for chunk in chunks]


def assert_same_weights(solution, other):
    for ours, expected in zip(solution.weights, other.weights, strict=True):
        for array, theirs in zip(ours, expected, strict=True):
            assert_array_equal(array, theirs)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"l1_per_layer": 0.01}], ids=str)
def test_threads_and_chunks_leave_the_numbers(params, n_threads, monkeypatch):
    tasks = tasks_of(11, **params)
    alone = [train([task])[0] for task in tasks]
    monkeypatch.setattr(stacking, "LARGEST_STACK", 3)
    for solution, expected in zip(train(tasks, n_threads), alone, strict=True):
        assert_same_weights(solution, expected)
        assert solution.objective == expected.objective
        assert solution.loss_curve == expected.loss_curve


def test_one_program_a_chunk_and_every_task_in_one():
    tasks = [*tasks_of(6), *tasks_of(3, activation="tanh")]
    chunks = cut(tasks, 1)
    assert sorted(k for chunk in chunks for k in chunk.members) == list(range(9))
    assert [len({task.program for task in chunk.tasks}) for chunk in chunks] == [1, 1, 1, 1]
    assert sorted(map(len, members(chunks))) == [1, 2, 3, 3]


def test_models_that_see_the_same_rows_are_neighbours():
    """Equal arrays are made one; models of one fold and seed share their batches."""
    tasks = tasks_of(8)
    same = [task_of(X, y, **PARAMS, random_state=seed) for seed in (0, 1, 0, 1)]
    (chunk,) = cut(same, 1)
    assert chunk.members == [0, 2, 1, 3]
    assert len({id(task.train) for task in chunk.tasks}) == 1
    assert len({id(task.train) for task in share_samples(tasks)}) == 2


def test_other_samples_stay_apart():
    """Same first and last rows, another number between them, other weights."""
    (task,) = tasks_of(1)
    other_X, other_y = task.train.X.copy(), task.train.y.copy()
    other_X[5, 2] += 1
    other_y[7] += 1
    weight = np.ones(40)
    samples = [
        task.train,
        Samples(other_X, task.train.y),
        Samples(task.train.X, other_y),
        replace(task.train, weight=weight),
        replace(task.train, weight=weight + np.arange(40)),
        replace(task.train, rows=np.arange(40)),
    ]
    tasks = share_samples([replace(task, train=s) for s in samples])
    assert [task.train for task in tasks] == samples
    again = share_samples([*tasks, replace(task, train=replace(task.train, weight=weight + 0))])
    assert again[-1].train is samples[3]


def test_solver_states_stand_apart():
    tasks = [replace(task, incremental=True) for task in tasks_of(4)]
    trained = train(tasks)
    second = [
        replace(task, start=solution.weights, optimizer=solution.optimizer)
        for task, solution in zip(tasks[:2], trained[:2], strict=True)
    ]
    mixed = [*second, *tasks[2:]]
    for chunk in cut(mixed, 1):
        assert len({bool(task.optimizer) for task in chunk.tasks}) == 1
    for solution, task in zip(train(mixed), mixed, strict=True):
        assert_same_weights(solution, train([task])[0])


def program_of(hidden, n_rows=353, dtype="float64", **params):
    data = np.zeros((n_rows, 10), dtype)
    data[0] = 1
    task = task_of(data, data[:, 0], hidden_layer_sizes=hidden, **params)
    return task.program


def test_stacks_fit_the_cache_and_share_the_threads():
    program = program_of((100,))
    each = bytes_of_step(program)
    n_fitting = stacking.STACK_BYTES // each
    assert 20 < n_fitting < 60
    for n_models, n_threads in [(200, 1), (200, 2), (120, 3), (7, 2), (2, 2), (1, 2)]:
        n_stacks = count_stacks(program, n_models, n_threads, n_models * each / n_threads)
        assert n_models / n_stacks <= n_fitting + 1
        assert n_stacks % n_threads == 0 or n_stacks == n_models
    assert count_stacks(program, 12, 2, 1000 * each) == 1  # enough other work for the threads


def test_large_models_train_alone():
    """Where a step of one model fills the cache, a stack gains nothing."""
    program = program_of((512, 512), n_rows=5000, batch_size=2000)
    assert count_stacks(program, 6, 1, 1e12) == 6


def test_bytes_of_a_step_count_what_it_touches():
    small, large = program_of((32,)), program_of((64,))
    assert bytes_of_step(large) == pytest.approx(2 * bytes_of_step(small), rel=0.05)
    assert bytes_of_step(program_of((32,), dtype="float32")) * 2 == bytes_of_step(small)
    assert bytes_of_step(program_of((32,), dropout=0.5)) > 1.5 * bytes_of_step(small)


def test_an_error_in_one_chunk_is_the_call_s(monkeypatch):
    def failing(tasks):
        raise MemoryError(f"{len(tasks)} tasks")

    monkeypatch.setattr(stacking, "train_stack", failing)
    with pytest.raises(MemoryError, match="tasks"):
        train(tasks_of(8), 2)
    assert not [t for t in threading.enumerate() if t.name.startswith("skmlp-train")]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_interrupt_ends_all_threads(solver, monkeypatch):
    """Ctrl-C reaches the calling thread alone; the others stop at their next epoch."""
    epochs = []
    at_work = threading.Barrier(3)
    check = fitting.raise_if_cancelled

    def slow(*args):
        if not epochs:
            at_work.wait(10)
        epochs.append(threading.get_ident())
        check()

    def interrupted(*args, **kwargs):
        at_work.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "raise_if_cancelled", slow)
    monkeypatch.setattr("skmlp.engine.descent.kinks.raise_if_cancelled", slow)
    monkeypatch.setattr("skmlp.engine.kernels.loops.raise_if_cancelled", slow)
    monkeypatch.setattr("skmlp.engine.train.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(tasks_of(2, solver=solver, max_iter=10**6, max_fun=10**9, tol=0), 2)
    assert not [t for t in threading.enumerate() if t.name.startswith("skmlp-train")]


def test_interrupt_of_several_tasks_is_not_swallowed(monkeypatch):
    """A single task keeps the weights it has; several are part of a larger work."""
    calls = []

    def interrupt():
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "raise_if_cancelled", interrupt)
    (solution,) = train(tasks_of(1))
    assert solution.status.value == "interrupted"
    assert solution.n_iter == 2
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        train(tasks_of(4))
