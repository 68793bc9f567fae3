"""The searches with a block around their fit: parameters, times, and blocks within blocks."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from support.counting import (
    ALPHAS,
    GRID,
    X,
    assert_no_threads,
    assert_same_search,
    counted,
    network,
    pipeline,
    plain_and_batched,
    y,
)

from skmlp import BatchedGridSearchCV, BatchedRandomizedSearchCV, batched_fits
from skmlp.engine.train import train

PAIRS = [
    (GridSearchCV, BatchedGridSearchCV, (GRID,), {}),
    (RandomizedSearchCV, BatchedRandomizedSearchCV, (GRID,), {"n_iter": 3, "random_state": 0}),
]


@pytest.mark.parametrize("plain, batched, arguments, params", PAIRS)
def test_equal_to_scikit_learn(plain, batched, arguments, params):
    a, plain_sizes = counted(lambda: plain(pipeline(), *arguments, cv=3, **params).fit(X, y))
    b, sizes = counted(lambda: batched(pipeline(), *arguments, cv=3, **params).fit(X, y))
    assert_same_search(a, b)
    assert sizes == [len(plain_sizes) - 1, 1]
    assert_no_threads()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(b)).predict(X), a.predict(X))


@pytest.mark.parametrize("plain, batched", [pair[:2] for pair in PAIRS])
def test_signature_is_scikit_learns_and_the_backend(plain, batched):
    *ours, backend = [str(p) for p in inspect.signature(batched).parameters.values()]
    assert ours == [str(p) for p in inspect.signature(plain).parameters.values()]
    assert backend == "backend=None"


@pytest.mark.parametrize("plain, batched, arguments, params", PAIRS)
def test_parameters_are_scikit_learns_and_the_backend(plain, batched, arguments, params):
    given = {
        "scoring": "r2",
        "n_jobs": 2,
        "refit": False,
        "cv": 4,
        "verbose": 1,
        "pre_dispatch": 7,
        "error_score": 0.5,
        "return_train_score": True,
        **params,
    }
    search = batched(Ridge(), {"alpha": ALPHAS}, backend="loky", **given)
    expected = plain(Ridge(), {"alpha": ALPHAS}, **given).get_params()
    assert {k: v for k, v in search.get_params().items() if k != "estimator"} == {
        **{k: v for k, v in expected.items() if k != "estimator"},
        "backend": "loky",
    }
    assert clone(search).backend == "loky"
    assert (
        plain(Ridge(), {}).get_params(deep=False).keys() | {"backend"}
        == batched(Ridge(), {}).get_params(deep=False).keys()
    )


def test_joins_the_block_around_it():
    search = BatchedGridSearchCV(network(), {"alpha": ALPHAS}, cv=2, backend="no such backend")
    with batched_fits():
        scores, sizes = counted(lambda: cross_val_score(search, X, y, cv=3))
        assert counted(lambda: clone(search).fit(X, y))[1] == [8, 1]
    assert sizes == [24, 3]
    search.set_params(backend=None)
    own_scores, own_sizes = counted(lambda: cross_val_score(search, X, y, cv=3))
    np.testing.assert_array_equal(scores, own_scores)
    assert own_sizes == [8, 1] * 3


def test_backend_must_exist():
    search = BatchedGridSearchCV(network(), {"alpha": ALPHAS}, backend="no such backend")
    with pytest.raises(ValueError, match="Invalid backend: no such backend"):
        search.fit(X, y)
    with pytest.raises(ValueError, match="Invalid backend"), batched_fits(backend="none"):
        pass


def test_one_job_is_not_batched():
    search = BatchedGridSearchCV(network(), {"alpha": ALPHAS}, cv=2, n_jobs=1)
    assert counted(lambda: search.fit(X, y))[1] == [1] * 9


def test_one_job_in_a_block_is_not_batched():
    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=2, n_jobs=1)
    plain, batched, sizes = plain_and_batched(lambda: clone(search).fit(X, y))
    assert sizes == [1] * 9
    assert_same_search(plain, batched)


@pytest.fixture
def slow_engine(monkeypatch):
    """An engine whose calls take a second each, by a clock of our own."""
    now = [0.0]

    def engine(tasks, n_threads=1):
        now[0] += 1.0
        return train(tasks)

    monkeypatch.setattr("skmlp.batching.relay.time.perf_counter", lambda: now[0])
    return engine


def test_fit_time_is_the_share_of_the_call(slow_engine):
    search = BatchedGridSearchCV(network(), {"alpha": ALPHAS}, cv=5)
    found, _ = counted(lambda: search.fit(X, y), slow_engine)
    np.testing.assert_allclose(found.cv_results_["mean_fit_time"], 1 / 20, rtol=1e-12)
    np.testing.assert_allclose(found.cv_results_["std_fit_time"], 0, atol=1e-12)


def test_fit_time_of_a_search_of_searches(slow_engine):
    """Those inside cost eight of 32 fits of the first call, and one of four of the second."""
    inner = GridSearchCV(network(), {"alpha": ALPHAS}, cv=2)
    search = BatchedGridSearchCV(inner, {"error_score": [0.0, 1.0]}, cv=2, refit=False)
    found, _ = counted(lambda: search.fit(X, y), slow_engine)
    np.testing.assert_allclose(found.cv_results_["mean_fit_time"], 1 / 4 + 1 / 4, rtol=1e-12)
