"""Fits that fail, values that are no numbers, impossible parameters: each ends in a clear error."""

import re

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from support.hostile_input import SOLVERS, WEIGHTS, X, public_state, regressor, y

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:overflow:RuntimeWarning"
)


# Fits that fail


def with_value(array, value):
    array = array.copy()
    array[3] = value
    return array


def diverging(model):
    """sgd on a network with the activation 'identity', which predictions need as well."""
    return model.set_params(solver="sgd", learning_rate_init=1e6, max_iter=200).fit(X, y)


FAILURES = {
    "negative weights": lambda model: model.fit(X[:, :2], y, with_value(WEIGHTS, -1.0)),
    "zero weights": lambda model: model.fit(X[:, :2], y, 0 * WEIGHTS),
    "NaN weight": lambda model: model.fit(X[:, :2], y, with_value(WEIGHTS, np.nan)),
    "too few weights": lambda model: model.fit(X[:, :2], y, WEIGHTS[:-1]),
    "NaN in X": lambda model: model.fit(with_value(X, np.nan)[:, :2], y),
    "infinity in y": lambda model: model.fit(X[:, :2], with_value(y, np.inf)),
    "too few rows": lambda model: model.fit(X[:-1, :2], y),
    "names, then negative weights": lambda model: model.fit(
        pd.DataFrame(X[:, :2], columns=["a", "b"]), y, -WEIGHTS
    ),
    "too many penalties": lambda model: model.set_params(l1_per_layer=(1, 1, 1)).fit(X[:, :2], y),
    "penalty factors": lambda model: model.set_params(penalty_factor=(1, 1)).fit(X[:, :3], y),
    "nested sizes": lambda model: model.set_params(hidden_layer_sizes=((5,),)).fit(X[:, :2], y),
    "validation X alone": lambda model: model.fit(X[:, :2], y, X_val=X[:, :2]),
    "validation features": lambda model: model.fit(X[:, :2], y, X_val=X, y_val=y),
    "validation rows": lambda model: model.fit(X[:, :2], y, X_val=X[:5, :2], y_val=y),
    "tiny validation set": lambda model: model.set_params(early_stopping=True).fit(X[:3], y[:3]),
    "divergence": diverging,
}


# Values that are no numbers


@pytest.mark.parametrize(
    "values, message",
    [
        ([None] * 12, "Input {name} contains NaN"),
        ([1.0, np.nan] * 6, "Input {name} contains NaN"),
        (pd.date_range("2020", periods=12), "{name} must hold numbers"),
    ],
    ids=["None", "NaN", "dates"],
)
def test_y_that_is_no_number_is_named(values, message):
    with pytest.raises(ValueError, match=message.format(name="y")):
        regressor().fit(X[:12], values)
    with pytest.raises(ValueError, match=message.format(name="y_val")):
        regressor().fit(X[:12], y[:12], X_val=X[:12], y_val=values)


@pytest.mark.parametrize(
    "given, argument",
    [
        ({"X_val": with_value(X[:12], np.nan), "y_val": y[:12]}, "X_val"),
        ({"X_val": X[:12, :2], "y_val": y[:12]}, "X_val"),
        ({"X_val": X[:12], "y_val": y[:10]}, "X_val and y_val"),
        ({"X_val": X[:12], "y_val": y[:12], "sample_weight_val": np.ones(9)}, "sample_weight_val"),
        (
            {"X_val": X[:12], "y_val": y[:12], "sample_weight_val": np.zeros(12)},
            "sample_weight_val",
        ),
    ],
    ids=["NaN", "features", "rows", "short weights", "zero weights"],
)
def test_validation_data_at_fault_are_named(given, argument):
    with pytest.raises(ValueError, match=f"^{argument}(:| must)"):
        regressor().fit(X, y, **given)


@pytest.mark.parametrize("name", FAILURES)
def test_failed_fit_leaves_the_model_unfitted(name):
    model = regressor(activation="identity")
    with pytest.raises(ValueError):  # noqa: PT011
        FAILURES[name](model)
    assert not public_state(model)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("name", FAILURES)
def test_failed_refit_leaves_the_old_model(name, warm_start):
    model = regressor(warm_start=warm_start, activation="identity").fit(X, y)
    state, predictions = joblib.hash(public_state(model)), model.predict(X)
    with pytest.raises(ValueError):  # noqa: PT011
        FAILURES[name](model)
    assert model.n_features_in_ == 4
    assert joblib.hash(public_state(model)) == state
    assert_array_equal(model.predict(X), predictions)


@pytest.mark.parametrize(
    "data",
    [
        (X[:, :2], y),
        (with_value(X, np.nan), y),
        (X, y[:-1]),
        (X, y, -WEIGHTS),
        (X, y, 0 * WEIGHTS),
        (X, np.column_stack([y, y])),
    ],
)
def test_failed_partial_fit_leaves_the_old_model(data):
    model, twin = (regressor().partial_fit(X, y) for _ in range(2))
    state = joblib.hash(public_state(model))
    with pytest.raises(ValueError):  # noqa: PT011
        model.partial_fit(*data)
    assert joblib.hash(public_state(model)) == state
    assert_array_equal(model.partial_fit(X, y).predict(X), twin.partial_fit(X, y).predict(X))


def test_divergence_says_what_to_try():
    with pytest.raises(ValueError, match="learning_rate_init") as error:
        diverging(regressor(activation="identity"))
    assert re.search(r"[Ss]cal\w* .*\bX\b|\bX\b.* scal", str(error.value))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "weights, word", [(with_value(WEIGHTS, -1.0), "egative"), (0 * WEIGHTS, "zero|positive")]
)
def test_impossible_sample_weights(weights, word, solver):
    with pytest.raises(ValueError, match=word) as error:
        regressor(solver=solver).fit(X, y, weights)
    assert "weight" in str(error.value)


# Hyperparameters


@pytest.mark.parametrize(
    "name, value, lengths",
    [
        ("l1_per_layer", (0.1, 0.1, 0.1), "32"),
        ("alpha", (0.1,), "12"),
        ("positive_weights", (True, False, True, False), "42"),
        ("dropout", (0.1, 0.1, 0.1), "31"),
        ("penalty_factor", (1.0, 1.0, 1.0, 0.0, 2.0, 0.0, 1.0), "74"),
        ("lower_limits", (0.0, 0.0, 0.0), "34"),
        ("upper_limits", (0.0, 0.0, 0.0, 0.0, 0.0), "54"),
    ],
)
def test_wrong_length_names_both_lengths(name, value, lengths):
    with pytest.raises(ValueError, match=name) as error:
        regressor(**{name: value}).fit(X, y)
    assert set(lengths) <= set(re.findall(r"\d+", str(error.value)))


@pytest.mark.parametrize(
    "name, value",
    [
        ("hidden_layer_sizes", ((5,), (3,))),
        ("hidden_layer_sizes", (np.nan,)),
        ("hidden_layer_sizes", ((5,), (3, 2))),
        ("hidden_layer_sizes", ("five",)),
        ("hidden_layer_sizes", (2.5,)),
        ("hidden_layer_sizes", (None,)),
        ("hidden_layer_sizes", (0,)),
        ("l1_per_layer", (0.1, -0.1)),
        ("l1_per_layer", np.nan),
        ("l1_per_layer", (0.1, np.inf)),
        ("l1_per_layer", ("a", "b")),
        ("l1_per_layer", ((0.1,), (0.1,))),
        ("alpha", (0.1, np.nan)),
        ("alpha", (0.1, -1.0)),
        ("alpha", np.inf),
        ("positive_weights", ("yes", "no")),
        ("dropout", (1.0,)),
        ("dropout", (-0.1,)),
        ("penalty_factor", (1.0, 1.0, 1.0, -1.0)),
        ("penalty_factor", (1.0, 1.0, 1.0, np.nan)),
        ("penalty_factor", {"a": 2.0}),
        ("lower_limits", (0.0, 0.0, 0.0, 1.0)),
        ("lower_limits", (0.0, np.nan, 0.0, 0.0)),
        ("lower_limits", {"a": -2.0}),
        ("lower_limits", ("a", "b", "c", "d")),
        ("lower_limits", -1.0),
        ("upper_limits", (0.0, 0.0, 0.0, -1.0)),
        ("upper_limits", (0.0, 0.0, 0.0, 2.0)),
        ("learning_rate_init", np.nan),
        ("tol", np.nan),
    ],
)
def test_impossible_value_names_its_parameter(name, value):
    model = regressor(**{name: value})
    with pytest.raises(ValueError, match=name):
        model.fit(X, y)
    assert not public_state(model)


@pytest.mark.parametrize("container", [tuple, list, np.array])
def test_values_by_layer_in_any_container(container):
    scalars = {"alpha": 0.2, "l1_per_layer": 0.01, "positive_weights": True, "dropout": 0.1}
    lengths = {"alpha": 2, "l1_per_layer": 2, "positive_weights": 2, "dropout": 1}
    by_layer = {name: container([value] * lengths[name]) for name, value in scalars.items()}
    model = regressor(**by_layer, hidden_layer_sizes=container([5])).fit(X, y)
    assert_array_equal(model.predict(X), regressor(**scalars).fit(X, y).predict(X))
