"""Dates, text and weights that cannot be added up: errors say which argument holds them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
y = X[:, 0] + RNG.normal(size=30)
DATES = pd.date_range("2020", periods=30)
DURATIONS = DATES - DATES[0]


def linear():
    return RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)


FITS = {
    "fit": lambda X, y, weight: linear().fit(X, y, weight),
    "partial_fit": lambda X, y, weight: (
        linear().set_params(solver="adam").partial_fit(X, y, weight)
    ),
    "path": lambda X, y, weight: regularization_path(linear(), X, y, sample_weight=weight),
    "cv": lambda X, y, weight: RegularizedMLPRegressorCV(linear()).fit(X, y, weight),
    "stability": lambda X, y, weight: stability_selection(linear(), X, y, sample_weight=weight),
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    "weight, message",
    [
        ("a", "sample_weight: could not convert"),
        ({"a": 1}, "^sample_weight: "),
        (["a"] * 30, "sample_weight: could not convert"),
        (pd.Series(["a", "b"] * 15), "sample_weight must hold numbers"),
        (DATES, "sample_weight must hold numbers"),
        (DURATIONS, "sample_weight must hold numbers"),
        (np.zeros(30), "^Sample weights must contain at least one non-zero"),
        (np.ones(3), "sample_weight"),
        (np.full(30, 1e-320), "sample_weight holds values too small"),
        (np.full(30, 1e308), "sample_weight holds values too large"),
    ],
    ids=["text", "dict", "texts", "objects", "dates", "times", "zero", "few", "tiny", "huge"],
)
def test_weights_at_fault_are_named(fit, weight, message):
    with pytest.raises((TypeError, ValueError), match=message):
        FITS[fit](X, y, weight)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    "dates",
    [
        DATES.to_numpy()[:, None],
        np.asarray(DURATIONS)[:, None],
        pd.DataFrame({"day": DATES, "size": y}),
        pd.DataFrame({"size": y, "day": DATES.tz_localize("UTC")}),
    ],
    ids=["dates", "durations", "a column", "time zone"],
)
def test_dates_in_X_are_no_numbers_of_nanoseconds(fit, dates):
    with pytest.raises(ValueError, match=r"X must hold numbers, got values of dtype (date|time)"):
        FITS[fit](dates, y, None)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(pd.Categorical(["a", "b"] * 15)),
        np.array([1.0, "a"] * 15, dtype=object),
        np.array([10**400] * 30, dtype=object),
    ],
    ids=["categories", "text", "integers that no float64 holds"],
)
def test_objects_that_are_no_numbers_are_named(values):
    with pytest.raises(ValueError, match=r"^y must hold numbers: "):
        linear().fit(X, values)
    with pytest.raises(ValueError, match=r"^y_val must hold numbers: "):
        RegularizedMLPRegressor().fit(X, y, X_val=X, y_val=values)


def test_objects_that_are_numbers_are_numbers():
    """Booleans, integers and categories of numbers in an object array or a Series."""
    counts = np.arange(30) % 3
    expected = linear().fit(X, counts).predict(X)
    for values in (counts.astype(object), pd.Series(pd.Categorical(counts)), counts.tolist()):
        assert_array_equal(linear().fit(X, values).predict(X), expected)
