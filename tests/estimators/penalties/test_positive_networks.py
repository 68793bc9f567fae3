"""What networks of non-negative weights can be: theorems, held to fitted networks."""

import numpy as np
import pytest

from skmlp import RegularizedMLPRegressor

RNG = np.random.default_rng(0)
PARAMS = {"solver": "lbfgs", "positive_weights": True, "alpha": 1e-6, "random_state": 0}
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GRID = np.stack(np.meshgrid(*2 * [np.linspace(0, 1, 11)]), -1).reshape(-1, 2)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(X, y, **params):
    return RegularizedMLPRegressor(**{**PARAMS, **params}).fit(X, y)


@pytest.mark.parametrize("normalization", [None, "batch"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "softplus", "identity"])
def test_convex_activations_make_convex_and_supermodular_functions(activation, normalization):
    X = RNG.normal(size=(150, 4))
    y = np.maximum(X[:, 0], X[:, 1]) + X[:, 2] * X[:, 3] - X[:, 2]
    sizes = {"hidden_layer_sizes": (8, 5), "max_iter": 200, "normalization": normalization}
    f = fitted(X, y, activation=activation, **sizes).predict
    a, b = RNG.normal(scale=2, size=(2, 1000, 4))
    rounding = 1e-12 * np.abs(f(np.vstack([a, b]))).max()
    assert (f(a) + f(b) - 2 * f((a + b) / 2)).min() >= -rounding
    ends = f(np.maximum(a, b)) + f(np.minimum(a, b))
    assert (ends - f(a) - f(b)).min() >= -4 * rounding


@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_the_nearest_to_a_maximum_is_a_quarter_away(activation):
    """f(0,0) + f(1,1) >= f(0,1) + f(1,0), with equality nearest to max: (1/4, 3/4, 3/4, 5/4)."""
    y = CORNERS.max(1)
    model = fitted(CORNERS, y, activation=activation, hidden_layer_sizes=(10, 10), alpha=0)
    error = model.predict(CORNERS) - y
    assert np.abs(error).max() >= 0.25 - 1e-12
    np.testing.assert_allclose(error, [0.25, -0.25, -0.25, 0.25], atol=1e-3)


def test_tanh_with_two_hidden_layers_comes_nearer_to_a_maximum():
    y = GRID.max(1)
    model = fitted(GRID, y, activation="tanh", hidden_layer_sizes=(10, 10), max_iter=1000)
    assert np.abs(model.predict(GRID) - y).max() < 0.25 / 2


def test_predictions_may_be_negative_but_those_of_counts_are_not():
    X = RNG.normal(size=(100, 2))
    y = np.exp(X[:, 0] - 2)
    far = np.full((1, 2), -50.0)
    plain = fitted(X, y, hidden_layer_sizes=())
    counts = fitted(X, y, hidden_layer_sizes=(), loss="poisson")
    assert plain.predict(far)[0] < 0 < counts.predict(far)[0]
