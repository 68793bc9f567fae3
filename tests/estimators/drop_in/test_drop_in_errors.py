"""Warnings and errors of a fit, beside those of MLPRegressor."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.utils._param_validation import InvalidParameterError
from support.drop_in import CLASSES, SMALL, SOLVERS, WEIGHTS, X, quiet, regressor, y

from skmlp import RegularizedMLPRegressor


@pytest.mark.parametrize(
    "params",
    [{"solver": solver} for solver in SOLVERS]
    + [{"solver": "lbfgs", "max_fun": 3, "max_iter": 99}],
    ids=str,
)
def test_warns_that_iterations_ran_out(params):
    for cls in CLASSES:
        with pytest.warns(ConvergenceWarning):
            cls(**{**SMALL, "tol": 0, **params}).fit(X, y)


def test_converged_fit_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = regressor(tol=1.0, n_iter_no_change=2, max_iter=100).fit(X, y)
    assert model.n_iter_ < 10


@quiet
@pytest.mark.parametrize("cls", CLASSES)
def test_warns_of_a_batch_larger_than_the_sample(cls):
    with pytest.warns(UserWarning, match="batch_size"):
        model = cls(**SMALL, batch_size=61).fit(X, y)
    assert_array_equal(model.predict(X), cls(**SMALL, batch_size=60).fit(X, y).predict(X))


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(RegularizedMLPRegressor(solver="lbfgs"), "partial_fit")
    assert hasattr(RegularizedMLPRegressor(solver="sgd"), "partial_fit")
    with pytest.raises(AttributeError):
        RegularizedMLPRegressor(solver="lbfgs").partial_fit  # noqa: B018


def with_nan(array):
    array = array.copy()
    array[3] = np.nan
    return array


@quiet
@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.predict(X),
        lambda model: model.score(X, y),
        lambda model: model.fit(X[:, 0], y),
        lambda model: model.fit(X[:-1], y),
        lambda model: model.fit(X, None),
        lambda model: model.fit(with_nan(X), y),
        lambda model: model.fit(X, with_nan(y)),
        lambda model: model.fit(X * np.inf, y),
        lambda model: model.fit(X + 0j, y),
        lambda model: model.fit(X[..., np.newaxis], y),
        lambda model: model.fit(X[:0], y[:0]),
        lambda model: model.fit(X[:, :0], y),
        lambda model: model.fit(X, y, WEIGHTS[:-1]),
        lambda model: model.fit(X, y, with_nan(WEIGHTS)),
        lambda model: model.fit(X, y, WEIGHTS[:, np.newaxis]),
        lambda model: model.fit(X, y).predict(X[:, :3]),
        lambda model: model.fit(X, y).predict(X[0]),
        lambda model: model.fit(X, y).predict(with_nan(X)),
        lambda model: model.fit(X, y).partial_fit(X[:, :3], y),
        lambda model: model.set_params(early_stopping=True).partial_fit(X, y),
        lambda model: model.set_params(early_stopping=True).fit(X[:2], y[:2]),
        lambda model: model.set_params(hidden_layer_sizes=(-1,)).fit(X, y),
        lambda model: model.set_params(hidden_layer_sizes=(3, 0)).fit(X, y),
    ],
)
def test_same_error_as_mlp_regressor(call):
    with pytest.raises(Exception) as expected:  # noqa: PT011
        call(MLPRegressor(**SMALL))
    with pytest.raises(type(expected.value)) as error:
        call(regressor())
    message = str(error.value).replace("RegularizedMLPRegressor", "MLPRegressor")
    assert message.startswith(str(expected.value).partition("\n")[0].rstrip("."))


INVALID = {
    "loss": "log_loss",
    "hidden_layer_sizes": -1,
    "activation": "cube",
    "solver": "newton",
    "alpha": -1.0,
    "batch_size": 0,
    "learning_rate": "cosine",
    "learning_rate_init": 0.0,
    "power_t": -1.0,
    "max_iter": 0,
    "shuffle": "no",
    "random_state": "seed",
    "tol": -1.0,
    "verbose": "loud",
    "warm_start": "no",
    "momentum": 1.5,
    "nesterovs_momentum": "no",
    "early_stopping": "no",
    "validation_fraction": 1.0,
    "beta_1": 1.0,
    "beta_2": 1.0,
    "epsilon": 0.0,
    "n_iter_no_change": 0,
    "max_fun": 0,
    "quantile": 1.0,
    "power": -1.0,
    "huber_delta": 0.0,
    "l1_per_layer": -1.0,
    "group_l1": -1.0,
    "feature_groups": "pairs",
    "penalty_factor": "adaptive",
    "lower_limits": 1.0,
    "upper_limits": -1.0,
    "positive_weights": "no",
    "monotonic_cst": "up",
    "fit_intercept": "no",
    "normalize_y": "no",
    "normalization": "group",
    "dropout": 1.0,
    "device": 3.5,
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_parameter_is_named(name):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
        regressor(**{name: INVALID[name]}).fit(X, y)


def test_every_parameter_is_checked():
    assert set(INVALID) == set(RegularizedMLPRegressor().get_params())
