"""Limits of batched fits: memory, stalls, numbers of threads and of fits."""

import threading
import tracemalloc

import joblib
import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError
from support.counting import (
    ALPHAS,
    Step,
    X,
    assert_no_threads,
    counted,
    fit,
    network,
    y,
)

from skmlp import RegularizedMLPRegressor, batched_fits
from skmlp.batching.joblib_backend import training_threads
from skmlp.engine.train import train


@pytest.mark.parametrize(
    "limits, expected",
    [
        ({"max_tasks": 8}, [8, 8, 4]),
        ({"max_bytes": 1}, [1] * 20),
        # 48 rows of X and y in float64: four parked folds are below the bound, five are not
        ({"max_bytes": 48 * 5 * 8 * 4 + 1}, [5, 5, 5, 5]),
    ],
)
def test_windows(limits, expected):
    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=5, refit=False)
    with batched_fits(**limits):
        _, sizes = counted(lambda: search.fit(X, y))
    assert sizes == expected
    assert_no_threads()


def test_shared_data_count_once():
    """y is standardised by every fit, X is the same for all."""
    with batched_fits(max_bytes=X.nbytes + 6 * y.nbytes):
        _, sizes = counted(lambda: Parallel()(delayed(fit)(a) for a in ALPHAS * 3))
    assert sizes == [6, 6]


def test_window_of_nested_searches():
    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=3)
    with batched_fits(max_tasks=20):
        _, sizes = counted(lambda: cross_val_score(search, X, y, cv=4))
    assert sum(sizes) == 52
    assert max(sizes) == 20


class Locked(RegularizedMLPRegressor):
    """Holds a lock across its fit."""

    lock = threading.Lock()

    def fit(self, X, y):
        with Locked.lock:
            return super().fit(X, y)


def test_stall_timeout_breaks_locks_held_across_fits():
    model = Locked(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
    plain = cross_val_score(network(), X, y, cv=3)
    with batched_fits(stall_timeout=0.1):
        scores, sizes = counted(lambda: cross_val_score(model, X, y, cv=3))
    np.testing.assert_array_equal(scores, plain)
    assert sizes == [1, 1, 1]
    assert_no_threads()


def test_a_slow_step_is_not_lost():
    grid = {"step__action": ["pass", "sleep", "pass"]}
    search = GridSearchCV(make_pipeline(Step(), network()), grid, cv=2, refit=False)
    with batched_fits(stall_timeout=0.1):
        found, sizes = counted(lambda: search.fit(X, y))
    assert sum(sizes) == 6
    scores = found.cv_results_["mean_test_score"]
    assert scores[0] == scores[1] == scores[2]
    assert_no_threads()


def test_limit_of_threads_makes_smaller_stacks(monkeypatch):
    start = threading.Thread.start

    def limited(self):
        names = [thread.name for thread in threading.enumerate()]
        if self.name == "skmlp-fit" and names.count("skmlp-fit") >= 6:
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", limited)
    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=5, refit=False)
    with batched_fits():
        _, sizes = counted(lambda: search.fit(X, y))
    assert sizes == [6, 6, 6, 2]


def test_no_thread_at_all(monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with batched_fits(), pytest.raises(RuntimeError, match="can't start new thread"):
        cross_val_score(network(), X, y, cv=3, error_score="raise")


def test_a_thousand_fits_have_bounded_threads():
    most = []

    def engine(tasks, n_threads=1):
        most.append(threading.active_count())
        return train(tasks)

    model = network(hidden_layer_sizes=(), max_iter=1)
    before = threading.active_count()
    with batched_fits(max_tasks=100):
        counted(
            lambda: Parallel()(delayed(sklearn.clone(model).fit)(X, y) for _ in range(1000)), engine
        )
    assert len(most) == 10
    assert max(most) == before + 100
    assert threading.active_count() == before


def peak_memory(n_fits):
    """Bytes at the peak of many fits, each with its copy of the data; at most 50 wait at a time."""
    model = network(hidden_layer_sizes=(), max_iter=1)
    large_X, large_y = np.tile(X, (20, 5)), np.tile(y, 20)

    def forget():
        sklearn.clone(model).fit(large_X.copy(), large_y)

    tracemalloc.start()
    with batched_fits(max_tasks=50):
        counted(lambda: Parallel()(delayed(forget)() for _ in range(n_fits)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_thousand_fits_have_bounded_memory():
    """The window bounds it: what a fit leaves is a small part of the data that it had."""
    peak_memory(10)
    few, many = peak_memory(100), peak_memory(1000)
    assert few > 50 * 1200 * 20 * 8
    assert many < 1.5 * few


def test_number_of_training_threads(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    assert [training_threads(n) for n in (None, 3, -1, -3, -20)] == [8, 3, 8, 6, 1]
    with pytest.raises(ValueError, match="n_jobs == 0 has no meaning"), batched_fits(n_jobs=0):
        pass


@pytest.mark.parametrize(
    "name, value",
    [
        ("n_jobs", 1.5),
        ("n_jobs", "two"),
        ("backend", 3),
        ("max_tasks", 0),
        ("max_tasks", "many"),
        ("max_bytes", 0),
        ("max_bytes", np.nan),
        ("stall_timeout", -1),
        ("stall_timeout", "long"),
    ],
)
def test_options_without_meaning_are_named(name, value):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of batched_fits"):
        batched_fits(**{name: value})
