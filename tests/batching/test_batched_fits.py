"""What happens in a block beside the fits: errors, interrupts, warnings, limits, threads."""

import _thread
import contextlib
import contextvars
import io
import multiprocessing
import re
import signal
import threading
import time
import tracemalloc
import warnings
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed, parallel_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError
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

from skmlp import RegularizedMLPRegressor, batched_fits
from skmlp.batching.joblib_backend import training_threads
from skmlp.batching.meeting import train_together
from skmlp.engine.train import train


def fit(alpha):
    return network(alpha=alpha).fit(X, y)


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


class Step(TransformerMixin, BaseEstimator):
    """A transformer that does ``action`` in fit."""

    def __init__(self, action="pass"):
        self.action = action

    def fit(self, X, y=None):
        if self.action == "fail":
            raise RuntimeError("no step")
        if self.action == "interrupt":
            _thread.interrupt_main()
            time.sleep(0.2)
        if self.action == "sleep":
            time.sleep(0.5)
        return self

    def transform(self, X):
        return X


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


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, also where a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


# Limits


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
