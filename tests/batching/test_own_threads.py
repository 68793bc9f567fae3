"""Fits whose loops are compiled train in their own threads, while other tasks go on."""

import _thread
import threading
import time

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix
from sklearn.model_selection import GridSearchCV, cross_val_score
from support.counting import (
    ALPHAS,
    X,
    assert_no_threads,
    assert_same_search,
    counted,
    fit,
    network,
    y,
)
from threadpoolctl import threadpool_info, threadpool_limits

from skmlp import RegularizedMLPRegressor, batched_fits
from skmlp.batching import own_threads
from skmlp.engine.kernels.choice import is_on
from skmlp.engine.train import train

pytestmark = pytest.mark.skipif(not is_on(), reason="no compiled loops")
PATIENCE = 20


def in_own_threads(function, engine=None, **options):
    """What a function returns in a block of two threads, and the sizes of the engine's calls."""
    with batched_fits(**{"n_jobs": 2, **options}):
        result, sizes = counted(function, engine, own_threads=True)
    assert_no_threads()
    return result, sizes


class Watch:
    """An engine that notes how many calls are in it, and in which threads."""

    def __init__(self, seconds=0.01):
        self.seconds, self.inside, self.names, self.lock = seconds, [0], set(), threading.Lock()

    def __call__(self, tasks, n_threads=1):
        with self.lock:
            self.inside.append(self.inside[-1] + 1)
        self.names.add(threading.current_thread().name)
        time.sleep(self.seconds)
        with self.lock:
            self.inside.append(self.inside[-1] - 1)
        return train(tasks, n_threads)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_as_many_train_at_a_time_as_there_are_threads(n_threads):
    watch = Watch()
    in_own_threads(lambda: cross_val_score(network(), X, y, cv=8), watch, n_jobs=n_threads)
    assert max(watch.inside) == n_threads
    assert watch.names == {"skmlp-fit"}


@pytest.mark.parametrize("n_threads", [2, 3])
def test_no_more_begin_than_can_train(n_threads):
    begun, trained, waiting = [], [], []

    def engine(tasks, n_threads=1):
        time.sleep(0.01)
        waiting.append(len(begun) - len(trained))
        trained.append(tasks[0].alpha[0])
        return train(tasks)

    def task(alpha):
        begun.append(alpha)
        fit(alpha)

    in_own_threads(
        lambda: Parallel()(delayed(task)(a) for a in ALPHAS * 5), engine, n_jobs=n_threads
    )
    assert len(trained) == 5 * len(ALPHAS)
    assert max(waiting) <= n_threads


def test_other_tasks_go_on_while_one_trains():
    """The first trains until the second comes; one that waits for company trains after that."""
    second_came = threading.Event()

    def engine(tasks, n_threads=1):
        assert len(tasks) > 1 or tasks[0].alpha[0] > 0 or second_came.wait(PATIENCE)
        return train(tasks, n_threads)

    def task(alpha):
        if alpha > 0:
            second_came.set()
        return network(alpha=alpha).fit(X, y).n_iter_

    found, _ = in_own_threads(lambda: Parallel()(delayed(task)(a) for a in (0.0, 1.0)), engine)
    assert found == [3, 3]


def test_networks_through_torch_wait_for_each_other():
    grid = [{"alpha": ALPHAS}, {"alpha": ALPHAS, "normalization": ["layer"]}]
    search = GridSearchCV(network(), grid, cv=3, refit=False)
    plain, _ = counted(lambda: search.fit(X, y).cv_results_["mean_test_score"])
    found, sizes = in_own_threads(lambda: search.fit(X, y).cv_results_["mean_test_score"])
    np.testing.assert_array_equal(found, plain)
    assert sizes == [1] * 12 + [12]


def test_they_go_on_in_their_order():
    """Though the first of them trains longest."""
    later_are_trained, trained, order = threading.Event(), [], []

    def engine(tasks, n_threads=1):
        if tasks[0].alpha[0] == ALPHAS[0]:
            later_are_trained.wait(PATIENCE)
        trained.append(tasks[0].alpha[0])
        if len(trained) == len(ALPHAS) - 1:
            later_are_trained.set()
        return train(tasks)

    def task(alpha):
        fit(alpha)
        order.append(alpha)

    in_own_threads(lambda: Parallel()(delayed(task)(a) for a in ALPHAS), engine)
    assert trained[-1] == ALPHAS[0]
    assert order == ALPHAS


@pytest.mark.parametrize("options", [{"max_tasks": 3}, {"max_bytes": 3 * 60 * 8 - 1}])
def test_the_window_bounds_those_that_have_not_gone_on(options):
    """The first trains until the window is full: that those after it have trained frees no place.

    What they hold is y: X is the same for all.
    """
    if "max_bytes" in options:
        options = {"max_bytes": options["max_bytes"] + X.nbytes}
    begun, at_first = [], []

    def engine(tasks, n_threads=1):
        if tasks[0].alpha[0] == 0:
            time.sleep(0.3)
            at_first.append(len(begun))
        return train(tasks)

    def task(alpha):
        begun.append(alpha)
        fit(alpha)

    in_own_threads(lambda: Parallel()(delayed(task)(float(a)) for a in range(9)), engine, **options)
    assert at_first == [3]
    assert len(begun) == 9


def test_one_that_fails_is_alone_with_that():
    def engine(tasks, n_threads=1):
        if tasks[0].alpha[0] == 0.1:
            raise MemoryError("too much")
        return train(tasks)

    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=3, refit=False)
    plain, _ = counted(lambda: search.fit(X, y).cv_results_["mean_test_score"])
    found, _ = in_own_threads(lambda: search.fit(X, y).cv_results_["mean_test_score"], engine)
    assert np.isnan(found[1])
    np.testing.assert_array_equal(np.delete(found, 1), np.delete(plain, 1))


def test_a_search_that_raises_leaves_no_thread():
    """The call ends with the first failure; those still in training are not waited for."""

    def engine(tasks, n_threads=1):
        if tasks[0].alpha[0] == 0.1:
            raise MemoryError("too much")
        return train(tasks)

    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=3, error_score="raise")
    with pytest.raises(MemoryError, match="too much"):
        in_own_threads(lambda: search.fit(X, y), engine)
    assert_no_threads()
    nested = GridSearchCV(search, {"error_score": [np.nan, "raise"]}, cv=2, refit=False)
    found, _ = in_own_threads(lambda: nested.fit(X, y).cv_results_["mean_test_score"], engine)
    assert np.isnan(found).tolist() == [False, True]


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_interrupt_ends_the_training_in_all_threads(n_threads):
    """Left alone, these would train for hours."""
    endless = network(max_iter=10**9, n_iter_no_change=np.inf, hidden_layer_sizes=(50,))
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt), batched_fits(n_threads):
        cross_val_score(endless, X, y, cv=5)
    for thread in threading.enumerate():
        if thread.name == "skmlp-fit":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_blas_is_at_one_thread_whoever_trains():
    """From the first training on, and the user's afterwards; one training thread leaves it be."""
    seen = []

    def limits():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    def task(alpha):
        fit(alpha)
        time.sleep(0.05)
        seen.append(limits())

    for n_threads, inside in [(1, 2), (2, 1)]:
        with threadpool_limits(2, "blas"):
            in_own_threads(lambda: Parallel()(delayed(task)(a) for a in ALPHAS), n_jobs=n_threads)
            assert limits() == {2}
        assert seen == [{inside}] * len(ALPHAS)
        seen.clear()


def test_large_data_are_trained_together(monkeypatch):
    monkeypatch.setattr(own_threads, "SMALL_DATA", X.nbytes // 3 * 2 - 1)
    search = GridSearchCV(network(), {"alpha": ALPHAS}, cv=3)
    plain, _ = counted(lambda: GridSearchCV(network(), {"alpha": ALPHAS}, cv=3).fit(X, y))
    found, sizes = in_own_threads(lambda: search.fit(X, y))
    assert_same_search(plain, found)
    assert sizes == [12, 1]
    assert in_own_threads(lambda: search.fit(X, y), n_jobs=1)[1] == [1] * 13


def test_sparse_and_dense_data_side_by_side():
    def task(make, alpha):
        return network(alpha=alpha).fit(make(X), y).coefs_[0]

    tasks = [(make, alpha) for alpha in ALPHAS for make in (np.asarray, csr_matrix)]
    found, sizes = in_own_threads(lambda: Parallel()(delayed(task)(*one) for one in tasks))
    np.testing.assert_array_equal(found, [task(*one) for one in tasks])
    assert sizes == [1] * 4 + [4]


class Locked(RegularizedMLPRegressor):
    """Holds a lock across its fit."""

    lock = threading.Lock()

    def fit(self, X, y):
        with Locked.lock:
            return super().fit(X, y)


def test_a_task_that_wants_a_lock_of_another_is_not_waited_for():
    model = Locked(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
    plain, _ = counted(lambda: cross_val_score(network(), X, y, cv=3))
    found, _ = in_own_threads(lambda: cross_val_score(model, X, y, cv=3), stall_timeout=0.1)
    np.testing.assert_array_equal(found, plain)


def test_where_threads_are_few_the_others_wait(monkeypatch):
    start = threading.Thread.start

    def limited(self):
        if sum(thread.name == "skmlp-fit" for thread in threading.enumerate()) >= 3:
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", limited)
    plain, _ = counted(lambda: cross_val_score(network(), X, y, cv=9))
    found, _ = in_own_threads(lambda: cross_val_score(network(), X, y, cv=9), Watch())
    np.testing.assert_array_equal(found, plain)


def test_threads_are_used_again():
    idents = []

    def task(alpha):
        idents.append(threading.get_ident())
        return fit(alpha)

    in_own_threads(lambda: Parallel()(delayed(task)(a) for a in ALPHAS * 5), n_jobs=1)
    assert len(set(idents)) == 1
