"""Batched fits leave the process as it was, and behave as joblib's other backends."""

import contextlib
import contextvars
import io
import multiprocessing
import re
import threading
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from support.counting import (
    ALPHAS,
    X,
    assert_no_threads,
    counted,
    fit,
    network,
    plain_and_batched,
    y,
)

from skmlp import RegularizedMLPRegressor, batched_fits
from skmlp.batching.joblib_backend import training_threads
from skmlp.engine.train import train

# State of the process and of the thread


class Warns(RegularizedMLPRegressor):
    """Warns after its fit."""

    def fit(self, X, y):
        super().fit(X, y)
        warnings.warn("fitted", RuntimeWarning)
        return self


def test_warnings_arrive_and_filters_are_restored():
    model = Warns(hidden_layer_sizes=(2,), max_iter=2, n_iter_no_change=1)
    before = list(warnings.filters), warnings.showwarning
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with batched_fits():
            cross_val_score(model, X, y, cv=6)
    texts = [str(warning.message) for warning in caught]
    assert texts.count("fitted") == 6
    assert sum("Maximum iterations" in text for text in texts) == len(texts) - 6
    with batched_fits(), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(RuntimeWarning, match="fitted"):
            cross_val_score(model, X, y, cv=6, error_score="raise")
    assert (list(warnings.filters), warnings.showwarning) == before
    assert_no_threads()


class Recorder(RegularizedMLPRegressor):
    """Records the warnings of its own fit, while others wait in theirs."""

    def fit(self, X, y):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.warn("before")
            super().fit(X, y)
            warnings.warn("after")
        self.texts_ = [str(warning.message) for warning in caught]
        return self


def test_recorders_of_warnings_do_not_mix():
    model = Recorder(hidden_layer_sizes=(2,), solver="lbfgs", tol=1.0, random_state=0)
    with batched_fits():
        found = cross_validate(model, X, y, cv=7, return_estimator=True)["estimator"]
    assert [m.texts_ for m in found] == [["before", "after"]] * 7


VARIABLE = contextvars.ContextVar("variable", default=0)


class Witness(RegularizedMLPRegressor):
    """Notes what it sees after it has been trained."""

    def fit(self, X, y):
        VARIABLE.set(VARIABLE.get() + 1)
        super().fit(X, y)
        config = sklearn.get_config()["assume_finite"]
        self.saw_ = VARIABLE.get(), np.geterr()["divide"], config
        return self


def test_context_variables_and_configuration_are_the_callers():
    model = Witness(hidden_layer_sizes=(2,), max_iter=2)
    tasks = [delayed(sklearn.clone(model).fit)(X, y) for _ in range(3)]
    token = VARIABLE.set(3)
    with batched_fits(), np.errstate(divide="raise"), sklearn.config_context(assume_finite=True):
        found = Parallel()(tasks)
    assert VARIABLE.get() == 3
    VARIABLE.reset(token)
    assert [m.saw_ for m in found] == [(4, "raise", True)] * 3


def test_verbose_output_is_the_same():
    def output():
        with contextlib.redirect_stdout(io.StringIO()) as out:
            GridSearchCV(network(), {"alpha": ALPHAS}, cv=2, verbose=3).fit(X, y)
        return re.sub(r"\.+|total time= *[\d. ]+s", "", out.getvalue())

    plain, batched, _ = plain_and_batched(output)
    assert plain == batched
    assert plain.count("[CV 1/2]") == 4


def test_the_engine_runs_in_the_callers_thread():
    seen = []

    def engine(tasks, n_threads=1):
        seen.append((threading.get_ident(), len(tasks), n_threads))
        return train(tasks)

    with batched_fits(n_jobs=3):
        counted(lambda: cross_val_score(network(), X, y, cv=3), engine)
    counted(lambda: cross_val_score(network(), X, y, cv=2), engine)
    here = threading.get_ident()
    assert seen == [(here, 3, 3), (here, 1, 1), (here, 1, 1)]


# joblib's interface


def test_backend_by_name():
    with parallel_config(backend="skmlp", n_jobs=2):
        scores, sizes = counted(lambda: cross_val_score(network(), X, y, cv=3))
        assert sizes == [3]
        assert sizes.n_threads == 2
    np.testing.assert_array_equal(scores, cross_val_score(network(), X, y, cv=3))
    tasks = [delayed(fit)(alpha) for alpha in ALPHAS]
    assert counted(lambda: Parallel(n_jobs=2, backend="skmlp")(tasks))[1] == [4]
    with parallel_config(backend="skmlp", max_tasks=3):
        assert counted(lambda: Parallel()(tasks))[1] == [3, 1]
    with batched_fits(), pytest.raises(ValueError, match="n_jobs == 0"):
        Parallel(n_jobs=0)(tasks)


@pytest.mark.parametrize("n_jobs", [2, 16])
@pytest.mark.parametrize("hint", [{"prefer": "threads"}, {"require": "sharedmem"}])
def test_real_threads_where_they_are_asked_for(hint, n_jobs):
    barrier = threading.Barrier(n_jobs)
    with batched_fits():
        names = Parallel(n_jobs, **hint)(delayed(barrier.wait)(10) for _ in range(n_jobs))
        models, sizes = counted(lambda: Parallel(n_jobs=2, **hint)(delayed(fit)(a) for a in ALPHAS))
    assert sorted(names) == list(range(n_jobs))
    assert sizes == [1] * 4
    np.testing.assert_array_equal(models[1].coefs_[0], fit(ALPHAS[1]).coefs_[0])


def test_generators():
    def tasks(alphas):
        return (delayed(fit)(alpha) for alpha in alphas)

    def interleaved():
        first = Parallel(return_as="generator")(tasks(ALPHAS))
        second = Parallel(return_as="generator")(tasks(ALPHAS[::-1]))
        return [(a.alpha, b.alpha) for a, b in zip(first, second, strict=True)]

    with batched_fits():
        pairs, sizes = counted(interleaved)
    assert pairs == list(zip(ALPHAS, ALPHAS[::-1], strict=True))
    assert sizes == [4, 4]
    assert_no_threads()


def test_a_generator_that_is_dropped_leaves_another_alone():
    with batched_fits(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dropped = Parallel(return_as="generator")(delayed(fit)(a) for a in ALPHAS)
        kept = Parallel(return_as="generator")(delayed(fit)(a) for a in ALPHAS)
        del dropped
        assert [model.alpha for model in kept] == ALPHAS
    assert_no_threads()


def test_calls_of_parallel_in_calls_of_parallel():
    with batched_fits():
        tasks = [delayed(cross_val_score)(network(alpha=a), X, y, cv=3) for a in ALPHAS]
        scores, sizes = counted(lambda: Parallel()(tasks))
    assert sizes == [12]
    np.testing.assert_array_equal(scores[2], cross_val_score(network(alpha=ALPHAS[2]), X, y, cv=3))


def test_block_in_a_block_joins_it():
    def inner():
        with batched_fits():
            return cross_val_score(network(), X, y, cv=3)

    with batched_fits():
        assert counted(lambda: Parallel()(delayed(inner)() for _ in range(4)))[1] == [12]
        assert counted(inner)[1] == [3]


def in_worker():
    """Sizes of the calls in a worker, and the training threads that it may use."""
    with batched_fits():
        _, sizes = counted(lambda: cross_val_score(network(), X, y, cv=3))
    return list(sizes), training_threads(None)


def test_in_and_around_loky_workers():
    share = max(1, joblib.cpu_count() // 2)
    expected = [([3], share)] * 2
    assert Parallel(n_jobs=2)(delayed(in_worker)() for _ in range(2)) == expected
    with batched_fits():
        found = Parallel(n_jobs=2, backend="loky")(delayed(in_worker)() for _ in range(2))
    assert found == expected


def in_forked_child(queue):
    queue.put(fit(0.1).coefs_[0])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
def test_a_process_forked_in_a_task_trains_by_itself():
    def forks():
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=in_forked_child, args=(queue,))
        child.start()
        coef = queue.get(timeout=30)
        child.join()
        return coef

    with batched_fits(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (coef,) = Parallel()([delayed(forks)()])
    np.testing.assert_array_equal(coef, fit(0.1).coefs_[0])
