"""The displays: what is drawn equals the arrays."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import (
    CVPathDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    WeightsDisplay,
    plots,
    regularization_path,
)
from skmlp.plots.path_features import _stacked

pytest.importorskip("matplotlib").use("agg")
plt = pytest.importorskip("matplotlib.pyplot")
Text = pytest.importorskip("matplotlib.text").Text

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(X)
LASSO = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def adam():
    mlp = RegularizedMLPRegressor(hidden_layer_sizes=5, max_iter=8, tol=0, random_state=0)
    return mlp.fit(X[50:], y[50:], X_val=X[:50], y_val=y[:50])


@pytest.fixture(scope="module")
def cv():
    return RegularizedMLPRegressorCV(LASSO, param="l1_per_layer", n_strengths=12).fit(X, y)


@pytest.fixture(scope="module")
def sparse():
    mlp = RegularizedMLPRegressor(
        hidden_layer_sizes=4, activation="tanh", solver="lbfgs", l1_per_layer=0.03, random_state=0
    )
    return mlp.fit(X, y)


def top_numbers(display):
    """Positions and labels of the axis of numbers of features, as drawn."""
    display.figure_.draw_without_rendering()
    axis = display.top_ax_.xaxis
    return axis.get_ticklocs(), [int(label.get_text()) for label in axis.get_ticklabels()]


def assert_apart(boxes):
    """No box meets another one."""
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[k + 1 :]) == 0


# All displays


def test_matplotlib_is_not_imported_before_it_is_needed():
    code = "import sys, skmlp, skmlp.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DISPLAYS = {
    LossCurveDisplay: "adam",
    RegularizationPathDisplay: "cv",
    CVPathDisplay: "cv",
    WeightsDisplay: "cv",
}


def test_every_display_is_tested():
    assert sorted(display.__name__ for display in DISPLAYS) == sorted(plots.__all__)


@pytest.mark.parametrize("display", DISPLAYS)
def test_without_matplotlib_the_error_names_it(display, request, monkeypatch):
    estimator = request.getfixturevalue(DISPLAYS[display])
    drawn = display.from_estimator(estimator)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=f"{display.__name__}.from_estimator requires matplotlib"):
        display.from_estimator(estimator)
    with pytest.raises(ImportError, match=f"{display.__name__}.plot requires matplotlib"):
        drawn.plot()


@pytest.mark.parametrize("display", DISPLAYS)
def test_unfitted(display):
    unfitted = RegularizedMLPRegressorCV() if DISPLAYS[display] == "cv" else LASSO
    for estimator in (unfitted, make_pipeline(StandardScaler(), unfitted)):
        with pytest.raises(NotFittedError):
            display.from_estimator(estimator)
    assert not plt.get_fignums()


@pytest.mark.parametrize("display", DISPLAYS)
def test_axes_handed_in_are_used(display, request):
    estimator = request.getfixturevalue(DISPLAYS[display])
    figure, (ax, _) = plt.subplots(1, 2)
    drawn = display.from_estimator(estimator, ax=ax)
    assert drawn.figure_ is figure
    assert getattr(drawn, "ax_", None) is ax or drawn.axes_[0] is ax
    assert plt.get_fignums() == [figure.number]
    assert drawn.plot() is drawn
    assert drawn.figure_ is not figure


@pytest.mark.parametrize("display", DISPLAYS)
def test_pipeline(display, request):
    """The last step is drawn, with the names that the steps before it give out."""
    estimator = request.getfixturevalue(DISPLAYS[display])
    pipeline = make_pipeline(StandardScaler().fit(X), estimator)
    drawn, expected = display.from_estimator(pipeline), display.from_estimator(estimator)
    names = [name for name in vars(expected) if not name.endswith("_")]
    assert len(names) >= 2
    for name in names:
        for a, b in zip(*np.atleast_1d(getattr(drawn, name), getattr(expected, name)), strict=True):
            assert_array_equal(a, b)


def test_names_come_from_the_steps_before():
    pipeline = make_pipeline(StandardScaler(), LASSO).fit(X, y)
    assert not hasattr(pipeline[-1], "feature_names_in_")
    display = WeightsDisplay.from_estimator(pipeline)
    assert_array_equal(display.feature_names, X.columns)
    assert WeightsDisplay.from_estimator(pipeline[-1]).feature_names is None


# Losses


def test_losses_are_drawn(adam):
    display = LossCurveDisplay.from_estimator(adam, training_kwargs={"lw": 3})
    training, validation = display.training_line_, display.validation_line_
    assert_array_equal(training.get_xdata(), np.arange(1, 9))
    assert_array_equal(training.get_ydata(), adam.loss_curve_)
    assert_array_equal(validation.get_xdata(), np.arange(1, 9))
    assert_array_equal(validation.get_ydata(), adam.validation_loss_curve_)
    assert training.get_linewidth() == 3
    assert training.get_color() == validation.get_color()
    assert training.get_linestyle() != validation.get_linestyle()
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Epoch", "Loss")


def test_loss_without_validation_and_of_scikit_learn():
    mlp = MLPRegressor(hidden_layer_sizes=3, solver="sgd", max_iter=3).fit(X / 10, y / 1000)
    display = LossCurveDisplay.from_estimator(mlp)
    assert display.validation_line_ is None
    assert_array_equal(display.training_line_.get_ydata(), mlp.loss_curve_)
    assert len(display.ax_.lines) == 1


@pytest.mark.parametrize(
    "losses, yscale, expected",
    [
        ([3.0, 2.0, 1.0], None, "log"),
        ([3.0, np.nan, 1.0], None, "log"),
        ([3.0, 0.0, 1.0], None, "linear"),
        ([3.0, 2.0, 1.0], "linear", "linear"),
    ],
)
def test_losses_are_on_a_log_scale_where_positive(losses, yscale, expected):
    display = LossCurveDisplay(loss_curve=losses).plot(yscale=yscale)
    assert display.ax_.get_yscale() == expected


def test_log_scale_has_plain_numbers():
    display = LossCurveDisplay(loss_curve=[3.0, 0.3, 0.03]).plot()
    display.figure_.draw_without_rendering()
    labels = {label.get_text() for label in display.ax_.get_yticklabels()}
    assert {"0.05", "0.1", "0.2", "0.5", "1", "2"} <= labels


def test_displays_of_two_estimators_share_axes(adam):
    first = LossCurveDisplay.from_estimator(adam, name="first")
    second = LossCurveDisplay.from_estimator(adam, name="other", ax=first.ax_)
    third = second.plot(first.ax_, name="third")
    labels = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert [label.split(":")[0] for label in labels] == ["first"] * 2 + ["other"] * 2 + [
        "third"
    ] * 2
    assert first.training_line_.get_color() != third.training_line_.get_color()


def test_estimator_without_loss_curve(sparse, cv):
    with pytest.raises(ValueError, match="RegularizedMLPRegressor with solver='lbfgs' has no loss"):
        LossCurveDisplay.from_estimator(sparse)
    with pytest.raises(ValueError, match="RegularizedMLPRegressorCV has no loss_curve_"):
        LossCurveDisplay.from_estimator(cv)
    assert not plt.get_fignums()


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


# Weights


def test_weights_are_drawn(sparse):
    display = WeightsDisplay.from_estimator(sparse)
    assert len(display.axes_) == len(display.colorbars_) == 2
    for coef, image, ax in zip(sparse.coefs_, display.images_, display.axes_, strict=True):
        drawn = image.get_array()
        assert_array_equal(drawn.filled(0), coef)
        assert_array_equal(np.ma.getmaskarray(drawn), coef == 0)
        assert image.get_clim() == (-np.abs(coef).max(), np.abs(coef).max())
        n_rows, n_columns = coef.shape
        assert ax.get_xlim() == (-0.5, n_columns - 0.5)
        assert ax.get_ylim() == (n_rows - 0.5, -0.5)
        assert ax.get_title().endswith(f"{np.sum(coef == 0)} of {coef.size} zero (hatched)")
    names = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    assert names == list(X.columns)


def test_zeros_are_hatched_and_small_weights_are_not():
    display = WeightsDisplay(coefs=[np.array([[0.0, 1e-9], [-1.0, 2.0]])]).plot()
    image, ax = display.images_[0], display.axes_[0]
    assert ax.patch.get_hatch()
    opacity = image.cmap(image.norm(image.get_array()))[..., 3]
    assert_array_equal(opacity, [[0, 1], [1, 1]])


def test_negative_weights_have_a_sign():
    coef = np.array([[-2.0, 1.0, 0.0], [-0.01, -0.5, 2.0]])
    display = WeightsDisplay(coefs=[coef, np.array([[-1e-3], [1.0], [-1.0]])]).plot()
    assert_array_equal(display.signs_[0].get_offsets(), [(0, 0), (1, 1)])
    assert_array_equal(display.signs_[1].get_offsets(), [(0, 2)])
    colors = display.signs_[0].get_edgecolors()[:, :3]
    assert_array_equal(colors, [[1, 1, 1], [0, 0, 0]])
    crowded = WeightsDisplay(coefs=[-np.ones((300, 300))]).plot()
    assert crowded.signs_ == [None]


def test_names_are_thinned_out_where_they_do_not_fit():
    names = [f"feature {j}" for j in range(200)]
    display = WeightsDisplay(coefs=[np.ones((200, 2))], feature_names=names).plot()
    display.figure_.draw_without_rendering()
    labels = display.axes_[0].get_yticklabels()
    assert 20 < len(labels) < 200
    for label, position in zip(labels, display.axes_[0].get_yticks(), strict=True):
        assert label.get_text() == names[position]
    assert_apart([label.get_window_extent() for label in labels])


def test_layer_of_zeros_has_a_scale():
    display = WeightsDisplay(coefs=[np.zeros((2, 2))]).plot()
    assert display.images_[0].get_clim() == (-1, 1)
    assert display.axes_[0].get_title() == "coefs_[0]\n4 of 4 zero (hatched)"


def test_axes_for_each_layer(sparse):
    _, axes = plt.subplots(2, 1)
    display = WeightsDisplay.from_estimator(sparse, ax=axes, cmap="RdBu")
    assert_array_equal(display.axes_, axes)
    assert display.images_[0].get_cmap().name == "RdBu"
    with pytest.raises(ValueError, match="one axes for each of the 2 layers, got 1"):
        WeightsDisplay.from_estimator(sparse, ax=axes[0])


def test_weights_of_the_chosen_network(cv):
    display = WeightsDisplay.from_estimator(cv)
    assert_array_equal(display.images_[0].get_array().filled(0), cv.estimator_.coefs_[0])
