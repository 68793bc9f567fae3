"""Displays of losses and weights equal the arrays, and what all displays have in common."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.displayed import LASSO, X, assert_apart, y

from skmlp import (
    CVPathDisplay,
    EffectDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    StabilitySelectionDisplay,
    StabilitySelector,
    WeightsDisplay,
    plots,
)

pytest.importorskip("matplotlib").use("agg")
plt = pytest.importorskip("matplotlib.pyplot")
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(scope="module")
def adam():
    mlp = RegularizedMLPRegressor(hidden_layer_sizes=5, max_iter=8, tol=0, random_state=0)
    return mlp.fit(X[50:], y[50:], X_val=X[:50], y_val=y[:50])


# All displays


def test_matplotlib_is_not_imported_before_it_is_needed():
    code = "import sys, skmlp, skmlp.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DISPLAYS = {
    LossCurveDisplay: "adam",
    RegularizationPathDisplay: "cv",
    CVPathDisplay: "cv",
    StabilitySelectionDisplay: "selector",
    WeightsDisplay: "cv",
    EffectDisplay: "cv",
}


def draw(display, estimator, **options):
    """The display of an estimator; effects are those of one feature on some rows."""
    rows = (X, ["bmi"]) if display is EffectDisplay else ()
    return display.from_estimator(estimator, *rows, **options)


def test_every_display_is_tested():
    assert sorted(display.__name__ for display in DISPLAYS) == sorted(plots.__all__)


@pytest.mark.parametrize("display", DISPLAYS)
def test_without_matplotlib_the_error_names_it(display, request, monkeypatch):
    estimator = request.getfixturevalue(DISPLAYS[display])
    drawn = draw(display, estimator)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=f"{display.__name__}.from_estimator requires matplotlib"):
        draw(display, estimator)
    with pytest.raises(ImportError, match=f"{display.__name__}.plot requires matplotlib"):
        drawn.plot()


@pytest.mark.parametrize("display", DISPLAYS)
def test_unfitted(display):
    others = {"cv": RegularizedMLPRegressorCV(), "selector": StabilitySelector()}
    unfitted = others.get(DISPLAYS[display], LASSO)
    for estimator in (unfitted, make_pipeline(StandardScaler(), unfitted)):
        with pytest.raises(NotFittedError):
            draw(display, estimator)
    assert not plt.get_fignums()


@pytest.mark.parametrize("display", DISPLAYS)
def test_axes_handed_in_are_used(display, request):
    estimator = request.getfixturevalue(DISPLAYS[display])
    figure, (ax, _) = plt.subplots(1, 2)
    drawn = draw(display, estimator, ax=ax)
    assert drawn.figure_ is figure
    assert getattr(drawn, "ax_", None) is ax or drawn.axes_[0] is ax
    assert plt.get_fignums() == [figure.number]
    assert drawn.plot() is drawn
    assert drawn.figure_ is not figure


@pytest.mark.parametrize("display", [d for d in DISPLAYS if d is not EffectDisplay])
def test_pipeline(display, request):
    """The last step is drawn, with the names that the steps before it give out."""
    estimator = request.getfixturevalue(DISPLAYS[display])
    pipeline = make_pipeline(StandardScaler().fit(X), estimator)
    drawn, expected = draw(display, pipeline), draw(display, estimator)
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
