"""Displays of paths and of errors by strength equal the arrays."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.displayed import X, assert_apart, y

from skmlp import (
    CVPathDisplay,
    RegularizationPathDisplay,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
)
from skmlp.plots.labelled_lines import _stacked

pytest.importorskip("matplotlib").use("agg")
plt = pytest.importorskip("matplotlib.pyplot")
Text = pytest.importorskip("matplotlib.text").Text

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


def top_numbers(display):
    """Positions and labels of the axis of numbers of features, as drawn."""
    display.figure_.draw_without_rendering()
    axis = display.top_ax_.xaxis
    return axis.get_ticklocs(), [int(label.get_text()) for label in axis.get_ticklabels()]


# Paths


def test_path_is_drawn(cv):
    path = cv.path_
    display = RegularizationPathDisplay.from_path(path)
    assert len(display.lines_) == X.shape[1]
    for j, line in enumerate(display.lines_):
        assert_array_equal(line.get_xdata(), path.strengths)
        assert_array_equal(line.get_ydata(), path.feature_norms[:, j])
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlabel() == "Strength of l1_per_layer"
    assert display.strength_line_ is display.ax_.get_legend() is None
    first, last = display.ax_.get_xlim()
    assert first < path.strengths[0] < path.strengths[-1] < last


@pytest.mark.parametrize("display", [RegularizationPathDisplay, CVPathDisplay])
def test_numbers_of_features_are_on_top(cv, display):
    drawn = display.from_estimator(cv)
    positions, numbers = top_numbers(drawn)
    shown = np.searchsorted(cv.strengths_, positions)
    assert_array_equal(cv.strengths_[shown], positions)
    assert_array_equal(cv.n_features_path_[shown], numbers)
    assert len(shown) >= 5
    assert shown[-1] == len(cv.strengths_) - 1
    labels = drawn.top_ax_.get_xticklabels()
    assert_apart([label.get_window_extent() for label in labels])
    assert len(drawn.top_ax_.get_xticks(minor=True)) == 0


def test_chosen_strength_is_marked(cv):
    display = RegularizationPathDisplay.from_estimator(cv)
    assert_array_equal(display.strength_line_.get_xdata(), cv.strength_)
    assert display.ax_.get_legend().get_texts()[0].get_text() == f"chosen: {cv.strength_:.3g}"
    marked = RegularizationPathDisplay.from_path(cv.path_, strength=0.5)
    assert_array_equal(marked.strength_line_.get_xdata(), 0.5)


@pytest.mark.parametrize("n_labels", [0, 3, 12])
def test_features_that_stay_longest_have_labels(cv, n_labels):
    display = RegularizationPathDisplay.from_path(cv.path_, n_labels=n_labels)
    n_strengths_in = (cv.path_.feature_norms > 0).sum(0)
    labelled = [label.get_text() for label in display.labels_]
    assert len(labelled) == min(n_labels, X.shape[1])
    is_labelled = np.isin(X.columns, labelled)
    if 0 < n_labels < X.shape[1]:
        assert n_strengths_in[is_labelled].min() >= n_strengths_in[~is_labelled].max()
    looks = [(line.get_color(), line.get_linestyle()) for line in display.lines_]
    assert [color == "0.75" for color, _ in looks] == list(~is_labelled)
    assert len({look for look, own in zip(looks, is_labelled, strict=True) if own}) == len(labelled)


def test_labels_point_at_their_lines_and_do_not_overlap():
    rng = np.random.default_rng(0)
    norms = np.outer([1.0, 0.5, 0], 1 + 0.01 * rng.normal(size=40))
    display = RegularizationPathDisplay(
        strengths=[0.1, 1, 10], feature_norms=norms, n_features=[40, 40, 0]
    ).plot(n_labels=40)
    display.figure_.draw_without_rendering()
    labels = display.labels_
    assert 12 < len(labels) < 40
    for label in labels:
        assert label.xy == (0.1, norms[0, int(label.get_text())])
    heights = [label.get_position()[1] for label in labels]
    assert_array_equal(np.argsort(heights), np.argsort([label.xy[1] for label in labels]))
    boxes = [Text.get_window_extent(label) for label in labels]
    assert_apart(boxes)
    frame = display.ax_.get_window_extent()
    end = display.ax_.transData.transform((0.1, 1))[0]
    assert all(frame.x0 < box.x0 < box.x1 < end for box in boxes)
    assert all(frame.y0 < box.y0 < box.y1 < frame.y1 for box in boxes)


def test_long_names_are_shortened_in_the_middle():
    display = RegularizationPathDisplay(
        strengths=[1, 10],
        feature_norms=[[1.0, 2.0], [0.0, 1.0]],
        n_features=[2, 1],
        feature_names=["neighbourhood_Staten_Island", "neighbourhood"],
    ).plot(line_kwargs={"c": "red"})
    labels = [label.get_text() for label in display.labels_]
    assert labels == ["neighbourhood", "neighbou…en_Island"]
    assert display.lines_[0].get_color() == "red"


@pytest.mark.parametrize(
    "heights, expected",
    [
        ([0.2, 0.5, 0.8], [0.2, 0.5, 0.8]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.52, 0.48, 0.5], [0.6, 0.4, 0.5]),
        ([0.0, 0.01], [0.05, 0.15]),
        ([1.0, 0.9, 1.0], [0.85, 0.75, 0.95]),
    ],
)
def test_stacked_heights(heights, expected):
    assert_allclose(_stacked(np.array(heights), 0.1), expected, atol=1e-12)


@pytest.mark.parametrize("strengths", [[0.5], [1e-15, 1e-15, 1e-15]])
def test_path_without_length(strengths):
    ones = np.ones(len(strengths))
    path = RegularizationPathDisplay(
        strengths=strengths,
        feature_norms=np.outer(ones, [0.0, 0.0]),
        n_features=np.zeros(len(ones), int),
    ).plot()
    assert path.labels_ == []
    error = CVPathDisplay(
        strengths=strengths,
        mse_mean=ones,
        mse_se=ones * np.nan,
        n_features=ones.astype(int),
        strength_min=strengths[0],
        strength_1se=strengths[0],
    ).plot()
    for display in (path, error):
        assert top_numbers(display)[0] == strengths[:1]


def test_path_of_a_network_without_names(sparse):
    mlp = RegularizedMLPRegressor(**sparse.get_params()).set_params(l1_per_layer=0, alpha=3)
    path = regularization_path(
        mlp, X.to_numpy(), y, strengths=[0.03, 0.3], adaptive=False, relaxed=False
    )
    display = RegularizationPathDisplay.from_path(path, n_labels=1)
    longest = np.lexsort((-path.feature_norms.sum(0), -path.support.sum(0)))[0]
    assert [label.get_text() for label in display.labels_] == [str(longest)]
    assert display.ax_.get_xlabel() == "Strength of group_l1"


# Errors


def test_errors_are_drawn(cv):
    display = CVPathDisplay.from_estimator(cv)
    line, _, (bars,) = display.errorbar_.lines
    assert_array_equal(line.get_xdata(), cv.strengths_)
    assert_array_equal(line.get_ydata(), cv.mse_mean_)
    ends = np.array(bars.get_segments())
    assert_allclose(ends[:, 0, 1], cv.mse_mean_ - cv.mse_se_)
    assert_allclose(ends[:, 1, 1], cv.mse_mean_ + cv.mse_se_)
    assert_array_equal(display.strength_min_line_.get_xdata(), cv.strength_min_)
    assert_array_equal(display.strength_1se_line_.get_xdata(), cv.strength_1se_)
    assert display.ax_.get_xscale() == "log"
    assert not display.ax_.xaxis_inverted()
    assert display.ax_.get_ylabel() == "Mean squared error"


def test_legend_says_strengths_and_numbers_of_features(cv):
    legend = CVPathDisplay.from_estimator(cv).ax_.get_legend()
    numbers = dict(zip(cv.strengths_, cv.n_features_path_, strict=True))
    assert [text.get_text() for text in legend.get_texts()] == [
        f"least error: {cv.strength_min_:.3g} ({numbers[cv.strength_min_]} features)",
        f"within 1 SE: {cv.strength_1se_:.3g} ({numbers[cv.strength_1se_]} features)",
    ]


def test_styles_of_errors(cv):
    display = CVPathDisplay.from_estimator(
        cv, errorbar_kwargs={"ms": 9, "ecolor": "red"}, line_kwargs={"lw": 5}
    )
    assert display.errorbar_.lines[0].get_markersize() == 9
    assert display.strength_min_line_.get_linewidth() == 5
    dashes = {
        line.get_linestyle() for line in (display.strength_min_line_, display.strength_1se_line_)
    }
    assert dashes == {"--", ":"}


def test_error_of_poisson_is_a_deviance():
    poisson = RegularizedMLPRegressor(
        "poisson", hidden_layer_sizes=(), solver="lbfgs", alpha=0, tol=1e-3
    )
    model = RegularizedMLPRegressorCV(poisson, param="l1_per_layer", n_strengths=3, cv=2).fit(X, y)
    display = CVPathDisplay.from_estimator(model)
    assert display.ax_.get_ylabel() == "Mean Poisson deviance"
