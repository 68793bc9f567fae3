"""The solvers' steps beside those of MLPRegressor, and what differs on purpose."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.neural_network import MLPRegressor
from support.drop_in import CLASSES, SMALL, WEIGHTS, X, Y, quiet, regressor, y

from skmlp import RegularizedMLPRegressor

# Steps of the solvers from given weights

STEPS = [
    {"solver": "adam"},
    {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9},
    {"solver": "sgd", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate_init": 0.1, "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.5, "learning_rate": "invscaling"},
]


def given_weights(n_outputs):
    rng = np.random.default_rng(1)
    units = (4, 6, 5, n_outputs)
    coefs = [rng.normal(size=shape) / np.sqrt(shape[0]) for shape in pairwise(units)]
    return coefs, [rng.normal(size=size) for size in units[1:]]


def epochs(cls, target, sample_weight=None, max_iter=1, **params):
    """The model after ``max_iter`` epochs of a warm start from given weights."""
    if cls is RegularizedMLPRegressor:
        params["normalize_y"] = False
    model = cls(**{**SMALL, "shuffle": False, "max_iter": 1, "tol": 0, **params}).fit(X, target)
    model.coefs_, model.intercepts_ = given_weights(np.atleast_2d(target.T).shape[0])
    return model.set_params(warm_start=True, max_iter=max_iter).fit(X, target, sample_weight)


def assert_same_weights(model, reference, rtol=1e-6):
    for ours, theirs in zip(
        model.coefs_ + model.intercepts_, reference.coefs_ + reference.intercepts_, strict=True
    ):
        assert_allclose(ours, theirs, rtol=rtol, atol=1e-9)


@quiet
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "three outputs"])
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_full_batch_step(step, activation, sample_weight, target):
    params = {**step, "activation": activation, "alpha": 10.0}
    reference, model = (epochs(cls, target, sample_weight, **params) for cls in CLASSES)
    assert_same_weights(model, reference)
    assert np.abs(model.coefs_[0] - given_weights(1)[0][0]).min() > 1e-6


@quiet
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_many_steps_in_mini_batches(step, loss):
    params = {**step, "alpha": 0.0, "batch_size": 20, "max_iter": 5, "loss": loss}
    params["activation"] = "tanh"
    reference, model = (epochs(cls, np.abs(y), **params) for cls in CLASSES)
    assert_same_weights(model, reference)
    assert (model.t_, model.n_iter_) == (reference.t_, reference.n_iter_)


@quiet
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_keeps_the_solvers_state(solver):
    params = {"solver": solver, "learning_rate_init": 0.01}
    model = regressor(**params)
    for _ in range(5):
        model.partial_fit(X, y)
    assert_allclose(model.predict(X), regressor(**params).fit(X, y).predict(X), rtol=1e-7)
    assert len(model.loss_curve_) == 5
    assert model.t_ == 5 * 60


@quiet
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_reported_loss_is_summed_over_outputs(solver):
    reference, model = (epochs(cls, Y, solver=solver, alpha=0.0) for cls in CLASSES)
    assert_allclose(model.loss_curve_[-1], 3 * reference.loss_curve_[-1], rtol=1e-9)
    reference, model = (epochs(cls, y, WEIGHTS, solver=solver, alpha=10.0) for cls in CLASSES)
    assert_allclose(model.loss_curve_[-1], reference.loss_curve_[-1], rtol=1e-9)


# What differs on purpose


@quiet
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_alpha_is_divided_by_the_sample_not_the_batch(sample_weight):
    """With X = 0 and y = 0 the penalty alone acts on the weights: W (1 - rate alpha / S)^steps."""
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        momentum=0,
        learning_rate_init=0.5,
        alpha=7.0,
        batch_size=20,
        max_iter=1,
        warm_start=True,
    ).fit(0 * X, 0 * y, sample_weight)
    start = np.array([[1.0], [-2.0], [3.0], [-4.0]])
    model.coefs_ = [start.copy()]
    model.fit(0 * X, 0 * y, sample_weight)
    S = 60 if sample_weight is None else WEIGHTS.sum()
    assert_allclose(model.coefs_[0], start * (1 - 0.5 * 7.0 / S) ** 3, rtol=1e-9)


@quiet
def test_output_bias_starts_at_the_mean():
    params = {"learning_rate_init": 1e-12, "max_iter": 1}
    for normalize_y in (False, True):
        model = regressor(**params, normalize_y=normalize_y, hidden_layer_sizes=())
        model.fit(X * 1e-12, Y, WEIGHTS)
        expected = np.average(Y, axis=0, weights=WEIGHTS)
        assert_allclose(model.predict(np.zeros((1, 4)))[0], expected, rtol=1e-9)


@quiet
def test_tol_is_relative_to_the_loss():
    """From W = 0 sgd is linear in y, so y in other units must stop at the same epoch."""
    n_iter = []
    for scale in (1e-3, 1.0, 1e3):
        model = RegularizedMLPRegressor(
            hidden_layer_sizes=(),
            solver="sgd",
            learning_rate_init=0.01,
            shuffle=False,
            max_iter=1,
            tol=1e-3,
            normalize_y=False,
        ).fit(X, scale * y)
        model.coefs_, model.intercepts_ = [np.zeros((4, 1))], [np.zeros(1)]
        n_iter.append(model.set_params(warm_start=True, max_iter=5000).fit(X, scale * y).n_iter_)
    assert n_iter[0] == n_iter[1] == n_iter[2] < 5000


@quiet
def test_weights_move_between_the_two_classes():
    model = regressor(max_iter=20).fit(X, Y)
    reference = MLPRegressor(**SMALL).fit(X, Y)
    reference.coefs_, reference.intercepts_ = deepcopy((model.coefs_, model.intercepts_))
    assert_allclose(reference.predict(X), model.predict(X), rtol=1e-12)


def test_repr_shows_the_changed_parameters():
    model = RegularizedMLPRegressor(l1_per_layer=0.1)
    assert repr(model) == "RegularizedMLPRegressor(l1_per_layer=0.1)"
