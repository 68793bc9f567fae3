"""Early stopping by R2 on rows whose y is constant: no epoch can be better than another."""

import warnings

import numpy as np
import pytest

from skmlp import RegularizedMLPRegressor, regularization_path

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
y = X[:, 0] + RNG.normal(size=40)
MESSAGE = r"y is constant in the validation data \(\d+ row\(s\) of positive weight\)"


def stopping(**params):
    fixed = {"hidden_layer_sizes": 3, "early_stopping": True, "random_state": 0}
    return RegularizedMLPRegressor(**{**fixed, **params})


@pytest.mark.parametrize(
    "given",
    [
        {"X_val": X[:1], "y_val": y[:1]},
        {"X_val": X[:9], "y_val": np.ones(9)},
        {"X_val": X[:9], "y_val": y[:9], "sample_weight_val": np.eye(9)[0]},
    ],
    ids=["one row", "constant", "one row of positive weight"],
)
def test_validation_data_without_spread_are_named(given):
    with pytest.warns(UserWarning, match=MESSAGE):
        model = stopping().fit(X, y, **given)
    assert model.best_validation_score_ == 0
    assert model.n_iter_ == model.n_iter_no_change + 2


def test_rows_drawn_without_spread_are_named():
    """One row of forty has another y: those drawn are rarely it."""
    rare = np.eye(40)[0]
    with pytest.warns(UserWarning, match=MESSAGE):
        stopping().fit(X, rare)
    with pytest.warns(UserWarning, match=MESSAGE):
        regularization_path(stopping(alpha=1.0, max_iter=5), X, rare, n_strengths=2, eps=0.1)


@pytest.mark.parametrize(
    "y, given",
    [
        (np.ones(40), {}),
        (y, {"X_val": X[:9], "y_val": y[:9]}),
        (np.column_stack([y, np.ones(40)]), {}),
    ],
    ids=["nothing to learn", "spread", "one output of two"],
)
def test_no_warning_where_scores_mean_something(y, given):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=MESSAGE)
        stopping(max_iter=3).fit(X, y, **given)


def test_no_warning_without_early_stopping():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=MESSAGE)
        stopping(early_stopping=False, max_iter=3).fit(X, y, X_val=X[:1], y_val=y[:1])
