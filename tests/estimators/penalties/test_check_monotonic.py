"""What the weights of networks prove, also inside other estimators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    check_monotonic,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
y = np.tanh(X[:, 0]) - 0.4 * X[:, 1] + np.sin(2 * X[:, 2]) * X[:, 3] + 3
SIGNS = [1, -1, 0, 0]
SMALL = {"hidden_layer_sizes": (8,), "activation": "tanh", "max_iter": 40, "random_state": 0}
FRAME = pd.DataFrame(X, columns=list("abcd"))


def network(**params):
    return RegularizedMLPRegressor(**{**SMALL, "monotonic_cst": SIGNS, **params})


def directions(model):
    return [found.direction for found in check_monotonic(model)]


def fitted(**params):
    return RegularizedMLPRegressor(**{**SMALL, "max_iter": 2, **params}).fit(X, y)


def test_a_broken_sign_is_seen():
    model = network(solver="lbfgs").fit(X, y)
    model.coefs_[0] = model.coefs_[0].copy()
    unit = int(np.argmax(model.coefs_[1][:, 0]))
    model.coefs_[0][0, unit] = -10.0
    assert directions(model)[0] == "free"
    assert check_monotonic(model)[0].reason == "paths with products of both signs"


def test_random_signs_are_those_of_all_paths():
    """Against the sum over paths of absolute products, by matrices."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        model = fitted(hidden_layer_sizes=(3, 2))
        shapes = [coef.shape for coef in model.coefs_]
        model.coefs_ = [rng.choice([-1.0, 0.0, 1.0], s, p=[0.1, 0.3, 0.6]) for s in shapes]
        signed, size = np.eye(4), np.eye(4)
        for coef in model.coefs_:
            signed, size = signed @ coef, size @ np.abs(coef)
        kinds = [size == 0, signed == size, signed == -size]
        expected = np.select(kinds, ["constant", "increasing", "decreasing"], "free")
        assert directions(model) == expected[:, 0].tolist()


def test_reasons_why_nothing_is_proved():
    layer = fitted(normalization="layer")
    assert "layer normalisation" in check_monotonic(layer)[0].reason
    assert check_monotonic(fitted(activation="silu"))[0].reason == "silu falls in places"


def test_data_are_looked_at_where_weights_do_not_decide():
    model = network(solver="lbfgs", max_iter=300).fit(X, y)
    found = check_monotonic(model, X)
    assert found[2].reason.endswith("; on X it rises and falls")
    assert "on X" not in found[0].reason


def test_what_is_no_fitted_network_is_refused():
    with pytest.raises(NotFittedError):
        check_monotonic(network())
    with pytest.raises(TypeError, match=r"network with coefs_.* got StandardScaler"):
        check_monotonic(StandardScaler().fit(X))


# Inside other estimators

LBFGS = network(solver="lbfgs")
WRAPPERS = {
    "search": lambda: GridSearchCV(LBFGS, {"alpha": [0.1, 1.0]}, cv=2),
    "scalers": lambda: make_pipeline(MinMaxScaler((2, 5)), RobustScaler(), "passthrough", LBFGS),
    "search of pipelines": lambda: GridSearchCV(make_pipeline(StandardScaler(), LBFGS), {}, cv=2),
    "pipeline of a search": lambda: make_pipeline(StandardScaler(), GridSearchCV(LBFGS, {}, cv=2)),
    "frozen": lambda: FrozenEstimator(make_pipeline(StandardScaler(), LBFGS).fit(FRAME, y)),
    "scaled target": lambda: TransformedTargetRegressor(LBFGS, transformer=StandardScaler()),
    "log target": lambda: TransformedTargetRegressor(
        make_pipeline(StandardScaler(), LBFGS), func=np.log, inverse_func=np.exp
    ),
    "power of target": lambda: TransformedTargetRegressor(
        LBFGS, transformer=make_pipeline(PowerTransformer(), MinMaxScaler())
    ),
    "cross-validation": lambda: make_pipeline(
        StandardScaler(), RegularizedMLPRegressorCV(LBFGS, n_strengths=3, cv=2)
    ),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_networks_inside(wrapper):
    found = check_monotonic(WRAPPERS[wrapper]().fit(FRAME, y))
    assert [f.feature for f in found] == list("abcd")
    assert [f.direction for f in found] == ["increasing", "decreasing", "free", "free"]


INVERSES = {
    "decreasing": {"func": np.negative, "inverse_func": np.negative},
    "unknown": {"func": np.sqrt, "inverse_func": np.square},
    "hidden in a pipeline": {
        "transformer": make_pipeline(FunctionTransformer(np.negative, np.negative))
    },
}


@pytest.mark.parametrize("inverse", INVERSES)
def test_targets_that_need_not_rise_with_the_network_are_free(inverse):
    free = network(monotonic_cst=None, solver="lbfgs")
    model = TransformedTargetRegressor(free, **INVERSES[inverse], check_inverse=False)
    found = check_monotonic(model.fit(X, y))
    assert {f.direction for f in found} == {"free"}
    assert {f.reason for f in found} == {
        "the inverse of TransformedTargetRegressor is not known to increase"
    }


def test_features_after_other_transformers_are_those_they_give_out():
    squares = PolynomialFeatures(2, include_bias=False)
    fit = make_pipeline(squares, network(monotonic_cst=None, solver="lbfgs")).fit(FRAME, y)
    assert [f.feature for f in check_monotonic(fit)] == list(
        fit[0].get_feature_names_out(FRAME.columns)
    )


def test_rows_go_through_the_steps_before_the_network():
    """The signs of differences on rows of the model: the third feature far from zero."""
    far = FRAME * 1e4 + 1e6
    model = make_pipeline(StandardScaler(), network(solver="lbfgs", max_iter=300)).fit(far, y)
    inside = make_pipeline(network(solver="lbfgs")).fit(X, y)
    for fit, rows in ((model, far), (inside, X)):
        assert check_monotonic(fit, rows)[2].reason.endswith("; on X it rises and falls")


REFUSED = {
    "CalibratedClassifierCV, which puts curves of its own on several": CalibratedClassifierCV(
        RegularizedMLPClassifier(**SMALL), cv=2
    ),
    "BaggingRegressor, which holds several": BaggingRegressor(LBFGS, n_estimators=2),
    "GridSearchCV with refit=False": GridSearchCV(LBFGS, {}, cv=2, refit=False),
}


@pytest.mark.parametrize("message", REFUSED)
def test_several_networks_are_refused_with_the_reason(message):
    target = y > 3 if "Classifier" in message else y
    model = REFUSED[message].fit(X, target)
    with pytest.raises(TypeError, match=f"check_monotonic takes a network with coefs_.*{message}"):
        check_monotonic(model)
