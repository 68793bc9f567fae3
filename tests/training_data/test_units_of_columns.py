"""Columns in units of their own, validation rows that nobody transformed, values by name."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
y = X[:, 0] - X[:, 1] + 0.1 * RNG.normal(size=80)
NAMES = ["age", "income", "height", "weight"]
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "random_state": 0}


def messages(X, y, fit_params=None, **params):
    small = {"hidden_layer_sizes": (3,), "max_iter": 5, "random_state": 0}
    model = RegularizedMLPRegressor(**{**small, **params})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        model.fit(X, y, **(fit_params or {}))
    return [
        str(w.message)
        for w in caught
        if "StandardScaler" in str(w.message) or "X_val" in str(w.message)
    ]


@pytest.mark.parametrize("unit", [1e6, 1e-6])
@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs", "l1_per_layer": 0.1}])
def test_a_column_in_other_units_is_named(unit, params):
    frame = pd.DataFrame(X * [1, unit, 1, 1], columns=NAMES)
    (message,) = messages(frame, y, **params)
    assert "['income']" in message
    assert "[1]" in messages(frame.to_numpy(), y, **params)[0]


@pytest.mark.parametrize(
    "data",
    [
        X,
        X[:, :1] * 1e6,
        np.c_[X, np.full(80, 1e9)],
        np.c_[1e3 * X[:, :2], np.eye(80)[:, :3]][:, 2:],
        np.c_[X, np.eye(80)[:, :3]],
        sparse.csr_array(np.c_[np.eye(80)[:, :5], RNG.poisson(3, size=(80, 2))]),
    ],
    ids=["normal", "one column", "constant", "dummies", "rare dummies", "sparse counts"],
)
def test_other_columns_raise_no_alarm(data):
    assert messages(data, y) == []


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_column_far_from_zero_is_named(solver):
    far = X + np.array([0.0, 0.0, 2000.0, 0.0])
    params = {"solver": solver, "learning_rate_init": 1e-9, "max_iter": 2}
    (message,) = messages(pd.DataFrame(far, columns=NAMES), y, **params)
    assert f"[{NAMES[2]!r}]" in message
    assert "from zero" in message
    assert messages(far - far.mean(axis=0), y, **params) == []
    assert messages(far, y, solver="lbfgs", max_iter=2) == []


def test_first_piece_of_partial_fit_names_columns():
    network = RegularizedMLPRegressor(hidden_layer_sizes=(3,), random_state=0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(3):
            network.partial_fit(X * [1.0, 1e5, 1.0, 1.0], y)
    assert [("columns [1] of X" in str(w.message)) for w in seen] == [True]


def test_a_few_rows_raise_no_alarm():
    close = np.c_[[0.5, 0.501, 0.5], X[:3]]
    assert messages(close, y[:3], max_iter=2) == []


def test_units_that_do_not_matter_raise_no_alarm():
    data = X * [1, 1e6, 1, 1]
    assert messages(data, y, **LINEAR) == []
    assert len(messages(data, y, **{**LINEAR, "l1_per_layer": 0.1})) == 1
    excluded = {"l1_per_layer": 0.1, "penalty_factor": [1, np.inf, 1, 1]}
    assert messages(data, y, **{**LINEAR, **excluded}) == []


def test_paths_and_choices_name_columns_once():
    frame = pd.DataFrame(X * [1, 1e6, 1, 1], columns=NAMES)
    linear, few = RegularizedMLPRegressor(**LINEAR), {"n_strengths": 3}
    for run in (
        RegularizedMLPRegressorCV(linear, **few).fit,
        lambda *data: regularization_path(linear, *data, **few),
        lambda *data: stability_selection(linear, *data, n_subsamples=2, **few),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            run(frame, y)
        said = [str(warning.message) for warning in caught]
        (message,) = [text for text in said if "StandardScaler" in text]
        assert "['income']" in message


RAW = X * [10, 1e3, 5, 2] + [40, 3e4, 170, 70]


@pytest.mark.parametrize("container", [np.asarray, lambda a: pd.DataFrame(a, columns=NAMES)])
def test_validation_rows_in_other_units_are_named(container):
    def of(X_val):
        given = {"X_val": container(X_val), "y_val": y[60:]}
        return messages(container(scale(RAW)[:60]), y[:60], given, early_stopping=True)

    (message,) = of(RAW[60:])
    assert "X_val" in message
    assert "transform_input" in message
    assert of(scale(RAW)[60:]) == []


def test_random_validation_rows_raise_no_alarm():
    rare = np.c_[X, np.eye(80)[:, :3]]
    assert messages(rare, y, early_stopping=True, validation_fraction=0.2) == []


# Series


def weights_of(factors, data):
    model = RegularizedMLPRegressor(**{**LINEAR, "l1_per_layer": 1e-3}, penalty_factor=factors)
    return model.fit(data, y).coefs_[0]


def test_a_series_of_factors_goes_by_name():
    frame = pd.DataFrame(X, columns=NAMES)
    by_name = pd.Series([1.0, 2.0, np.inf, 0.5], index=["weight", "height", "income", "age"])
    assert_array_equal(weights_of(by_name, frame), weights_of([0.5, np.inf, 2.0, 1.0], frame))
    assert_array_equal(weights_of(by_name[:3], frame), weights_of([1, np.inf, 2.0, 1.0], frame))
    by_position = pd.Series([0.5, np.inf, 2.0, 1.0])
    for data in (X, frame):
        assert_array_equal(weights_of(by_position, data), weights_of(by_position.tolist(), data))


@pytest.mark.parametrize(
    "index, message",
    [
        (["age", "income", "height", "wait"], "columns that X does not have: .'wait'."),
        (["age", "age", "height", "weight"], "name twice"),
        ([4, 5, 6, 7], "columns that X does not have"),
    ],
)
def test_a_series_of_other_names_is_an_error(index, message):
    with pytest.raises(ValueError, match=message):
        weights_of(pd.Series(1.0, index=index), pd.DataFrame(X, columns=NAMES))
    with pytest.raises(ValueError, match="name"):
        weights_of(pd.Series(1.0, index=index), X)


def test_factors_that_are_no_numbers_are_named():
    frame = pd.DataFrame(X, columns=NAMES)
    for factors in (["a"] * 4, {"age": "x"}):
        with pytest.raises(ValueError, match="penalty_factor must hold numbers"):
            weights_of(factors, frame)
    with pytest.raises(ValueError, match=r"penalty_factor has shape .4, 1."):
        weights_of(pd.DataFrame({"factor": [1.0, 1.0, 1.0, 2.0]}, index=NAMES), frame)


# Sparse y


def test_sparse_y_is_dense_y():
    two = sparse.csr_array(np.c_[y, -y])
    MLPRegressor(hidden_layer_sizes=(2,), max_iter=2).fit(X, two)  # fits it, too
    network = RegularizedMLPRegressor(
        hidden_layer_sizes=(3,), solver="lbfgs", alpha=1.0, max_iter=20, random_state=0
    )
    expected = network.fit(X, two.toarray()).predict(X)
    assert_array_equal(network.fit(X, two).predict(X), expected)
    network.set_params(solver="adam").fit(X, two, X_val=X, y_val=two)
    assert len(network.validation_loss_curve_) == network.n_iter_
    linear = RegularizedMLPRegressor(**LINEAR)
    search = RegularizedMLPRegressorCV(linear, cv=KFold())
    chosen = [search.fit(X, t).strength_ for t in (two, two.toarray())]
    assert chosen[0] == chosen[1]
    assert regularization_path(linear, X, two, n_strengths=3).models[0].n_outputs_ == 2
    found = stability_selection(linear, X, two, n_subsamples=4, random_state=0)
    assert found.frequency.shape[1] == 4
