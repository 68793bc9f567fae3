"""SelectFromModel with its default threshold keeps what the network uses."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
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
LINEAR = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
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
