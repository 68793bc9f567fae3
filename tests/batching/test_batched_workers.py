"""Fits sent in groups to the workers of other backends of joblib: loky and dask."""

import os
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
)
from support.counting import (
    ALPHAS,
    GRID,
    X,
    assert_same_search,
    counted,
    network,
    pipeline,
    y,
)

from skmlp import BatchedGridSearchCV, BatchedRandomizedSearchCV, batched_fits
from skmlp.batching.worker_groups import Group
from skmlp.engine.kernels.choice import is_on


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two processes of one thread."""
    distributed = pytest.importorskip("distributed")
    here = str(Path(__file__).parents[1])
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
        distributed.Client(local) as client,
    ):
        client.run(sys.path.append, here)
        yield client


@pytest.fixture(params=["loky", "dask"])
def backend(request):
    if request.param == "dask":
        request.getfixturevalue("cluster")
    return request.param


def test_searches_are_scikit_learns(backend):
    plain, _ = counted(lambda: GridSearchCV(pipeline(), GRID, cv=5).fit(X, y))
    search = BatchedGridSearchCV(pipeline(), GRID, cv=5, n_jobs=2, backend=backend)
    found, sizes = counted(lambda: search.fit(X, y))
    assert_same_search(plain, found)
    assert sizes == [1]  # the refit: all others were elsewhere
    plain, _ = counted(
        lambda: RandomizedSearchCV(pipeline(), GRID, n_iter=3, random_state=0).fit(X, y)
    )
    search = BatchedRandomizedSearchCV(
        pipeline(), GRID, n_iter=3, random_state=0, n_jobs=2, backend=backend
    )
    assert_same_search(plain, counted(lambda: search.fit(X, y))[0])


@pytest.mark.parametrize(
    "function",
    [
        lambda: cross_val_score(GridSearchCV(pipeline(), GRID, cv=3), X, y, cv=4),
        lambda: cross_val_predict(pipeline(), X, y, cv=4),
        lambda: BaggingRegressor(pipeline(), 5, random_state=0).fit(X, y).predict(X),
    ],
    ids=["nested", "predict", "bagging"],
)
def test_compositions(backend, function):
    plain, _ = counted(function)
    with batched_fits(n_jobs=2, backend=backend):
        found, sizes = counted(function)
    np.testing.assert_array_equal(plain, found)
    assert sizes == []


AT_IT = []


def fit_and_look(alpha, normalization):
    """The process of a fit, and how many tasks there had parked with it and have not ended."""
    AT_IT.append(alpha)
    network(alpha=alpha, normalization=normalization).fit(X, y)
    n_parked = len(AT_IT)
    AT_IT.pop()
    return os.getpid(), n_parked


@pytest.mark.parametrize(
    "normalization, expected",
    [
        ("layer", (4, 3, 2, 1) * 2),
        pytest.param(None, (1,) * 8, marks=pytest.mark.skipif(not is_on(), reason="no loops")),
    ],
)
def test_groups_are_equal_contiguous_and_stacked(backend, normalization, expected):
    """Where the loops are compiled each is trained at once."""
    with batched_fits(n_jobs=2, backend=backend):
        tasks = (delayed(fit_and_look)(alpha, normalization) for alpha in ALPHAS * 2)
        found = Parallel()(tasks)
    pids, parked = zip(*found, strict=True)
    assert pids == (pids[0],) * 4 + (pids[-1],) * 4
    assert len({*pids, os.getpid()}) == 3
    assert parked == expected


def test_failures(backend):
    grid = {"alpha": [0.1, -1.0, 1.0]}
    plain, _ = counted(lambda: GridSearchCV(network(), grid, cv=2).fit(X, y))
    search = BatchedGridSearchCV(network(), grid, cv=2, n_jobs=2, backend=backend)
    assert_same_search(plain, counted(lambda: search.fit(X, y))[0])
    with pytest.raises(ValueError, match="'alpha' parameter") as caught:
        search.set_params(error_score="raise").fit(X, y)
    assert "in _fit_and_score" in str(caught.value.__cause__)


class Unsendable(Exception):
    """Cannot be pickled as it is."""

    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


def fails():
    raise Unsendable("this", "that")


def test_exceptions_that_cannot_be_sent():
    with (
        batched_fits(n_jobs=2, backend="loky"),
        pytest.raises(RuntimeError, match="Unsendable: this and that"),
    ):
        Parallel()([delayed(fails)()] * 2)


def test_fit_times_come_back():
    search = BatchedGridSearchCV(network(max_iter=50), {"alpha": ALPHAS}, n_jobs=2, backend="loky")
    found, _ = counted(lambda: search.fit(X, y))
    times = found.cv_results_["mean_fit_time"]
    assert times.min() > 0
    assert times.sum() * 5 < 2 * found.refit_time_ * 20


class Counted:
    """Counts how often it is pickled."""

    n_pickled = 0

    def __reduce__(self):
        Counted.n_pickled += 1
        return Counted, ()


def test_shared_data_are_pickled_once_a_group():
    shared = Counted()
    Counted.n_pickled = 0
    pickle.dumps(Group([(len, shared)] * 50))
    assert Counted.n_pickled == 1


def identity(value):
    return value


def test_groups_know_their_size():
    task = joblib.parallel.BatchedCalls([(identity, (X,), {})] * 4, (None, None))
    assert X.nbytes <= sys.getsizeof(Group([task, task])) < 2 * X.nbytes
