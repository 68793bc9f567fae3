"""First weights: those of scikit-learn's MLP, and in the variables of the deterministic solver."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import scale
from support.engine_tasks import as_leaves, network, task_of

from skmlp import RegularizedMLPRegressor
from skmlp.engine.network.first_weights import first_weights, glorot

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:normalization="
)
RNG = np.random.default_rng(0)
X = scale(RNG.normal(size=(100, 4)))
Y = scale(np.column_stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2]]) + 0.1 * RNG.normal(size=(100, 2)))
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0] + 1))
UNITS, ORIGIN = np.array([1e6, 1.0, 1e-6, 30.0]), np.array([1e7, 1e4, 0.0, -300.0])


def draws(task):
    return first_weights(task, np.random.RandomState(task.seed))


@pytest.mark.parametrize("hidden", [(), 5, (5, 3)])
def test_standardised_data_have_the_draws_of_scikit_learn(hidden):
    task = task_of(X, Y, hidden_layer_sizes=hidden, solver="lbfgs")
    plain = glorot(task, np.random.RandomState(0))
    for ours, expected in zip(draws(task).coefs, plain.coefs, strict=True):
        assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("positive", [False, True, (True, False), (False, True)])
@pytest.mark.parametrize("normalization", [None, "layer"])
def test_deterministic_fits_start_from_one_function_in_all_units(normalization, positive):
    """Of X, column by column, and of y."""
    params = {"hidden_layer_sizes": 6, "activation": "tanh", "solver": "lbfgs"}
    params |= {"positive_weights": positive, "normalization": normalization}
    data = (X, Y), (X * UNITS + ORIGIN, 50 * Y - 7)
    plain, other = (
        network(as_leaves(draws(task_of(*own, **params))), own[0], "tanh", normalization).detach()
        for own in data
    )
    assert_allclose((other + 7) / 50, plain, rtol=0, atol=1e-7)


def test_epochs_start_from_plain_draws():
    task = task_of(X * UNITS + ORIGIN, Y, hidden_layer_sizes=6)
    plain = glorot(task, np.random.RandomState(0))
    for ours, expected in zip(draws(task).coefs, plain.coefs, strict=True):
        assert_allclose(ours, expected, rtol=0)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("hidden", [(), (6, 4)])
@pytest.mark.parametrize("positive", [False, True])
def test_deterministic_fits_follow_the_units_of_X(positive, hidden, loss):
    """A few iterations, before rounding is amplified."""
    fixed = {"hidden_layer_sizes": hidden, "activation": "softplus", "solver": "lbfgs", "alpha": 0}
    model = RegularizedMLPRegressor(loss, **fixed, max_iter=4, random_state=0)
    model.set_params(positive_weights=positive)
    plain = model.fit(X, COUNTS).predict(X)
    other = X * UNITS + ORIGIN
    assert_allclose(model.fit(other, COUNTS).predict(other), plain, rtol=1e-6)


@pytest.mark.parametrize("as_matrix", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_poisson_regression_far_from_the_origin(offset, as_matrix):
    """Where a linear predictor drawn for X as it is would overflow."""
    model = RegularizedMLPRegressor(
        "poisson", (), solver="lbfgs", alpha=0.1, tol=1e-9, max_iter=1000, random_state=0
    )
    prediction = model.fit(as_matrix(X + offset), COUNTS).predict(as_matrix(X + offset))
    mean = COUNTS.mean()
    reference = PoissonRegressor(alpha=0.1 / 100, tol=1e-10, max_iter=1000)
    expected = reference.fit(X, COUNTS / mean).predict(X) * mean
    assert_allclose(prediction, expected, rtol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("shape", [(1, 40), (4, 7)])
def test_signed_units_bend_all_over_the_data(shape, solver):
    """Deviations of one half at least, zeros within sqrt(3) of them of the mean, and signs."""
    n_features, n_units = shape
    signs = np.array([1, -1, 0, 0])[:n_features]
    rows = X[:, :n_features] * 3 + 5
    params = {"hidden_layer_sizes": (n_units, 5), "activation": "tanh", "solver": solver}
    first, *later = (weights := draws(task_of(rows, Y, monotonic_cst=signs, **params))).coefs
    output = rows @ first + weights.intercepts[0]
    std = output.std(0)
    assert std.min() >= 0.5 - 1e-9
    shift = output.mean(0) / std
    assert np.abs(shift).max() <= np.sqrt(3) + 1e-9
    assert np.ptp(shift) > 1.5
    assert ((first * signs[:, None])[signs != 0] > 0).all()
    assert all((coef > 0).all() for coef in later)
    if n_features == 4:
        assert (first[2:] > 0).any()
        assert (first[2:] < 0).any()
