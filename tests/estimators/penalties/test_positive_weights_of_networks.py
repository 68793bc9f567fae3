"""Networks of positive weights, and warnings of where they may fall."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.draws import begin_again
from support.penalised_networks import RNG, SOLVERS, X, network, y

from skmlp.engine.network.activations import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:normalization=", "ignore:Layers"
)


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("l1", [0.0, 0.01])
@pytest.mark.parametrize("solver", SOLVERS)
def test_positive_weights(solver, l1, normalization):
    """All weights >= 0, zeros exact; predictions increase in every feature without layer norm."""
    model = network(
        solver, positive_weights=True, l1_per_layer=l1, normalization=normalization
    ).fit(X, y)
    assert all((coef >= 0).all() for coef in model.coefs_)
    assert model.sparsity_[0] > 0
    if normalization != "layer":
        low = RNG.normal(size=(200, 6))
        high = low + RNG.uniform(size=low.shape)
        assert (model.predict(high) - model.predict(low)).min() >= -1e-12


def warnings_of_falls(**params):
    """Those that a fit with positive weights gives, and its least increment in any feature."""
    model = network("lbfgs", **{"positive_weights": True, "max_iter": 300, **params})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y - X[:, 0])
    low = RNG.normal(size=(400, 6))
    high = low + np.eye(6)[RNG.integers(6, size=400)] * RNG.uniform(size=(400, 1))
    least = (model.predict(high) - model.predict(low)).min()
    return [str(w.message) for w in caught if "need not increase" in str(w.message)], least


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_positive_weights_say_where_the_function_may_fall(normalization, activation):
    messages, least = warnings_of_falls(normalization=normalization, activation=activation)
    may_fall = activation in ("silu", "gelu") or normalization == "layer"
    assert len(messages) == may_fall
    if may_fall:
        assert (f"activation={activation!r}" in messages[0]) == (activation in ("silu", "gelu"))
        assert ("normalization='layer'" in messages[0]) == (normalization == "layer")
    else:
        assert least >= -1e-12


def test_layer_normalisation_does_fall():
    assert warnings_of_falls(normalization="layer")[1] < -0.01


@pytest.mark.parametrize(
    "params",
    [{"positive_weights": (True, True, False)}, {"hidden_layer_sizes": ()}],
    ids=["not all layers", "linear"],
)
def test_no_such_claim_no_warning(params):
    assert not warnings_of_falls(activation="silu", **params)[0]


@pytest.mark.parametrize("solver", SOLVERS)
def test_positive_weights_by_layer(solver):
    model = network(solver, positive_weights=(False, True, False)).fit(X, y)
    assert [(coef >= 0).all() for coef in model.coefs_] == [False, True, False]


def test_positive_weights_begin_standardised():
    """After no more than a vanishing step every unit's product has standard deviation one."""
    a = X * np.logspace(-2, 2, 6)
    model = network(
        "sgd", positive_weights=True, learning_rate_init=1e-18, max_iter=1, batch_size=len(y)
    ).fit(a, y)
    for coef, intercept in zip(model.coefs_, model.intercepts_, strict=True):
        z = a @ coef + intercept
        assert_allclose(z.std(0), 1, rtol=1e-9)
        assert np.abs(z.mean(0)).max() <= 1
        a = np.tanh(z)
