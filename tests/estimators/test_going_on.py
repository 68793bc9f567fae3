"""Fits that go on from others: what they hand on, and what is said of what they return."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Layers", "ignore:normalization="
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5))
y = np.sin(X[:, 0]) + 0.5 * X[:, 1] + 0.2 * RNG.normal(size=120)
X_VAL = RNG.normal(size=(50, 5))
Y_VAL = np.sin(X_VAL[:, 0]) + 0.5 * X_VAL[:, 1] + 0.5 * RNG.normal(size=50)
WEIGHT, WEIGHT_VAL = RNG.uniform(0.2, 3, 120), RNG.uniform(0.2, 3, 50)


def network(**params):
    fixed = {"hidden_layer_sizes": 8, "activation": "tanh", "random_state": 0, "shuffle": False}
    return RegularizedMLPRegressor(**{"learning_rate_init": 0.01, **fixed, **params})


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "params",
    [
        {"alpha": 20.0},
        {"solver": "sgd", "batch_size": 50},
        {"positive_weights": True, "alpha": 1.0},
        {"hidden_layer_sizes": (6, 4), "normalize_y": False},
    ],
    ids=lambda params: "-".join(params),
)
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_partial_fits_are_the_epochs_of_one_fit(normalization, params, dtype):
    data = X.astype(dtype), y, WEIGHT
    params = {"normalization": normalization, **params}
    whole = network(**params, max_iter=30, tol=0, n_iter_no_change=1000).fit(*data)
    pieces = network(**params)
    for _ in range(30):
        pieces = pickle.loads(pickle.dumps(pieces.partial_fit(*data)))
    assert_array_equal(pieces.predict(data[0]), whole.predict(data[0]))
    assert pieces.objective_ == whole.objective_


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_edited_weights_are_what_partial_fit_goes_on_from(normalization):
    """In place or assigned; after a vanishing step they predict as before it."""
    model = network(normalization=normalization, solver="sgd").fit(X, y)
    for edit in (0, 1):
        if edit:
            model.coefs_[0][1] = 0.3
        else:
            model.intercepts_ = [model.intercepts_[0] + 0.1, model.intercepts_[1]]
        edited = model.predict(X)
        model._optimizer = None, None
        model.set_params(learning_rate_init=1e-15).partial_fit(X, y)
        assert_allclose(model.predict(X), edited, rtol=0, atol=1e-7)


def test_a_converged_fit_goes_nowhere():
    model = network(solver="lbfgs", alpha=5.0, tol=1e-5, max_iter=5000, warm_start=True)
    model.fit(X, 40 * y + 7)
    assert model.optimality_ < 1e-4
    objective, prediction = model.objective_, model.predict(X)
    model.fit(X, 40 * y + 7)
    assert model.n_iter_ <= 1
    assert model.objective_ == pytest.approx(objective, rel=1e-9)
    assert_allclose(model.predict(X), prediction, rtol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_a_warm_start_is_where_the_fit_before_ended(normalization, solver):
    """The objective with it, whose L2 is that of the weights before batch normalisation."""
    model = network(solver=solver, normalization=normalization, alpha=20.0, max_iter=20)
    objective = model.fit(X, 40 * y + 7).objective_
    model.set_params(warm_start=True, solver="sgd", learning_rate_init=1e-15, max_iter=1)
    assert model.fit(X, 40 * y + 7).objective_ == pytest.approx(objective, rel=1e-9)


# Learning rates


@pytest.mark.parametrize("schedule", ["constant", "adaptive", "invscaling"])
@pytest.mark.parametrize("penalty", [{"l1_per_layer": 1e-3}, {"group_l1": 1e-3}])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_partial_fit_after_a_closing_phase_steps_by_the_schedule(momentum, penalty, schedule):
    """A step of sgd from weights at rest is the rate times the gradient of least squares."""
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0, normalize_y=False, max_iter=40, tol=0
    ).set_params(learning_rate=schedule, momentum=momentum, nesterovs_momentum=False)
    model.set_params(**penalty, learning_rate_init=0.01, random_state=0, batch_size=120)
    model.fit(X, y)
    model.set_params(l1_per_layer=0, group_l1=0)
    model._optimizer[1]["velocity"][:] = 0.0
    before, bias = model.coefs_[0].copy(), model.intercepts_[0].copy()
    gradient = X.T @ (X @ before + bias - y[:, None]) / 120
    rate = 0.01 if schedule != "invscaling" else 0.01 / (model.t_ + 1) ** 0.5
    model.partial_fit(X, y)
    assert_allclose(model.coefs_[0], before - rate * gradient, rtol=0, atol=1e-12)


# Validation scores


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"l1_per_layer": 0.01},
        {"group_l1": 0.02, "alpha": 1.0},
        {"l1_per_layer": 0.01, "normalization": "layer"},
        {"l1_per_layer": 0.01, "solver": "sgd"},
        {"l1_per_layer": 0.01, "hidden_layer_sizes": ()},
        {"normalization": "batch"},
        {"l1_per_layer": 0.01, "loss": "poisson"},
    ],
    ids=lambda params: "-".join(params),
)
def test_best_validation_score_is_that_of_the_weights_returned(params, dtype):
    """Of this fit, not of the one before it, and after the deterministic steps at its end."""
    link = np.exp if params.get("loss") == "poisson" else np.array
    model = network(early_stopping=True, warm_start=True, **params)
    for target in (link(y), link(-y)):
        held_out = {"X_val": X_VAL.astype(dtype), "y_val": link(Y_VAL)}
        model.fit(X.astype(dtype), target, **held_out, sample_weight_val=WEIGHT_VAL)
        score = model.score(X_VAL.astype(dtype), link(Y_VAL), WEIGHT_VAL)
        tolerance = 1e-8 if dtype is np.float64 else 1e-6
        assert model.best_validation_score_ == pytest.approx(score, abs=tolerance)


def test_best_validation_score_without_closing_steps_is_the_largest():
    model = network(early_stopping=True).fit(X, y, X_val=X_VAL, y_val=Y_VAL)
    assert model.best_validation_score_ == max(model.validation_scores_)
