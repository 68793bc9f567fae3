"""Displays of estimators that hold a fitted network somewhere inside."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import BaggingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LassoCV, LinearRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmlp import (
    BatchedGridSearchCV,
    CVPathDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    WeightsDisplay,
)

pytest.importorskip("matplotlib").use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore")

X, y = load_diabetes(return_X_y=True, as_frame=True)
X, y = X.iloc[:90], y[:90]
ADAM = RegularizedMLPRegressor(hidden_layer_sizes=3, max_iter=4, random_state=0)
CV = RegularizedMLPRegressorCV(
    RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0),
    n_strengths=3,
)


def scaled(model):
    return make_pipeline(StandardScaler(), clone(model))


WRAPPERS = {
    "search": lambda m: GridSearchCV(m, {}, cv=2),
    "search of pipelines": lambda m: GridSearchCV(scaled(m), {}, cv=2),
    "pipeline of a search": lambda m: scaled(GridSearchCV(m, {}, cv=2)),
    "random search": lambda m: RandomizedSearchCV(m, {}, n_iter=1, cv=2),
    "batched search": lambda m: BatchedGridSearchCV(m, {}, cv=2),
    "transformed target": TransformedTargetRegressor,
    "target of a pipeline": lambda m: TransformedTargetRegressor(scaled(m)),
    "search of targets": lambda m: GridSearchCV(TransformedTargetRegressor(scaled(m)), {}, cv=2),
    "pipelines": lambda m: scaled(scaled(m)),
    "selector": SelectFromModel,
    "frozen": lambda m: FrozenEstimator(scaled(m).fit(X, y)),
}


def innermost(model):
    """The network of a fitted wrapper, found by its class."""
    while not isinstance(model, (RegularizedMLPRegressor, RegularizedMLPRegressorCV)):
        for name in ("best_estimator_", "regressor_", "estimator_", "estimator"):
            if hasattr(model, name):
                model = getattr(model, name)
                break
        else:
            model = model[-1]
    return model


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
def test_network_inside_is_drawn(wrap):
    fitted = wrap(CV).fit(X, y)
    model = innermost(fitted)
    assert_array_equal(CVPathDisplay.from_estimator(fitted).mse_mean, model.mse_mean_)
    path = RegularizationPathDisplay.from_estimator(fitted)
    assert_array_equal(path.feature_norms, model.path_.feature_norms)
    assert_array_equal(path.feature_names, X.columns)
    weights = WeightsDisplay.from_estimator(fitted)
    assert_array_equal(weights.coefs[0], model.coefs_[0])
    assert_array_equal(weights.feature_names, X.columns)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
def test_losses_of_the_network_inside(wrap):
    fitted = wrap(ADAM).fit(X, y)
    drawn = LossCurveDisplay.from_estimator(fitted)
    assert_array_equal(drawn.training_line_.get_ydata(), innermost(fitted).loss_curve_)


@pytest.mark.parametrize("network", [MLPRegressor(max_iter=3), ADAM])
def test_search_of_either_network(network):
    search = GridSearchCV(scaled(network), {}, cv=2).fit(X, y)
    assert_array_equal(
        LossCurveDisplay.from_estimator(search).loss_curve, search.best_estimator_[-1].loss_curve_
    )
    assert_array_equal(WeightsDisplay.from_estimator(search).feature_names, X.columns)


def test_names_follow_steps_that_drop_and_order_columns():
    columns = ColumnTransformer(
        [("kept", "passthrough", ["s5", "bmi", "bp"])], verbose_feature_names_out=False
    )
    fitted = make_pipeline(columns, scaled(CV)).fit(X, y)
    drawn = RegularizationPathDisplay.from_estimator(fitted)
    assert_array_equal(drawn.feature_names, ["s5", "bmi", "bp"])


def test_names_that_nobody_knows():
    nameless = make_pipeline(FunctionTransformer(np.asarray), scaled(CV)).fit(X, y)
    assert WeightsDisplay.from_estimator(nameless).feature_names is None
    dropped = RFE(
        ADAM, n_features_to_select=4, importance_getter="feature_importances_", step=6
    ).fit(X, y)
    drawn = WeightsDisplay.from_estimator(dropped)
    assert drawn.feature_names is None
    assert len(drawn.coefs[0]) == 4


KINDS = {
    CVPathDisplay: "a RegularizedMLPRegressorCV, ",
    RegularizationPathDisplay: "a RegularizedMLPRegressorCV, ",
    WeightsDisplay: "a network with coefs_, ",
    LossCurveDisplay: "a network with loss_curve_, ",
}
OTHERS = {
    "LinearRegression.": LinearRegression(),
    "LassoCV inside Pipeline.": scaled(LassoCV()),
    "BaggingRegressor, which holds several: give one of its estimators_.": BaggingRegressor(
        ADAM, n_estimators=2
    ),
    "VotingRegressor inside Pipeline, which holds several": scaled(VotingRegressor([("a", ADAM)])),
    "GridSearchCV with refit=False.": GridSearchCV(ADAM, {}, cv=2, refit=False),
}


@pytest.mark.parametrize("display", KINDS)
@pytest.mark.parametrize("message", OTHERS)
def test_other_estimators_are_told_which_are_meant(display, message):
    fitted = OTHERS[message].fit(X, y)
    with pytest.raises(TypeError, match=KINDS[display] + f".*; got {message}"):
        display.from_estimator(fitted)
    assert not plt.get_fignums()


def test_network_is_no_cross_validated_one():
    with pytest.raises(TypeError, match=r"RegularizedMLPRegressorCV, .*; got RegularizedMLPRegres"):
        CVPathDisplay.from_estimator(scaled(ADAM).fit(X, y))


def test_one_network_for_each_output():
    several = MultiOutputRegressor(ADAM).fit(X, np.column_stack([y, -y]))
    with pytest.raises(TypeError, match="give one of its estimators_"):
        WeightsDisplay.from_estimator(several)
    assert WeightsDisplay.from_estimator(several.estimators_[0]).coefs[0].shape == (10, 3)


@pytest.mark.parametrize("display", KINDS)
def test_wrappers_that_are_not_fitted(display):
    wrappers = (
        GridSearchCV(CV, {}),
        TransformedTargetRegressor(CV),
        scaled(scaled(CV)),
        scaled(GridSearchCV(CV, {})),
        LinearRegression(),
    )
    for unfitted in wrappers:
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            display.from_estimator(unfitted)
    assert not plt.get_fignums()


@pytest.mark.parametrize("display", KINDS)
@pytest.mark.parametrize(
    "thing, message",
    [
        (None, "NoneType"),
        (X.to_numpy(), "ndarray"),
        (RegularizedMLPRegressorCV, "the class RegularizedMLPRegressorCV"),
    ],
    ids=["None", "array", "class"],
)
def test_things_that_are_no_estimators(display, thing, message):
    with pytest.raises(TypeError, match=KINDS[display] + f".*; got {message}."):
        display.from_estimator(thing)


@pytest.mark.parametrize(
    "given", [None, "path_", 3, CV, RegularizationPathDisplay, LinearRegression]
)
def test_from_path_takes_paths_alone(given):
    with pytest.raises(TypeError, match=r"path must be what regularization_path returns.*; got "):
        RegularizationPathDisplay.from_path(given)
