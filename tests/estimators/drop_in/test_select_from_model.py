"""SelectFromModel with its default threshold keeps what the network uses."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 8))
y = 3 * X[:, 0] + X[:, 1] - 0.4 * X[:, 2] + 0.5 * rng.normal(size=80)
LINEAR = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
TANH = RegularizedMLPRegressor(
    hidden_layer_sizes=3, activation="tanh", solver="lbfgs", alpha=2, tol=1e-2, random_state=0
)
ADAM = RegularizedMLPRegressor(hidden_layer_sizes=3, max_iter=40, alpha=1, random_state=0)


def features(network, **params):
    return clone(network).set_params(**params)


NETWORKS = {
    "lasso": features(LINEAR, l1_per_layer=0.05),
    "group": features(TANH, group_l1=0.05),
    "adam": features(ADAM, group_l1=0.05),
    "nothing is left": features(TANH, group_l1=10.0),
    "excluded": features(TANH, penalty_factor=[1, np.inf, 1, 1, 1, np.inf, 1, 1]),
    "all are excluded": features(LINEAR, penalty_factor=np.full(8, np.inf)),
    "non-negative": features(LINEAR, positive_weights=True),
    "by cross-validation": RegularizedMLPRegressorCV(LINEAR, n_strengths=5, selection="1se"),
    "relaxed": RegularizedMLPRegressorCV(TANH, n_strengths=4, adaptive=False, relaxed=True, cv=2),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_default_threshold_keeps_what_the_network_uses(network):
    selector = SelectFromModel(network).fit(X, y)
    assert_array_equal(selector.get_support(), selector.estimator_.get_support())
    assert selector.threshold_ == 1e-5
    prefit = SelectFromModel(selector.estimator_, prefit=True).fit(X)
    assert_array_equal(prefit.get_support(), selector.get_support())


def test_same_features_as_with_the_lasso():
    ours = SelectFromModel(features(LINEAR, l1_per_layer=0.2, normalize_y=False)).fit(X, y)
    theirs = SelectFromModel(Lasso(0.2, tol=1e-10)).fit(X, y)
    assert_array_equal(ours.get_support(), theirs.get_support())
    assert 0 < ours.get_support().sum() < 8


TWO = np.column_stack([y, X[:, 3] - X[:, 4] + 0.1 * y])
COUNTS = np.random.default_rng(1).poisson(np.exp(0.3 * y))
ADAM_STEPS = {"solver": "adam", "alpha": 0.1, "max_iter": 30}
IN_ANY_UNIT = {
    "lasso": (NETWORKS["lasso"], y),
    "adam, linear": (features(NETWORKS["lasso"], **ADAM_STEPS), y),
    "group": (NETWORKS["group"], y),
    "adam": (NETWORKS["adam"], y),
    "two outputs": (features(LINEAR, group_l1=0.1), TWO),
    "poisson": (features(LINEAR, loss="poisson", l1_per_layer=0.05, tol=1e-10), COUNTS),
    "non-negative": (NETWORKS["non-negative"], y),
    "linear by cross-validation": (NETWORKS["by cross-validation"], y),
    "two by cross-validation": (NETWORKS["by cross-validation"], TWO),
    "relaxed": (NETWORKS["relaxed"], y),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("network, target", IN_ANY_UNIT.values(), ids=list(IN_ANY_UNIT))
def test_same_features_in_any_unit_of_y(network, target, unit):
    plain, other = (SelectFromModel(network).fit(X, u * target) for u in (1.0, unit))
    importances = plain.estimator_.feature_importances_
    assert_array_equal(other.get_support(), plain.get_support())
    assert_array_equal(other.get_support(), other.estimator_.get_support())
    assert_allclose(other.estimator_.feature_importances_, importances, rtol=1e-6)
    assert plain.get_support().sum() > 0


def test_outputs_have_their_own_units():
    model = features(LINEAR, group_l1=0.1)
    plain, other = (clone(model).fit(X, TWO * unit) for unit in (1.0, [1e-7, 1e4]))
    assert_allclose(other.feature_importances_, plain.feature_importances_, rtol=1e-8)


@pytest.mark.parametrize("weight", [None, np.linspace(0.2, 3, 80)], ids=["", "weighted"])
@pytest.mark.parametrize("unit", [1.0, 1e-7, 1e5])
def test_importances_of_linear_models_are_standardised_coefficients(unit, weight):
    """With y as it is too, where strengths are in its unit."""
    model = features(LINEAR, normalize_y=False, l1_per_layer=0.05 * unit)
    model.fit(X, unit * y, sample_weight=weight)
    std_y, *std = (np.sqrt(np.cov(column, aweights=weight, ddof=0)) for column in (unit * y, *X.T))
    expected = np.abs(model.coefs_[0][:, 0]) * std / std_y
    assert_allclose(model.feature_importances_, expected, rtol=1e-10)
    assert 0 < model.get_support().sum() < 8


def test_importances_where_y_is_constant():
    for normalize_y in (True, False):
        model = features(LINEAR, l1_per_layer=0.05, normalize_y=normalize_y)
        model.fit(X, np.full(80, 1e-9))
        assert_array_equal(model.feature_importances_, 0)


def test_importances_go_on_with_the_scale_of_the_first_call():
    model = features(ADAM, hidden_layer_sizes=(), alpha=0.1).partial_fit(X, 1e-6 * y)
    model.partial_fit(X, np.full(80, 1e-6))
    expected = np.abs(model.coefs_[0][:, 0]) * X.std(0) / (1e-6 * y).std()
    assert_allclose(model.feature_importances_, expected, rtol=1e-8)


def test_selector_as_a_step():
    network = NETWORKS["by cross-validation"]
    pipeline = make_pipeline(StandardScaler(), SelectFromModel(network), clone(LINEAR)).fit(X, y)
    selector = pipeline[1]
    assert pipeline[-1].n_features_in_ == selector.estimator_.get_support().sum() < 8


def test_wrapped_networks_take_a_threshold():
    scaled = make_pipeline(StandardScaler(), NETWORKS["lasso"])
    search = GridSearchCV(NETWORKS["lasso"], {"l1_per_layer": [0.05, 0.1]}, cv=2)
    for wrapped, getter in ((scaled, "regularizedmlpregressor"), (search, "best_estimator_")):
        prefix = "named_steps." if wrapped is scaled else ""
        selector = SelectFromModel(
            wrapped, threshold=1e-12, importance_getter=f"{prefix}{getter}.feature_importances_"
        ).fit(X, y)
        inner = selector.estimator_
        network = inner[-1] if wrapped is scaled else inner.best_estimator_
        assert_array_equal(selector.get_support(), network.get_support())


def test_threshold_of_ones_own():
    selector = SelectFromModel(NETWORKS["lasso"], threshold="mean").fit(X, y)
    importances = selector.estimator_.feature_importances_
    assert_array_equal(selector.get_support(), importances >= importances.mean())


@pytest.mark.parametrize("network", [LINEAR, RegularizedMLPRegressorCV()])
def test_penalty_is_no_parameter(network):
    assert "penalty" not in network.get_params(deep=False)
    with pytest.raises(ValueError, match="Invalid parameter 'penalty'"):
        network.set_params(penalty="l2")
