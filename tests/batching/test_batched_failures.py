"""Batched fits that fail, and interrupts that unwind them."""

import _thread
import contextlib
import re
import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from support.counting import (
    ALPHAS,
    GRID,
    Step,
    X,
    assert_no_threads,
    assert_same_search,
    counted,
    network,
    pipeline,
    plain_and_batched,
    y,
)

from skmlp import RegularizedMLPRegressor, batched_fits
from skmlp.batching.meeting import train_together
from skmlp.engine.train import train


class Tracked(RegularizedMLPRegressor):
    """Counts fits that were entered and left."""

    entered, left = [], []

    def fit(self, X, y):
        Tracked.entered.append(1)
        try:
            return super().fit(X, y)
        finally:
            Tracked.left.append(1)


@pytest.fixture
def tracked():
    Tracked.entered.clear()
    Tracked.left.clear()
    return Tracked(hidden_layer_sizes=(4,), max_iter=3)


# Failures


def test_failing_fits_have_the_error_score():
    grid = {"regularizedmlpregressor__learning_rate_init": [-1.0, 0.1, 0.2]}

    def search():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = GridSearchCV(pipeline(), grid, cv=3).fit(X, y)
        texts = [re.sub(r"File .*|line \d+", "", str(warning.message)) for warning in caught]
        return found, texts

    plain, batched, sizes = plain_and_batched(search)
    assert_same_search(plain[0], batched[0])
    assert np.isnan(batched[0].cv_results_["mean_test_score"][0])
    assert plain[1] == batched[1]
    assert sizes == [6, 1]


def test_failing_fits_raise():
    search = GridSearchCV(network(), {"alpha": [0.1, -1.0, 1.0]}, cv=3, error_score="raise")
    with batched_fits():
        with pytest.raises(ValueError, match="'alpha' parameter") as caught:
            counted(lambda: search.fit(X, y))
        assert "in _fit_and_score" in str(caught.value.__cause__)
        assert_no_threads()
        search.set_params(param_grid={"alpha": ALPHAS})
        assert counted(lambda: search.fit(X, y))[1] == [12, 1]


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
def test_a_step_before_the_fit_fails(error_score):
    grid = {"step__action": ["pass", "fail"], **GRID}
    model = make_pipeline(Step(), network())
    search = GridSearchCV(model, grid, cv=2, error_score=error_score)
    if error_score == "raise":
        with batched_fits(), pytest.raises(RuntimeError, match="no step"):
            search.fit(X, y)
        assert_no_threads()
    else:
        plain, batched, sizes = plain_and_batched(lambda: GridSearchCV(model, grid, cv=2).fit(X, y))
        assert_same_search(plain, batched)
        assert sizes == [8, 1]


def test_nested_failure_is_that_of_its_outer_fold():
    search = GridSearchCV(network(), {"alpha": [0.1, -1.0]}, cv=2, error_score="raise")
    grid = {"param_grid": [{"alpha": [0.1, -1.0]}, {"alpha": [0.1, 1.0]}]}
    plain, batched, _ = plain_and_batched(lambda: GridSearchCV(search, grid, cv=2).fit(X, y))
    assert_same_search(plain, batched)
    assert np.isnan(batched.cv_results_["mean_test_score"]).tolist() == [True, False]


def test_failure_of_a_whole_call_is_retried_one_by_one():
    sizes = []

    def engine(tasks, n_threads=1):
        sizes.append(len(tasks))
        if any(task.alpha[0] == 0.1 for task in tasks):
            raise MemoryError("too much")
        return train(tasks)

    plain = counted(lambda: GridSearchCV(network(), {"alpha": ALPHAS}, cv=3).fit(X, y))[0]
    with batched_fits():
        search, _ = counted(
            lambda: GridSearchCV(network(), {"alpha": ALPHAS}, cv=3, refit=False).fit(X, y), engine
        )
    assert sizes == [12] + [1] * 12
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[1])
    expected = plain.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(np.delete(scores, 1), np.delete(expected, 1))


# Interrupts


@pytest.mark.usefixtures("interruptible")
def test_interrupt_in_a_step_unwinds_the_parked_fits(tracked):
    grid = [{"step__action": ["pass"], "tracked__alpha": ALPHAS}, {"step__action": ["interrupt"]}]
    search = GridSearchCV(make_pipeline(Step(), tracked), grid, cv=5)
    with batched_fits(), pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert len(Tracked.left) >= 20
    wait_for_threads()
    assert len(Tracked.left) == len(Tracked.entered)


@pytest.mark.parametrize("nested, n_fits", [(False, 5), (True, 40)])
def test_interrupt_in_the_engine_unwinds_all(tracked, nested, n_fits):
    def engine(tasks, n_threads=1):
        raise KeyboardInterrupt

    model = GridSearchCV(tracked, {"alpha": ALPHAS}, cv=2) if nested else tracked
    with batched_fits(), pytest.raises(KeyboardInterrupt):
        counted(lambda: cross_val_score(model, X, y, cv=5), engine)
    assert_no_threads()
    assert len(Tracked.left) == len(Tracked.entered) == n_fits


def children(n):
    task = SimpleNamespace(train=None, validation=None)
    return Parallel()(delayed(train_together)(task) for _ in range(n))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("milliseconds", range(2, 62, 4))
def test_interrupts_at_any_moment_leave_no_thread(milliseconds):
    """Nested calls of small tasks, with an engine that does nothing: most of it is hand-overs.

    An interrupt in one of Python's own weak references is lost, and the calls end.
    """
    timer = threading.Timer(milliseconds / 1000, _thread.interrupt_main)

    def calls():
        timer.start()
        try:
            Parallel()(delayed(children)(5) for _ in range(60))
        except Exception:
            timer.cancel()
            raise
        timer.join()
        time.sleep(0.1)

    with contextlib.suppress(KeyboardInterrupt), batched_fits():
        counted(calls, lambda tasks, n_threads=1: tasks)
    wait_for_threads()


@pytest.mark.parametrize("n_started", [1, 4, 7, 8])
def test_a_thread_that_an_interrupt_keeps_from_beginning_is_not_waited_for(monkeypatch, n_started):
    """Of two tasks, or of the calls that they make."""
    start, started = threading.Thread.start, []

    def interrupted(self):
        if self.name == "skmlp-fit":
            started.append(self)
            if len(started) == n_started:
                raise KeyboardInterrupt
        start(self)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), batched_fits():
        counted(lambda: Parallel()(delayed(children)(5) for _ in range(2)), lambda tasks, n: tasks)
    wait_for_threads()


def wait_for_threads():
    deadline = time.perf_counter() + 5
    while time.perf_counter() < deadline:
        with contextlib.suppress(AssertionError):
            return assert_no_threads()
        time.sleep(0.01)
    return assert_no_threads()
