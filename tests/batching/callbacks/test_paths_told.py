"""Callbacks of estimators chosen along a path see its strengths, of the whole data and of folds."""

import warnings

import joblib
import numpy as np
import pytest
from batching.callbacks.noting import Noting, at_end, fail
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPClassifierCV,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)

callback = pytest.importorskip("sklearn.callback")
pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = X[:, 0] + np.sin(2 * X[:, 1]) + 0.1 * RNG.normal(size=60)
NETWORK = {"hidden_layer_sizes": (4,), "activation": "tanh", "solver": "lbfgs", "alpha": 1.0}
NETWORK |= {"tol": 1e-2, "random_state": 0}
CV = KFold(2)


def regressor_cv(*callbacks, **params):
    network = params.pop("estimator", RegularizedMLPRegressor(**NETWORK))
    params = {"n_strengths": 4, "cv": CV, "adaptive": False, **params}
    return RegularizedMLPRegressorCV(network, **params).set_callbacks(*callbacks)


def linear(**params):
    model = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0)
    return {"estimator": model, "param": "l1_per_layer", **params}


KINDS = [{}, {"adaptive": True}, {"relaxed": True}, {"alphas": [0.1, 1.0]}, {"l1_ratio": [0.5, 1]}]
KINDS += [linear(), linear(scoring="r2")]


@pytest.mark.parametrize("params", KINDS, ids=str)
def test_a_callback_changes_no_bit(params):
    noting = Noting()
    told = regressor_cv(noting, **params).fit(X, y)
    plain = regressor_cv(**params).fit(X, y)
    assert_array_equal(told.predict(X), plain.predict(X))
    for name, column in plain.cv_results_.items():
        assert_array_equal(told.cv_results_[name], column)
    assert sorted(noting.paths("begin")) == sorted(noting.paths("end"))
    assert noting.paths("setup") == noting.paths("teardown") == [(0,)]


def test_strengths_are_parts_of_the_paths_of_the_whole_data_and_of_folds():
    noting = Noting()
    model = regressor_cv(noting).fit(X, y)
    n_strengths = len(model.strengths_)
    names = {path: name for _, path, name in noting.notes}
    top = [(0,), (0, 0), (0, 1), (0, 2)]
    assert [names[path] for path in top] == ["fit", "initial networks", "paths", "choice"]
    parts = [names[0, 1, k] for k in range(3)]
    assert parts == ["whole data", "fold 0", "fold 1"]
    of_strengths = [path for path in noting.paths("end") if len(path) == 4]
    assert of_strengths == [(0, 1, k, s) for s in range(n_strengths) for k in range(3)]


@pytest.mark.parametrize("params", [{}, linear()], ids=["network", "linear"])
def test_records_are_those_of_the_path(params):
    """On all rows those of path_.models; of a fold those of the fold's own path on its rows."""
    monitor = callback.ScoringMonitor(scoring="r2")
    weight = RNG.uniform(0.5, 2.0, 60)
    model = regressor_cv(monitor, strengths=[0.01, 0.1], relaxed=False, **params)
    model.fit(X, y, sample_weight=weight)
    found = {row["task_id_path"]: row["r2"] for row in monitor.get_logs().data}
    expected = [network.score(X, y, weight) for network in model.path_.models]
    assert [found[0, 1, 0, k] for k in range(2)] == expected
    for fold, (rows, _) in enumerate(CV.split(X)):
        alone = regressor_cv(strengths=[0.01, 0.1], relaxed=False, **params)
        alone.fit(X[rows], y[rows], sample_weight=weight[rows])
        expected = [network.score(X[rows], y[rows], weight[rows]) for network in alone.path_.models]
        assert [found[0, 1, 1 + fold, k] for k in range(2)] == pytest.approx(expected, rel=1e-12)
    assert found[0,] == model.score(X, y, weight)


def test_records_of_a_classifier():
    labels = np.where(y > 0, "high", "low")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    network = RegularizedMLPClassifier(**NETWORK)
    model = RegularizedMLPClassifierCV(network, n_strengths=3, cv=CV, adaptive=False)
    model.set_callbacks(monitor).fit(X, labels)
    found = {row["task_id_path"]: row["accuracy"] for row in monitor.get_logs().data}
    models = model.path_.models
    expected = [network.score(X, labels) for network in models]
    assert [found[0, 1, 0, k] for k in range(len(models))] == expected


def test_a_callback_ends_the_path():
    noting = Noting(at_end(3 * 2, "strength", lambda: True))
    model = regressor_cv(noting).fit(X, y)
    whole = regressor_cv().fit(X, y)
    assert_array_equal(model.strengths_, whole.strengths_[:2])
    assert joblib.hash(model.path_.models[1].coefs_) == joblib.hash(whole.path_.models[1].coefs_)


@pytest.mark.parametrize("name", ["strength", "initial networks", "choice", "fit"])
def test_an_error_leaves_the_estimator_as_it_was(name):
    noting = Noting(at_end(1, name, fail))
    model = regressor_cv(noting)
    with pytest.raises(RuntimeError, match="a callback failed"):
        model.fit(X, y)
    assert not hasattr(model, "estimator_")
    assert not hasattr(model, "n_features_in_")
    assert noting.notes[-1][0] == "teardown"
    assert_array_equal(
        model.set_callbacks().fit(X, y).predict(X), regressor_cv().fit(X, y).predict(X)
    )


def test_a_progress_bar_has_a_line_for_each_path(capsys):
    pytest.importorskip("rich")
    regressor_cv(callback.ProgressBar()).fit(X, y)
    out = capsys.readouterr().out
    for name in ("fit", "initial networks #0", "paths #1", "whole data #0", "fold 1 #2", "choice"):
        assert f"RegularizedMLPRegressorCV - {name}" in out
    assert out.count("100%") == out.count("RegularizedMLPRegressorCV - ")


def test_a_search_over_them_hands_its_callbacks_on():
    from batching.callbacks.noting import Propagated

    noting = Propagated()
    search = GridSearchCV(regressor_cv(), {"n_strengths": [3]}, cv=2).set_callbacks(noting)
    search.fit(X, y)
    of_folds = {p[:3] for h, p, name in noting.notes if name == "strength"}
    assert of_folds == {(0, 0, 0), (0, 0, 1), (0, 1, 1)}


@pytest.mark.parametrize("run", [regularization_path, stability_selection, None])
def test_callbacks_of_a_network_that_others_train_are_not_called_and_said_so(run):
    noting = Noting()
    network = RegularizedMLPRegressor(**NETWORK).set_callbacks(noting)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if run is None:
            model = regressor_cv(estimator=network).fit(X, y).estimator_
            clone(model).fit(X, y)
        else:
            run(network, X, y, strengths=[0.1])
    said = [str(w.message) for w in caught if "callbacks" in str(w.message)]
    assert len(said) == 1
    assert "RegularizedMLPRegressorCV" in said[0]
    assert noting.notes == []
    assert network._skl_callbacks == [noting]
