"""Sample weights count rows: 0 is a row left out, 2 is the row twice."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import r2_score

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
y = np.abs(np.sin(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=40))
COUNTS = RNG.integers(0, 5, size=40)
WEIGHTS = RNG.uniform(0.5, 2.0, size=40)
X_VAL, Y_VAL = RNG.normal(size=(40, 4)), np.abs(RNG.normal(size=40))
KEPT = COUNTS > 0
REPEATED = np.repeat(np.arange(40), COUNTS)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 25, "random_state": 0, "alpha": 0.5}

CONFIGURATIONS = [
    {"solver": solver, "normalization": normalization}
    for solver in ("adam", "sgd", "lbfgs")
    for normalization in (None, "batch", "layer")
] + [
    {"early_stopping": True},
    {"early_stopping": True, "solver": "sgd", "normalization": "batch"},
    {"loss": "poisson"},
    {"loss": "poisson", "solver": "lbfgs"},
    {"l1_per_layer": 0.03, "activation": "tanh"},
    {"l1_per_layer": 0.02, "solver": "lbfgs"},
    {"l1_per_layer": 0.02, "solver": "lbfgs", "hidden_layer_sizes": ()},
    {"positive_weights": True},
    {"positive_weights": True, "solver": "lbfgs"},
    {"normalize_y": False},
]
configurations = pytest.mark.parametrize("params", CONFIGURATIONS, ids=str)


def regressor(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params})


def assert_same_fit(one, other):
    """Same predictions and history, but for the order of sums."""
    assert_allclose(one.predict(X), other.predict(X), rtol=1e-6)
    assert_allclose(one.loss_, other.loss_, rtol=1e-6)
    assert_allclose(one.objective_, other.objective_, rtol=1e-6)
    for name in ("loss_curve_", "validation_scores_", "validation_loss_curve_"):
        if getattr(one, name, None) is not None:
            assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6, atol=1e-9)


@configurations
def test_zero_weight_equals_a_row_left_out(params):
    weights = np.where(KEPT, WEIGHTS, 0.0)
    wild = np.where(KEPT[:, np.newaxis], X, 50.0)
    weighted = regressor(**params).fit(wild, np.where(KEPT, y, 1e3), weights)
    assert_same_fit(weighted, regressor(**params).fit(X[KEPT], y[KEPT], weights[KEPT]))


@configurations
def test_integer_weight_equals_repeated_rows(params):
    weighted = regressor(**params).fit(X, y, COUNTS)
    assert_same_fit(weighted, regressor(**params).fit(X[REPEATED], y[REPEATED]))


@configurations
def test_unit_weights_equal_none(params):
    assert_same_fit(regressor(**params).fit(X, y, np.ones(40)), regressor(**params).fit(X, y))


@configurations
def test_weights_matter(params):
    weighted = regressor(**params).fit(X, y, 0.1 + COUNTS)
    assert not np.allclose(weighted.predict(X), regressor(**params).fit(X, y).predict(X), rtol=1e-3)


@configurations
@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_scale_of_weights_acts_through_alpha_alone(params, factor):
    expected = regressor(**params, alpha=0.0).fit(X, y, WEIGHTS)
    assert_same_fit(regressor(**params, alpha=0.0).fit(X, y, factor * WEIGHTS), expected)
    expected = regressor(**params).fit(X, y, WEIGHTS)
    scaled = regressor(**params, alpha=factor * SMALL["alpha"]).fit(X, y, factor * WEIGHTS)
    assert_same_fit(scaled, expected)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_partial_fit(solver, normalization):
    weighted, repeated = (regressor(solver=solver, normalization=normalization) for _ in range(2))
    for _ in range(3):
        weighted.partial_fit(X, y, COUNTS)
        repeated.partial_fit(X[REPEATED], y[REPEATED])
    assert_same_fit(weighted, repeated)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_validation_weights(solver):
    def fit(rows, weights):
        return regressor(solver=solver, early_stopping=True).fit(
            X, y, X_val=X_VAL[rows], y_val=Y_VAL[rows], sample_weight_val=weights
        )

    everything = np.arange(40)
    assert_same_fit(fit(everything, COUNTS), fit(REPEATED, None))
    assert_same_fit(fit(everything, KEPT.astype(float)), fit(KEPT, None))
    assert_same_fit(fit(everything, np.full(40, 3.0)), fit(everything, None))
    assert fit(everything, COUNTS).validation_scores_ != fit(everything, None).validation_scores_


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_validation_score_and_loss_are_weighted(loss):
    model = regressor(early_stopping=True, loss=loss, alpha=0.0, max_iter=1, normalize_y=False)
    model.fit(X, y, X_val=X[:9], y_val=y[:9], sample_weight_val=1.0 + COUNTS[:9])
    score = r2_score(y[:9], model.predict(X[:9]), sample_weight=1.0 + COUNTS[:9])
    assert_allclose(model.validation_scores_, [score])
    assert_allclose(model.best_validation_score_, score)
    if loss == "squared_error":
        errors = (y[:9] - model.predict(X[:9])) ** 2 / 2
        expected = np.average(errors, weights=1.0 + COUNTS[:9])
        assert_allclose(model.validation_loss_curve_, [expected])


def test_all_rows_train_when_validation_data_are_given():
    model = regressor(early_stopping=True, max_iter=2).fit(X, y, X_val=X[:9], y_val=y[:9])
    plain = regressor(max_iter=2).fit(X, y)
    assert model.t_ == plain.t_ == 80
    assert_allclose(model.loss_curve_, plain.loss_curve_, rtol=1e-9)
