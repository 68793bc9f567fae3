"""Stability selection as a step, and a word where nothing can be selected."""

import warnings
from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPRegressor,
    StabilitySelector,
    stability_selection,
)
from skmlp.paths.false_selections import false_bound, nothing_within

X, y = load_diabetes(return_X_y=True, as_frame=True)
LINEAR = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
SMALL = {"n_subsamples": 6, "n_strengths": 8, "max_false": 4, "random_state": 0}
Z = StandardScaler().fit_transform(X)


OF_ROWS = "halves are of rows, which a row of weight 2 is not"
APART = {f"check_sample_weight_equivalence_on_{kind}_data": OF_ROWS for kind in ("dense", "sparse")}


@parametrize_with_checks(
    [StabilitySelector(LINEAR, n_subsamples=4, n_strengths=4)],
    expected_failed_checks=lambda estimator: APART,
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_check(estimator, check):
    check(estimator)


def test_is_the_function():
    weight = np.random.default_rng(0).uniform(size=len(y))
    expected = stability_selection(LINEAR, Z, y, sample_weight=weight, **SMALL)
    selector = StabilitySelector(LINEAR, **SMALL).fit(Z, y, weight)
    assert selector.selection_ == expected
    assert 0 < expected.support.sum() < 10
    assert_array_equal(selector.get_support(), expected.support)
    assert_array_equal(selector.transform(Z), Z[:, expected.support])
    assert_array_equal(selector.inverse_transform(selector.transform(Z))[:, ~expected.support], 0)


def test_parameters_are_the_function_s():
    ours = {n: p.default for n, p in signature(StabilitySelector).parameters.items()}
    theirs = {n: p.default for n, p in signature(stability_selection).parameters.items()}
    data = {"X", "y", "sample_weight", "offset", "groups"}
    assert theirs.keys() - ours.keys() == data
    assert {n: theirs[n] for n in ours if n != "estimator"} == {
        n: default for n, default in ours.items() if n != "estimator"
    }


def test_names_in_a_pipeline():
    selector = StabilitySelector(LINEAR, **SMALL)
    steps = make_pipeline(StandardScaler(), selector, LinearRegression())
    steps.set_output(transform="pandas").fit(X, y)
    names = [*selector.selection_.selected_features]
    assert {"bmi", "s5"} <= {*names}
    assert list(steps[:-1].get_feature_names_out()) == names
    assert list(steps[:-1].transform(X).columns) == names
    assert list(steps[-1].feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names should match"):
        selector.transform(X.rename(columns={"bmi": "other"}))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    module = pytest.importorskip(library)
    table = module.DataFrame({name: X[name].to_numpy() for name in X})
    selector = StabilitySelector(LINEAR, **SMALL).set_output(transform=library).fit(table, y)
    kept = selector.transform(table)
    assert isinstance(kept, module.DataFrame)
    assert list(kept.columns) == list(X.columns[selector.get_support()])
    assert_array_equal(kept.to_numpy(), X.to_numpy()[:, selector.get_support()])


def test_classes():
    linear = RegularizedMLPClassifier((), solver="lbfgs", alpha=0)
    selector = StabilitySelector(linear, **SMALL).fit(Z, np.where(y > 150, "high", "low"))
    assert selector.get_support().any()


def test_frame_has_the_features_by_stability():
    pytest.importorskip("pandas")
    found = StabilitySelector(LINEAR, **SMALL).fit(X, y).selection_
    frame = found.to_frame().set_index("feature")
    assert_array_equal(frame.loc[X.columns, "stability"], found.stability)
    assert_array_equal(frame.loc[X.columns, "selected"], found.support)
    assert frame["stability"].is_monotonic_decreasing


def test_bad_parameters_leave_no_trace():
    with pytest.raises(InvalidParameterError, match="'threshold' parameter of StabilitySelector"):
        StabilitySelector(threshold=0.5).fit(Z, y)
    with pytest.raises(ValueError, match="at least 4 rows"):
        (selector := StabilitySelector(LINEAR)).fit(Z[:3], y[:3])
    assert not hasattr(selector, "n_features_in_")


# Nothing within the bound


class Numbers:
    """What a selection says of its bound, where halves select q features at each strength."""

    def __init__(self, q, threshold, max_false, n_candidates=10, assumption=None):
        self.n_selected, self.threshold = np.array(q, dtype=float), threshold
        self.max_false, self.n_candidates = max_false, n_candidates
        self.assumption = assumption
        self.false_bound = false_bound(self.n_selected, n_candidates, threshold, 50, assumption)


def test_a_word_where_nothing_can_be_selected():
    """The bound at a mean of 2 features is 4 / (.5 10) = .8; at .5 none can reach the threshold."""
    (words,) = nothing_within(Numbers([4, 2, 0.5, 0], 0.75, 0.4))
    assert "Nothing can be selected within max_false=0.4" in words
    assert "the bound on false ones is 0.8 or more, with 10 candidates" in words
    assert "the threshold would have to be" not in words
    assert "Give max_false=0.805 or more, or an assumption" in words
    assert not nothing_within(Numbers([4, 2, 0.5, 0], 0.75, 0.805))
    assert not nothing_within(Numbers([0.7, 0.5, 0], 0.75, 1e-3))  # nothing reaches it at all


def test_a_threshold_above_one():
    """(1 + q^2 / (max_false p)) / 2."""
    (words,) = nothing_within(Numbers([4, 2], 1.0, 0.2))
    assert "the threshold would have to be 1.5, above 1" in words
    assert "or larger strengths, at which fewer are selected" in words
    (words,) = nothing_within(Numbers([4, 2, 0.5], 1.0, 0.2))
    assert "larger strengths" not in words


@pytest.mark.parametrize("assumption", ["unimodal", "r-concave"])
def test_with_an_assumption_the_bound_is_its_own(assumption):
    numbers = Numbers([4, 2, 0], 0.75, 1e-6, assumption=assumption)
    (words,) = nothing_within(numbers)
    assert f"is {numbers.false_bound[1]:.3g} or more" in words
    assert words.endswith("or more.")
    assert not nothing_within(Numbers([4, 2], 0.75, numbers.false_bound[1], assumption=assumption))


def test_the_word_is_a_warning_and_true():
    with pytest.warns(UserWarning, match="Nothing can be selected within max_false=0.001"):
        tight = stability_selection(LINEAR, Z, y, **{**SMALL, "max_false": 1e-3})
    assert not tight.support.any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stability_selection(LINEAR, Z, y, **SMALL)
