"""scikit-learn's callbacks see each epoch and iteration, and may end a fit."""

import warnings

import joblib
import numpy as np
import pytest
import torch
from batching.callbacks.noting import Noting, at_end, fail, interrupt
from numpy.testing import assert_array_equal
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from support.small_fits import SMALL, X, state, y

from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor
from skmlp.engine.task import Task

callback = pytest.importorskip("sklearn.callback")
pytestmark = pytest.mark.filterwarnings("ignore")

FITS = [
    {},
    {"solver": "sgd"},
    {"solver": "sgd", "learning_rate": "invscaling"},
    {"early_stopping": True, "n_iter_no_change": 2, "learning_rate_init": 0.1},
    {"dropout": 0.3},
    {"normalization": "batch"},
    {"normalization": "layer"},
    {"solver": "lbfgs"},
    {"solver": "lbfgs", "activation": "tanh", "l1_per_layer": 0.01},
    {"solver": "lbfgs", "activation": "tanh", "group_l1": 0.1, "alpha": 1.0},
]
LABELS = (y > np.median(y)).astype(int)


@pytest.fixture(params=["compiled", "through_torch"])
def either_way(request):
    if request.param == "through_torch":
        request.getfixturevalue(request.param)


EPOCHS = 6


def regressor(*callbacks, **params):
    return RegularizedMLPRegressor(**{**SMALL, "max_iter": EPOCHS, **params}).set_callbacks(
        *callbacks
    )


def scores(monitor, name):
    return [row["r2"] for row in monitor.get_logs().data if row["task_name"] == name]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("params", FITS, ids=str)
def test_records_are_those_of_fits_that_end_there(params):
    """A fit of k epochs is the first k of a longer one; a callback changes no bit."""
    monitor = callback.ScoringMonitor(scoring="r2")
    model = regressor(monitor, **params).fit(X, y)
    plain = regressor(**params).fit(X, y)
    assert state(model) == state(plain)
    name = "iteration" if params.get("solver") == "lbfgs" else "epoch"
    shorter = [regressor(**params, max_iter=k).fit(X, y) for k in range(1, model.n_iter_ + 1)]
    assert scores(monitor, name) == [fitted.score(X, y) for fitted in shorter]
    assert scores(monitor, "fit") == [plain.score(X, y)]


@pytest.mark.usefixtures("either_way")
def test_estimators_handed_over_are_whole_fits():
    seen = []
    noting = Noting(lambda _, fitted: bool(seen.append(fitted)))
    regressor(noting, early_stopping=True).fit(X, y)
    for k in (1, 4):
        assert state(seen[k - 1]) == state(regressor(early_stopping=True, max_iter=k).fit(X, y))


def test_records_of_a_classifier():
    monitor, params = callback.ScoringMonitor(scoring="neg_log_loss"), {**SMALL, "max_iter": 4}
    RegularizedMLPClassifier(**params).set_callbacks(monitor).fit(X, LABELS)
    found = [row["neg_log_loss"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    expected = []
    for k in range(1, 5):
        fitted = RegularizedMLPClassifier(**{**params, "max_iter": k}).fit(X, LABELS)
        expected.append(np.log(fitted.predict_proba(X)[np.arange(len(X)), LABELS]).mean())
    assert found == pytest.approx(expected, rel=1e-6)


def test_records_are_weighted_as_the_fit_is():
    weight, monitor = np.arange(len(y)) % 3, callback.ScoringMonitor(scoring="r2")
    model = regressor(monitor).fit(X, y, sample_weight=weight)
    assert scores(monitor, "fit") == [model.score(X, y, weight)]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("params", [{}, {"l1_per_layer": 0.01}, {"solver": "lbfgs"}], ids=str)
def test_each_epoch_is_one_part_of_the_fit(params):
    noting = Noting()
    model = regressor(noting, **params).fit(X, y)
    expected = [("setup", (0,)), ("begin", (0,))]
    for k in range(model.n_iter_):
        expected += [("begin", (0, k)), ("end", (0, k))]
    expected += [("end", (0,)), ("teardown", (0,))]
    assert [note[:2] for note in noting.notes] == expected
    assert not hasattr(model, "_callback_fit_ctx")


def test_fits_in_closed_form_have_no_parts():
    noting = Noting()
    regressor(noting, hidden_layer_sizes=(), solver="lbfgs").fit(X, y)
    assert noting.paths("end") == [(0,)]


def test_a_search_that_has_converged_leaves_no_part_open():
    noting = Noting()
    params = {"solver": "lbfgs", "max_iter": 500, "tol": 0.01}
    model = regressor(noting, **params).fit(X, y)
    assert 5 < model.n_iter_ < 500
    assert noting.paths("begin") == [(0,), *((0, k) for k in range(len(noting.paths("end")) - 1))]
    assert sorted(noting.paths("begin")) == sorted(noting.paths("end"))
    assert noting.count("end", "iteration") - model.n_iter_ in (0, 1)


def test_a_part_fit_is_one_epoch():
    noting = Noting()
    model = regressor(noting)
    for _ in range(3):
        model.partial_fit(X, y)
    assert noting.paths("end") == [(0, 0), (0,)] * 3
    plain = regressor()
    for _ in range(3):
        plain.partial_fit(X, y)
    assert state(model) == state(plain)


def test_a_warm_start_hands_over_the_whole_record():
    seen = []
    model = regressor(warm_start=True).fit(X, y)
    model.set_callbacks(Noting(lambda _, fitted: bool(seen.append(fitted.loss_curve_)))).fit(X, y)
    assert [len(curve) for curve in seen[:-1]] == list(range(EPOCHS + 1, 2 * EPOCHS + 1))


def test_nothing_of_an_earlier_fit_is_handed_over():
    """Gains of layer normalisation would change predictions."""
    monitor = callback.ScoringMonitor(scoring="r2")
    model = regressor(normalization="layer").fit(X, y)
    model.set_params(normalization=None).set_callbacks(monitor).fit(X, y)
    fresh = callback.ScoringMonitor(scoring="r2")
    regressor(fresh).fit(X, y)
    assert scores(monitor, "epoch") == scores(fresh, "epoch")


# The end of a fit


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("params", [FITS[k] for k in (0, 3, 5, 7, 8)], ids=str)
def test_a_callback_ends_a_fit_as_its_iterations_would(params):
    name = "iteration" if params.get("solver") == "lbfgs" else "epoch"
    stopping = Noting(at_end(3, name, lambda: True))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = regressor(stopping, **params).fit(X, y)
    assert model.n_iter_ == 3
    shorter = regressor(**params, max_iter=3).fit(X, y)
    assert joblib.hash(model.coefs_) == joblib.hash(shorter.coefs_)


@pytest.mark.usefixtures("either_way")
def test_what_a_callback_has_ended_is_what_it_was_told():
    """With a penalty that makes zeros no steps follow that it has not seen."""
    seen = []

    def then(noting, fitted):
        seen.append(fitted)
        return noting.count("end", "epoch") == 4

    model = regressor(Noting(then), l1_per_layer=0.05).fit(X, y)
    assert_array_equal(model.predict(X), seen[3].predict(X))
    assert model.objective_ == seen[3].objective_


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("is_fitted", [False, True])
def test_an_error_in_a_callback_leaves_the_estimator_as_it_was(solver, is_fitted):
    name = "iteration" if solver == "lbfgs" else "epoch"
    failing = Noting(at_end(2, name, fail))
    model = regressor(solver=solver, random_state=1)
    if is_fitted:
        model.fit(X, y)
    before = state(model)
    with pytest.raises(RuntimeError, match="a callback failed"):
        model.set_params(max_iter=5).set_callbacks(failing).fit(X, y)
    assert state(model) == before
    assert failing.notes[-1][0] == "teardown"
    assert set(vars(model)) - set(vars(regressor().fit(X, y))) == {"_skl_callbacks"}
    again = model.set_callbacks().fit(X, y)
    assert state(again) == state(regressor(solver=solver, random_state=1, max_iter=5).fit(X, y))


def test_an_error_in_a_part_fit_leaves_the_estimator_as_it_was():
    noting = Noting(at_end(1, "epoch", fail))
    for model in (RegularizedMLPClassifier(**SMALL), RegularizedMLPRegressor(**SMALL)):
        labels = {"classes": [0, 1]} if isinstance(model, RegularizedMLPClassifier) else {}
        before = vars(model).copy()
        with pytest.raises(RuntimeError, match="a callback failed"):
            model.set_callbacks(noting).partial_fit(X, LABELS, **labels)
        assert vars(model.set_callbacks()) == before
        assert noting.notes[-1][0] == "teardown"
        noting.notes.clear()


def test_an_error_at_the_end_of_a_fit_leaves_the_estimator_as_it_was():
    model = regressor(Noting(at_end(1, "fit", fail)))
    with pytest.raises(RuntimeError, match="a callback failed"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_interrupt_in_a_callback_is_one_of_the_training(solver):
    name = "iteration" if solver == "lbfgs" else "epoch"
    model = regressor(Noting(at_end(3, name, interrupt)), solver=solver)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, y)
    shorter = regressor(solver=solver, max_iter=3).fit(X, y)
    assert joblib.hash(model.coefs_) == joblib.hash(shorter.coefs_)


# What surrounds a callback


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_see_what_users_have_set(solver):
    seen = []

    def then(noting, fitted):
        seen.append((torch.is_inference_mode_enabled(), get_config()["enable_metadata_routing"]))
        seen.append(np.geterr()["divide"])

    with config_context(enable_metadata_routing=True), np.errstate(divide="raise"):
        regressor(Noting(then), solver=solver, max_iter=2).fit(X, y)
    assert set(seen) == {(False, True), "raise"}


@pytest.mark.usefixtures("either_way")
def test_callbacks_may_fit_networks():
    """One in another's callback, which changes neither."""
    inner = regressor(random_state=5)
    noting = Noting(at_end(2, "epoch", lambda: inner.fit(X, y) is None))
    assert state(regressor(noting).fit(X, y)) == state(regressor().fit(X, y))
    assert state(inner) == state(regressor(random_state=5).fit(X, y))


def test_clones_share_callbacks_and_fits_are_told_apart():
    monitor = callback.ScoringMonitor(scoring="r2")
    model = regressor(monitor)
    for k in (1, 2):
        clone(model).set_params(max_iter=k).fit(X, y)
    assert [len(log.data) for log in monitor.get_logs(select="all")] == [2, 3]


def test_nobody_is_told_where_there_is_nobody(monkeypatch):
    """No context is made and no watch is set: epochs run as many at a time as ever."""
    watches, initialise = [], Task.__init__

    def noted(task, *args, **kwargs):
        initialise(task, *args, **kwargs)
        watches.append(task.watch)

    monkeypatch.setattr(Task, "__init__", noted)
    monkeypatch.setattr(callback.CallbackContext, "_from_estimator", fail)
    regressor().fit(X, y)
    assert watches == [None]


def test_scorers_are_given_the_offset_of_the_fit():
    offset = np.cos(np.arange(len(y)))
    scoring = {"d2": lambda model, X, y, **beside: model.score(X, y, **beside)}
    monitor = callback.ScoringMonitor(scoring=scoring)
    model = regressor(monitor).fit(X, y, offset=offset)
    *_, last = [row["d2"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert last == model.score(X, y, offset=offset) != model.score(X, y)
