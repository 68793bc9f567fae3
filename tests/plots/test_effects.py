"""Effects are scikit-learn's partial dependence, bands those of folds, words the certificate's."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE
from sklearn.inspection import partial_dependence
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skmlp import (
    EffectDisplay,
    RegularizedMLPClassifier,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    check_monotonic,
)

pytest.importorskip("matplotlib").use("agg")
plt = pytest.importorskip("matplotlib.pyplot")
pytestmark = pytest.mark.filterwarnings("ignore")

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X, y = X.iloc[:100, [0, 1, 2, 3, 8]], y[:100]
FEATURES = ["bmi", "sex", "s5"]
NETWORK = RegularizedMLPRegressor(
    hidden_layer_sizes=4, activation="tanh", solver="lbfgs", max_iter=30, random_state=0
)
MONOTONE = clone(NETWORK).set_params(monotonic_cst=[0, -1, 1, 0, 0])


effects = partial(EffectDisplay.from_estimator, grid_resolution=8)


def scaled(model):
    return make_pipeline(StandardScaler(), clone(model)).fit(X, y)


@pytest.fixture(scope="module")
def chosen():
    return scaled(RegularizedMLPRegressorCV(MONOTONE, n_strengths=3, cv=3, keep_folds=True))


def test_lines_are_partial_dependence(chosen):
    display = effects(chosen, X, FEATURES)
    for name, line in zip(FEATURES, display.lines_, strict=True):
        expected = partial_dependence(chosen, X, [name], kind="average", grid_resolution=8)
        assert_array_equal(line.get_xdata(), expected["grid_values"][0])
        assert_array_equal(line.get_ydata(), expected["average"][0])


def test_effects_of_a_linear_model_are_its_slopes():
    linear = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0).fit(X, y)
    display = effects(linear, X)
    assert {*display.feature_names} == {*X.columns}
    for name, grid, effect in zip(
        display.feature_names, display.grids, display.effects, strict=True
    ):
        slope = linear.coefs_[0][X.columns.get_loc(name), 0]
        line = linear.predict(X).mean() + slope * (grid - X[name].mean())
        assert_allclose(effect, line, rtol=1e-9)


def test_bands_are_the_range_of_the_networks_of_the_folds(chosen):
    display = effects(chosen, X, FEATURES)
    networks = chosen[-1].fold_networks_.networks
    for k, name in enumerate(FEATURES):
        curves = [
            partial_dependence(
                Pipeline([("scaler", chosen[0]), ("network", network)]),
                X,
                [name],
                kind="average",
                grid_resolution=8,
            )["average"][0]
            for network in networks
        ]
        assert_allclose(display.fold_effects[k], curves, rtol=1e-12)
        corners = display.bands_[k].get_paths()[0].vertices
        assert corners[:, 1].min() == pytest.approx(np.min(curves))
        assert corners[:, 1].max() == pytest.approx(np.max(curves))
    assert display.axes_[0].get_legend().get_texts()[0].get_text() == "range of 3 folds"


def test_bands_are_in_the_units_of_a_target_that_is_transformed(chosen):
    whole = TransformedTargetRegressor(chosen, transformer=StandardScaler()).fit(X, y)
    before = deepcopy(whole.regressor_[-1].estimator_.coefs_)
    display = effects(whole, X, ["bmi"])
    middle = display.fold_effects[0].mean(0)
    assert_allclose(middle, display.effects[0], rtol=0.2)
    for a, b in zip(before, whole.regressor_[-1].estimator_.coefs_, strict=True):
        assert_array_equal(a, b)


def test_without_networks_of_folds_there_is_no_band():
    display = effects(scaled(NETWORK), X, ["bmi"])
    assert (display.fold_effects, display.bands_) == (None, [None])
    assert display.axes_[0].get_legend() is None


# Words


@pytest.mark.parametrize("as_frame", [True, False])
@pytest.mark.parametrize("wrap", [clone, lambda model: GridSearchCV(model, {}, cv=2)])
def test_words_are_the_certificate_s(as_frame, wrap):
    rows = X if as_frame else X.to_numpy()
    model = wrap(make_pipeline(StandardScaler(), clone(MONOTONE))).fit(rows, y)
    display = effects(model, rows, [2, 1, 0])
    assert display.words == ["increasing", "decreasing", "free"]
    assert display.words == [check_monotonic(model)[j].direction for j in (2, 1, 0)]
    names = ["bmi", "sex", "age"] if as_frame else ["2", "1", "0"]
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == [f"{n}: {word}" for n, word in zip(names, display.words, strict=True)]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PCA(), MONOTONE),
        make_pipeline(StandardScaler(), PCA().set_output(transform="pandas"), MONOTONE),
        GridSearchCV(make_pipeline(PCA(), MONOTONE), {}, cv=2),
        RFE(NETWORK, n_features_to_select=3, importance_getter="feature_importances_"),
        RandomForestRegressor(2, random_state=0),
    ],
    ids=["components", "named components", "search", "selection", "trees"],
)
def test_nothing_is_said_of_columns_that_no_network_sees(model):
    display = effects(clone(model).fit(X.to_numpy(), y), X.to_numpy(), [2])
    assert display.words is None
    assert display.axes_[0].get_title() == "2"


# What is shown


def test_the_features_used_most_are_shown():
    rng = np.random.default_rng(0)
    rows = scale(rng.normal(size=(80, 12)))
    sizes = np.array([0, 3, 1, 0, 5, 2, 4, 8, 6, 7, 9, 10])
    linear = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    linear.fit(rows, rows @ sizes)
    display = effects(linear, rows)
    assert display.feature_names == ["11", "10", "7", "9", "8", "4", "6", "1", "5"]
    theirs = MLPRegressor(hidden_layer_sizes=3, max_iter=2).fit(X, y)
    assert effects(theirs, X).feature_names == [*X.columns]


def test_whole_numbers_are_taken_as_numbers(chosen):
    whole = X.astype({"age": int, "sex": int})
    drawn = effects(chosen, whole, ["age", "sex"])
    expected = effects(chosen, X, ["age", "sex"])
    for a, b in zip(drawn.effects, expected.effects, strict=True):
        assert_allclose(a, b, rtol=1e-12)
    assert_array_equal(drawn.axes_[1].get_xticks(), [1, 2])
    whole_grid = EffectDisplay.from_estimator(scaled(NETWORK), X, ["age", "sex"]).grids
    assert [len(grid) for grid in whole_grid] == [len({*X["age"]}), 2]


def test_outputs_and_classes_have_targets():
    labels = np.digitize(y, [100, 180])
    three = RegularizedMLPClassifier(3, solver="lbfgs", max_iter=20, random_state=0).fit(X, labels)
    display = effects(three, X, ["bmi"], target=2)
    expected = partial_dependence(three, X, ["bmi"], kind="average", grid_resolution=8)
    assert_array_equal(display.effects[0], expected["average"][2])
    two = RegularizedMLPRegressor(3, solver="lbfgs", max_iter=20, random_state=0)
    two.set_params(loss="quantile", quantile=[0.1, 0.9]).fit(X, y)
    low, high = (effects(two, X, ["bmi"], target=k) for k in (0, 1))
    assert (low.effects[0] < high.effects[0]).all()
    message = r"target must be one of the classes \[.*0.*1.*2.*\], got None"
    with pytest.raises(ValueError, match=message):
        effects(three, X, ["bmi"])
    for target in (None, 2, "low"):
        with pytest.raises(
            ValueError, match=f"target must be an output from 0 to 1, got {target!r}"
        ):
            effects(two, X, ["bmi"], target=target)


def test_axes_are_one_for_each_feature(chosen):
    _, axes = plt.subplots(2, 2)
    display = effects(chosen, X, ["bmi"], ax=axes[0, 1])
    assert [*display.axes_] == [axes[0, 1]]
    with pytest.raises(ValueError, match="one axes for each of the 3 features, got 4"):
        effects(chosen, X, FEATURES, ax=axes)
    new = display.plot(line_kwargs={"c": "green", "lw": 3})
    assert (new.lines_[0].get_color(), new.lines_[0].get_linewidth()) == ("green", 3)


def test_what_is_not_fitted_is_refused(chosen):
    for model in (NETWORK, make_pipeline(StandardScaler(), NETWORK)):
        with pytest.raises(NotFittedError):
            effects(clone(model), X)
    with pytest.raises(ValueError, match="height"):
        effects(chosen, X, ["height"])
