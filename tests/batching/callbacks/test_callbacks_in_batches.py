"""Callbacks of fits that meet: each is told of its own epochs, whoever trains beside it."""

import contextlib
import re
import threading

import numpy as np
import pytest
from batching.callbacks.noting import Noting, Propagated, at_end, fail
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.counting import ALPHAS, GRID, X, assert_no_threads, counted, network, pipeline, y

from skmlp import BatchedGridSearchCV, batched_fits
from skmlp.engine.kernels.choice import is_on

callback = pytest.importorskip("sklearn.callback")
pytestmark = pytest.mark.filterwarnings("ignore")


def in_stacks(function):
    return counted(lambda: in_block(function))


def in_block(function):
    with batched_fits(2):
        return function()


def in_threads(function):
    return counted(lambda: in_block(function), own_threads=True)


BLOCKS = [in_stacks, pytest.param(in_threads, marks=pytest.mark.skipif(not is_on(), reason="C"))]


def searched(monitor):
    """The scores of a search's candidates by candidate and epoch, and its results."""
    model = make_pipeline(StandardScaler(), network().set_callbacks(monitor))
    search = GridSearchCV(model, GRID, cv=2).fit(X, y)
    rows = monitor.get_logs().data
    return {row["task_id_path"]: row["r2"] for row in rows}, search.cv_results_["mean_test_score"]


@pytest.mark.parametrize("block", BLOCKS)
def test_records_of_a_search_are_those_outside_of_a_block(block):
    plain, plain_results = searched(callback.ScoringMonitor(scoring="r2"))
    (batched, results), sizes = block(lambda: searched(callback.ScoringMonitor(scoring="r2")))
    assert len(plain) == (len(ALPHAS) * 2 + 1) * (3 + 1)
    assert batched == plain
    assert_array_equal(results, plain_results)
    if block is in_stacks:
        assert sizes == [8, 1]
    assert_no_threads()


@pytest.mark.parametrize("block", BLOCKS)
def test_fits_around_one_that_fails_or_stops_go_on(block):
    """Each fit has a callback of its own: the second fails, the third is stopped."""
    acts = [lambda: False, fail, lambda: True, lambda: False]
    notings = [Noting(at_end(2, "epoch", act)) for act in acts]
    models = [
        network(alpha=alpha).set_callbacks(noting)
        for alpha, noting in zip(ALPHAS, notings, strict=True)
    ]

    def fitted():
        from joblib import Parallel, delayed

        def fit(model):
            with contextlib.suppress(RuntimeError):
                model.fit(X, y)
            return model

        return Parallel(n_jobs=2)(delayed(fit)(model) for model in models)

    found, _ = block(fitted)
    assert [getattr(model, "n_iter_", None) for model in found] == [3, None, 2, 3]
    assert [noting.count("end", "epoch") for noting in notings] == [3, 2, 2, 3]
    for k in (0, 2, 3):
        plain = network(alpha=ALPHAS[k], max_iter=found[k].n_iter_).fit(X, y)
        assert_array_equal(found[k].predict(X), plain.predict(X))
    assert_no_threads()


@pytest.mark.parametrize("block", BLOCKS)
def test_callbacks_may_fit_networks_in_a_block(block):
    expected = network(alpha=7.0).fit(X, y).predict(X)
    inner = []

    def act():
        inner.append(network(alpha=7.0).fit(X, y).predict(X))

    scores = []

    def run():
        noting = Noting(lambda noting, _: act() if noting.notes[-1][2] == "epoch" else None)
        found = cross_validate(network().set_callbacks(noting), X, y, cv=2)
        scores.append(found["test_score"])

    block(run)
    assert len(inner) == 6
    assert all((prediction == expected).all() for prediction in inner)
    assert_array_equal(scores[0], cross_validate(network(), X, y, cv=2)["test_score"])
    assert_no_threads()


def test_hooks_are_called_in_the_thread_that_trains():
    noting = Noting()
    network().set_callbacks(noting).fit(X, y)
    assert noting.threads == {threading.current_thread()}


def test_searches_hand_their_callbacks_to_the_epochs():
    notings = [Propagated(), Propagated()]
    for noting, kind in zip(notings, (GridSearchCV, BatchedGridSearchCV), strict=True):
        search = kind(pipeline(), GRID, cv=2, n_jobs=1).set_callbacks(noting)
        search.fit(X, y)
        epochs = [p for h, p, name in noting.notes if (h, name) == ("end", "epoch")]
        search_epochs = {p for p in epochs if p[1] == 0}
        assert search_epochs == {(0, 0, c, 1, e) for c in range(8) for e in range(3)}
        assert len(epochs) == 9 * 3
    assert sorted(map(str, notings[0].notes)) == sorted(map(str, notings[1].notes))


@pytest.mark.parametrize("is_batched", [False, True])
def test_progress_bars_are_nested(is_batched, capsys):
    pytest.importorskip("rich")
    kind = BatchedGridSearchCV if is_batched else GridSearchCV
    search = kind(pipeline(), {"regularizedmlpregressor__alpha": ALPHAS[:2]}, cv=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    bars = [line for line in lines if "RegularizedMLPRegressor - fit #1" in line]
    assert len(bars) == 2 * 2 + 1
    assert all(line.startswith("  ") and "100%" in line for line in bars)


def test_a_progress_bar_counts_epochs():
    """Of the bar's messages, one for the end of each epoch."""
    pytest.importorskip("rich")
    bar, sent = callback.ProgressBar(), []
    bar.on_fit_task_end = lambda estimator, context: sent.append(context.task_id)
    network(max_iter=3, n_iter_no_change=np.inf).set_callbacks(bar).fit(X, y)
    assert sent == [0, 1, 2, 0]


def test_callbacks_are_pickled_with_their_estimator():
    """scikit-learn's callbacks are pickled with the estimator."""
    import pickle

    monitor = callback.ScoringMonitor(scoring="r2")
    model = pickle.loads(pickle.dumps(clone(network()).set_callbacks(monitor))).fit(X, y)
    (log,) = model._skl_callbacks[0].get_logs(select="all")
    assert re.fullmatch("epoch|fit", log.data[-1]["task_name"])
    assert len(log.data) == 4
