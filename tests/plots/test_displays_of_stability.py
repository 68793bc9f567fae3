"""What is drawn of a stability selection are its numbers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.displayed import LASSO, X, assert_apart, y

from skmlp import StabilitySelectionDisplay, StabilitySelector, stability_selection

pytest.importorskip("matplotlib").use("agg")
Text = pytest.importorskip("matplotlib.text").Text


def drawn(selector, **kwargs):
    return StabilitySelectionDisplay.from_selection(selector.selection_, **kwargs)


def test_frequencies_are_drawn(selector):
    found, display = selector.selection_, drawn(selector, line_kwargs={"lw": 3})
    assert 2 <= found.support.sum() < 10
    for j, line in enumerate(display.lines_):
        assert_array_equal(line.get_xdata(), found.strengths)
        assert_array_equal(line.get_ydata(), found.frequency[:, j])
        assert (line.get_linewidth() == 3) == found.support[j]
    assert_array_equal(display.threshold_line_.get_ydata(), [0.75, 0.75])
    assert display.ax_.get_xlabel() == "Strength of group_l1"
    assert display.ax_.get_ylim()[0] < 0


def test_stable_features_have_their_names(selector):
    display = drawn(selector)
    labels = [label.get_text() for label in display.labels_]
    assert sorted(labels) == sorted(selector.selection_.selected_features)
    display.figure_.draw_without_rendering()
    assert_apart([Text.get_window_extent(label) for label in display.labels_])
    assert len(drawn(selector, n_labels=1).labels_) == 1


def test_strengths_that_count_are_shaded(selector):
    found, display = selector.selection_, drawn(selector)
    left, right = display.region_.get_x(), display.region_.get_x() + display.region_.get_width()
    assert left == found.strengths[found.start]
    assert right == pytest.approx(display.ax_.get_xlim()[1])
    (one, other) = display.ax_.get_legend().get_texts()
    assert one.get_text() == "threshold: 0.75"
    assert other.get_text() == "at most 2.5 false on average"


def test_numbers_at_the_top_are_means(selector):
    found, display = selector.selection_, drawn(selector)
    numbers = [int(label.get_text()) for label in display.top_ax_.get_xticklabels()]
    shown = np.isin(found.strengths, display.top_ax_.get_xticks())
    assert_array_equal(numbers, np.rint(found.frequency.sum(1))[shown])


@pytest.mark.filterwarnings("ignore:Nothing can be selected")
def test_where_nothing_is_within_the_bound():
    found = stability_selection(LASSO, X, y, n_subsamples=10, max_false=1e-3, random_state=0)
    display = StabilitySelectionDisplay.from_selection(found)
    assert found.start is None
    assert display.region_ is None
    assert not display.labels_
    assert len(display.ax_.get_legend().get_texts()) == 1


def test_names_come_from_the_steps_before(selector):
    steps = make_pipeline(StandardScaler(), StabilitySelector(LASSO, n_subsamples=4)).fit(X, y)
    assert steps[-1].selection_.feature_names is None
    display = StabilitySelectionDisplay.from_estimator(steps)
    assert_array_equal(display.feature_names, X.columns)


def test_what_is_drawn_is_a_selection(selector):
    with pytest.raises(TypeError, match="selection_ of a fitted StabilitySelector; got Stab"):
        StabilitySelectionDisplay.from_selection(selector)
    with pytest.raises(TypeError, match="takes a StabilitySelector, alone or inside"):
        StabilitySelectionDisplay.from_estimator(clone(LASSO).fit(X, y))
