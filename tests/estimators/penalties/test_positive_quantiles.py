"""Several quantiles with positive weights: in order, increasing, and the right ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmlp import RegularizedMLPRegressor, regularization_path

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
N, LEVELS = 127, (0.1, 0.5, 0.9)
X = RNG.uniform(size=(N, 3))
RISING = 2 * X[:, 0] + X[:, 1] + (1 + X[:, 0]) * RNG.normal(size=N)
FALLING = -3 * X[:, 0] - 2 * X[:, 1] - 2 * X[:, 2] + (2.5 - X.mean(1)) * RNG.normal(size=N)
ANYWHERE = np.concatenate([RNG.uniform(size=(100, 3)), 1e3 * RNG.normal(size=(100, 3))])
NETWORKS = {
    "linear": {"hidden_layer_sizes": ()},
    "one layer": {"hidden_layer_sizes": (6,)},
    "two layers": {"hidden_layer_sizes": (5, 4), "activation": "softplus"},
    "normalised": {"hidden_layer_sizes": (6,), "normalization": "batch", "batch_size": 40},
}


def bands(**params):
    given = {"solver": "lbfgs", "max_iter": 200, "random_state": 0}
    return RegularizedMLPRegressor("quantile", quantile=LEVELS, **{**given, **params})


def assert_in_order(model):
    with np.errstate(over="ignore", invalid="ignore"):
        predicted = model.predict(ANYWHERE)
    finite = predicted[np.isfinite(predicted).all(axis=1)]
    assert len(finite) >= 100
    assert (np.diff(finite, axis=1) >= 0).all()


@pytest.mark.parametrize("positive", [True, "first", "last"])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_positive_and_quantiles_in_order(name, solver, positive):
    params = {**NETWORKS[name], "solver": solver, "max_iter": 30}
    n_layers = 1 + len(params["hidden_layer_sizes"])
    flags = [positive is True] * n_layers
    flags[0] |= positive == "first"
    flags[-1] |= positive == "last"
    if solver == "lbfgs":
        params.pop("batch_size", None)
    model = bands(**params, positive_weights=flags).fit(X, RISING)
    for coef, is_positive in zip(model.coefs_, flags, strict=True):
        assert (coef >= 0).all() or not is_positive
        assert coef.any()
    assert_in_order(model)
    if all(flags):
        for feature in range(3):
            risen = X + 0.3 * np.eye(3)[feature]
            assert (model.predict(risen) >= model.predict(X) - 1e-12).all()


@pytest.mark.parametrize("weight", [None, RNG.integers(1, 4, N).astype(float)], ids=str)
def test_where_all_falls_they_are_those_of_y_alone(weight):
    """No increasing function is better than a constant: np.quantile's."""
    weight = None if weight is None else weight[:N]
    model = bands(hidden_layer_sizes=(), alpha=0.0, positive_weights=True, tol=1e-8, max_iter=3000)
    model.fit(X, FALLING, sample_weight=weight)
    assert_array_equal(model.coefs_[0], 0)
    rows = FALLING if weight is None else np.repeat(FALLING, weight.astype(int))
    expected = np.quantile(rows, LEVELS, method="inverted_cdf")
    assert_allclose(model.predict(X[:1])[0], expected, atol=1e-3)


def test_what_is_positive_anyway_is_the_free_solution():
    params = {"hidden_layer_sizes": (), "alpha": 0.1, "tol": 1e-6, "max_iter": 200}
    free, positive = (
        bands(**params, positive_weights=flag).fit(X[:, :1], RISING) for flag in (False, True)
    )
    assert (free.coefs_[0] > 0).all()
    assert positive.objective_ == pytest.approx(free.objective_, rel=1e-3)
    assert_allclose(positive.predict(X[:, :1]), free.predict(X[:, :1]), atol=0.02)


@pytest.mark.parametrize("hidden", [(), (6,)])
def test_paths_keep_signs_and_order(hidden):
    network = bands(hidden_layer_sizes=hidden, alpha=1.0, positive_weights=True, max_iter=50)
    path = regularization_path(network, X, RISING, n_strengths=4, adaptive=False, relaxed=False)
    for model in path.models:
        assert all((coef >= 0).all() for coef in model.coefs_)
        assert_in_order(model)
    assert path.n_features[0] > path.n_features[-1]
