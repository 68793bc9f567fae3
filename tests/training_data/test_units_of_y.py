"""Predictions change with the units of y exactly, whatever hundreds of steps make of rounding."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, batched_fits

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Layers", "ignore:normalization="
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
y = np.column_stack([np.sin(X[:, 0]) + 0.5 * X[:, 1] ** 2, X[:, 2] + X[:, 3]])
y += 0.3 * RNG.normal(size=y.shape)
COUNTS = RNG.poisson(np.exp(y / 2)).astype(float)
WEIGHT = RNG.uniform(0.2, 3, 120)
UNITS = [(3.7, 0.0), (1e-7 / 3, 0.0), (9e5, 0.0), (1.0, 100.3)]

SOLVERS = {
    "lbfgs": {"solver": "lbfgs", "max_iter": 400},
    "lbfgs, L1": {"solver": "lbfgs", "max_iter": 400, "l1_per_layer": 0.003, "activation": "relu"},
    "groups": {"solver": "lbfgs", "max_iter": 200, "group_l1": 0.01},
    "positive": {"solver": "lbfgs", "max_iter": 200, "positive_weights": True},
    "batch norm": {"solver": "lbfgs", "max_iter": 200, "normalization": "batch"},
    "adam, L1": {"l1_per_layer": 0.003, "learning_rate_init": 0.01},
    "adam, early stopping": {"early_stopping": True, "learning_rate_init": 0.01},
    "sgd, layer norm": {"solver": "sgd", "normalization": "layer", "learning_rate_init": 0.05},
    "dropout": {"dropout": 0.2, "learning_rate_init": 0.01},
}


def network(**params):
    fixed = {"hidden_layer_sizes": 8, "activation": "tanh", "alpha": 0.01, "random_state": 0}
    return RegularizedMLPRegressor(**{**fixed, **params})


def check(fit, tolerance=1e-11):
    """``fit(unit, shift)`` gives predictions in units of their own; they are all the same."""
    expected = fit(1.0, 0.0)
    for unit, shift in UNITS:
        assert_allclose(fit(unit, shift), expected, rtol=0, atol=tolerance, err_msg=str(unit))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("name", SOLVERS)
def test_fits(name, n_outputs, weight):
    target = y[:, :n_outputs].squeeze()
    check(
        lambda unit, shift: (
            (network(**SOLVERS[name]).fit(X, unit * target + shift, weight).predict(X) - shift)
            / unit
        )
    )


@pytest.mark.parametrize("unit", [3.7, 1e-7 / 3, 9e5])
@pytest.mark.parametrize("name", SOLVERS)
def test_poisson_fits_have_a_unit_and_no_shift(name, unit):
    fits = [network(loss="poisson", **SOLVERS[name]).fit(X, u * COUNTS) for u in (1.0, unit)]
    plain, other = (model.predict(X) for model in fits)
    assert_allclose(other / unit, plain, rtol=1e-10)


def test_outputs_have_their_own_units():
    unit, shift = np.array([1e-5, 700.0]), np.array([0.0, 3e3])
    plain = network(**SOLVERS["lbfgs"]).fit(X, y).predict(X)
    other = network(**SOLVERS["lbfgs"]).fit(X, y * unit + shift).predict(X)
    assert_allclose((other - shift) / unit, plain, rtol=0, atol=1e-9)


def test_single_precision():
    """The coefficients have the same bits; rounding is that of predictions alone."""
    fits = [
        network(**SOLVERS["lbfgs"]).fit(X.astype(np.float32), u * y[:, 0]) for u in (1.0, 0.37, 1e5)
    ]
    for model in fits[1:]:
        assert_array_equal(model.coefs_[0], fits[0].coefs_[0])


def test_validation_data_of_the_user():
    def scores(unit, shift):
        model = network(**SOLVERS["adam, early stopping"])
        model.fit(X[:80], unit * y[:80] + shift, X_val=X[80:], y_val=unit * y[80:] + shift)
        return model.validation_scores_

    check(scores, 1e-14)


def test_a_fit_that_goes_on():
    """From the solution for another y, too."""

    def fit(unit, shift):
        model = network(**SOLVERS["lbfgs"], warm_start=True)
        for target in (y, y + 0.1 * X[:, :2]):
            model.fit(X, unit * target + shift)
        return (model.predict(X) - shift) / unit

    check(fit)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_partial_fits(normalization):
    """On pieces of the data, with the first one's scale, and through a pickle."""

    def fit(unit, shift):
        model = network(normalization=normalization, learning_rate_init=0.01)
        for k in range(60):
            piece = slice(k % 3 * 40, (k % 3 + 1) * 40)
            model.partial_fit(X[piece], unit * y[piece] + shift)
            model = pickle.loads(pickle.dumps(model)) if k == 30 else model
        return (model.predict(X) - shift) / unit

    check(fit)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_networks_chosen_by_cross_validation(loss):
    target = (COUNTS if loss == "poisson" else y)[:, 0]
    model = RegularizedMLPRegressorCV(
        network(loss=loss, solver="lbfgs", alpha=2, tol=1e-3), n_strengths=5, cv=3
    )
    strengths, plain = model.fit(X, target).strengths_, model.predict(X)
    for unit in (3.7, 1e-7 / 3):
        assert_array_equal(model.fit(X, unit * target).strengths_, strengths)
        assert_allclose(model.predict(X) / unit, plain, rtol=1e-10)


def test_in_a_block():
    from joblib import Parallel, delayed

    with batched_fits():
        fits = Parallel()(
            delayed(network(**SOLVERS["adam, L1"]).fit)(X, unit * y[:, 0]) for unit in (1.0, 3.7)
        )
    plain, other = (model.predict(X) for model in fits)
    assert_allclose(other / 3.7, plain, rtol=0, atol=1e-11)


def test_linear_models_are_not_on_a_grid():
    """Ridge's closed form, to rounding."""
    model = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=6.0).fit(X, y)
    Z, centred = X - X.mean(0), y - y.mean(0)
    expected = np.linalg.solve(Z.T @ Z + 6.0 * np.eye(4), Z.T @ centred)
    assert_allclose(model.coefs_[0], expected, rtol=1e-12)
