"""Functions that are monotone in marked features."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    batched_fits,
    check_monotonic,
    regularization_path,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
SIGNAL = np.tanh(X[:, 0]) - 0.4 * X[:, 1] + np.sin(2 * X[:, 2]) * X[:, 3]
y = SIGNAL + 0.1 * RNG.normal(size=150)
SIGNS = [1, -1, 0, 0]
SMALL = {"hidden_layer_sizes": (12,), "activation": "tanh", "max_iter": 60, "random_state": 0}
N_PAIRS = 250_000


def network(**params):
    return RegularizedMLPRegressor(**{**SMALL, "monotonic_cst": SIGNS, **params})


def assert_monotone(predict, signs=SIGNS):
    """On random pairs far outside of the data that differ in one feature."""
    for feature in np.flatnonzero(signs):
        low = RNG.normal(size=(N_PAIRS, 4)) * RNG.choice([0.1, 1, 30, 1000], (N_PAIRS, 1))
        high = low.copy()
        high[:, feature] += RNG.exponential(size=N_PAIRS) * RNG.choice([1e-3, 1, 1e3], N_PAIRS)
        before = predict(low)
        change = signs[feature] * (predict(high) - before)
        assert change.min() >= -1e-9 * np.abs(before).max()
        assert (change.max(axis=0) > 0).all()


def directions(model):
    return [found.direction for found in check_monotonic(model)]


CASES = {
    "lbfgs": {"solver": "lbfgs"},
    "adam": {"learning_rate_init": 0.01},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.01},
    "l1": {"solver": "lbfgs", "l1_per_layer": 1e-3},
    "group": {"solver": "lbfgs", "group_l1": 1e-2, "alpha": 0.1},
    "logistic": {"solver": "lbfgs", "activation": "logistic"},
    "deep": {"solver": "lbfgs", "hidden_layer_sizes": (8, 6)},
    "batch norm": {"normalization": "batch", "learning_rate_init": 0.01},
    "y as it is": {"solver": "lbfgs", "normalize_y": False},
    "dropout": {"dropout": 0.2},
    "linear": {"solver": "lbfgs", "hidden_layer_sizes": ()},
}


@pytest.mark.parametrize("case", CASES)
def test_marked_features_are_monotone_and_proved_to_be(case):
    model = network(**CASES[case]).fit(X, y)
    assert_monotone(model.predict)
    found = directions(model)
    assert found[:2] == ["increasing", "decreasing"]
    if case not in ("linear", "sgd"):
        assert found[2:] == ["free", "free"]


@pytest.mark.parametrize("loss", ["poisson", "gamma", "absolute_error"])
def test_losses_and_links(loss):
    positive = np.exp(0.5 * y)
    model = network(loss=loss, solver="lbfgs").fit(X, positive)
    with np.errstate(over="ignore"):
        assert_monotone(model.predict)
    assert directions(model)[:2] == ["increasing", "decreasing"]


def test_several_quantiles_are_monotone_and_in_order():
    model = network(loss="quantile", quantile=[0.1, 0.5, 0.9], solver="lbfgs").fit(X, y)
    far = 30 * RNG.normal(size=(1000, 4))
    assert (np.diff(model.predict(far), axis=1) >= 0).all()
    assert_monotone(model.predict)
    found = check_monotonic(model)
    assert [f.direction for f in found[:6]] == ["increasing"] * 3 + ["decreasing"] * 3
    assert [f.output for f in found[:3]] == [0, 1, 2]


def test_nothing_is_lost_where_the_function_is_monotone():
    """R2 on unseen rows, beside the unconstrained network's."""
    rows, truth = RNG.normal(size=(500, 4)), {}
    y_new = np.tanh(rows[:, 0]) - 0.4 * rows[:, 1] + np.sin(2 * rows[:, 2]) * rows[:, 3]
    for signs in (None, SIGNS):
        model = network(solver="lbfgs", monotonic_cst=signs, max_iter=500, alpha=0.1).fit(X, y)
        truth[str(signs)] = model.score(rows, y_new)
    assert truth[str(SIGNS)] > truth["None"] - 0.01


CURVES = {
    "tanh": (lambda x: np.tanh(2 * x), 0.995),
    "sqrt": (lambda x: np.sqrt(x + 3), 0.995),
    "cube": (lambda x: x**3 / 9, 0.995),
    "step": (lambda x: (x > 0.5) * 1.0, 0.99),
}
FINE = {"activation": "tanh", "solver": "lbfgs", "alpha": 1e-3, "random_state": 0, "tol": 1e-5}


@pytest.mark.parametrize("curve", CURVES)
def test_curves_are_followed_by_one_hidden_layer(curve):
    function, bar = CURVES[curve]
    x, grid = np.random.default_rng(0).uniform(-3, 3, 500), np.linspace(-3, 3, 1000)
    model = RegularizedMLPRegressor(hidden_layer_sizes=50, monotonic_cst=[1], max_iter=1000, **FINE)
    model.fit(x[:, None], function(x))
    assert model.score(grid[:, None], function(grid)) > bar


SURFACES = {
    "minimum": (lambda a, b: np.minimum(a, b), [1, 1]),
    "interaction": (lambda a, b: a * (1.5 + np.sin(2 * b)), [1, 0]),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_surfaces_are_followed_by_two_hidden_layers(surface):
    function, signs = SURFACES[surface]
    rows, new = np.split(np.random.default_rng(0).uniform(-2, 2, (2500, 2)), [500])
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(30, 30), monotonic_cst=signs, max_iter=1000, **FINE
    )
    assert model.fit(rows, function(*rows.T)).score(new, function(*new.T)) > 0.995


def test_linear_model_is_that_of_nnls():
    flipped = X[:, :2] * [1, -1]
    centred = flipped - flipped.mean(0)
    expected, _ = nnls(centred, y - y.mean())
    model = network(
        hidden_layer_sizes=(), solver="lbfgs", alpha=0, normalize_y=False, monotonic_cst=[1, -1]
    ).fit(X[:, :2], y)
    assert_allclose(model.coefs_[0][:, 0] * [1, -1], expected, atol=1e-9)


def test_limits_and_signs_meet():
    model = network(hidden_layer_sizes=(), solver="lbfgs", lower_limits=-0.1).fit(X, y)
    coef = model.coefs_[0][:, 0]
    assert coef[0] >= 0 >= coef[1] == -0.1


def test_all_free_is_no_constraint():
    for signs in ([0, 0, 0, 0], {}):
        frame = pd.DataFrame(X, columns=list("abcd"))
        free, plain = (network(monotonic_cst=s).fit(frame, y) for s in (signs, None))
        assert_array_equal(free.predict(frame), plain.predict(frame))


def test_names_behind_scalers():
    frame = pd.DataFrame(X * [1, 5, 1, 2] + 3, columns=list("abcd"))
    signs = {"a": 1, "b": -1}
    model = make_pipeline(
        StandardScaler().set_output(transform="pandas"), network(monotonic_cst=signs)
    )
    found = check_monotonic(model.fit(frame, y))
    assert [(f.feature, f.direction) for f in found[:2]] == [
        ("a", "increasing"),
        ("b", "decreasing"),
    ]
    assert_monotone(lambda rows: model.predict(pd.DataFrame(rows, columns=list("abcd"))))


def test_searches_batches_paths_and_going_on():
    grid = {"monotonic_cst": [None, SIGNS, [1, 1, 0, 0]]}
    search = GridSearchCV(network(solver="lbfgs"), grid, cv=3).fit(X, y)
    assert search.best_params_["monotonic_cst"] in (None, SIGNS)
    with batched_fits(2):
        again = GridSearchCV(network(solver="lbfgs"), grid, cv=3).fit(X, y)
    assert_array_equal(again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])
    model = network().fit(X, y).partial_fit(X, -y)
    assert directions(model)[:2] == ["increasing", "decreasing"]
    path = network(solver="lbfgs", alpha=3)
    chosen = RegularizedMLPRegressorCV(path, n_strengths=4, cv=2).fit(X, y)
    assert {"free"} & set(directions(chosen)[:2]) == set()


PLAIN = {
    "tanh": ((12,), {}),
    "logistic": ((12,), {"activation": "logistic"}),
    "deep": ((8, 6), {"l1_per_layer": 1e-3, "alpha": 0.01}),
    "batch norm": ((8,), {"normalization": "batch", "solver": "adam"}),
    "as it is": ((8,), {"normalize_y": False}),
}


@pytest.mark.parametrize("case", PLAIN)
def test_scikit_learn_s_network_predicts_the_same(case):
    sizes, params = PLAIN[case]
    model = network(**{"solver": "lbfgs", **params, "hidden_layer_sizes": sizes}).fit(X, y)
    theirs = MLPRegressor(hidden_layer_sizes=sizes, activation=model.activation, max_iter=1).fit(
        X, y
    )
    theirs.coefs_, theirs.intercepts_ = model.coefs_, model.intercepts_
    assert_allclose(theirs.predict(X), model.predict(X), rtol=1e-10)
    assert directions(theirs) == directions(model)


WAYS = {
    "warm start": lambda m: m.set_params(warm_start=True).fit(X, y).fit(X, -y),
    "partial_fit": lambda m: m.set_params(solver="adam").partial_fit(X, y).partial_fit(X, -y),
    "partial_fit with norms": lambda m: m.set_params(
        solver="adam", normalization="batch"
    ).partial_fit(X, -y),
}


@pytest.mark.parametrize("way", WAYS)
def test_signs_stay_where_a_fit_goes_on(way):
    """Towards a y that falls where the function is to rise."""
    model = network(solver="lbfgs")
    WAYS[way](model)
    wanted = [{"increasing", "constant"}, {"decreasing", "constant"}]
    assert all(d in w for d, w in zip(directions(model)[:2], wanted, strict=True))


def test_each_network_of_a_path_is_monotone():
    path = regularization_path(network(solver="lbfgs", alpha=3), X, y, n_strengths=5)
    for model in path.models:
        first, second = directions(model)[:2]
        assert first in ("increasing", "constant")
        assert second in ("decreasing", "constant")


def test_gains_are_not_negative():
    """They would turn the signs of the weights round."""
    model = network(normalization="batch", learning_rate_init=0.1, max_iter=300).fit(X, -y)
    assert all((coef >= 0).all() for coef in model.coefs_[1:])
    assert (model.coefs_[0][0] >= 0).all()
    assert (model.coefs_[0][1] <= 0).all()


def test_a_monotone_band_in_batches_and_beside_scalers():
    """Quantiles, names and a block at once: what is fitted together is what is fitted alone."""
    frame = pd.DataFrame(X * 7 - 2, columns=list("abcd"))
    signs = pd.Series({"a": 1, "b": -1})
    band = network(loss="quantile", quantile=[0.2, 0.8], solver="lbfgs", monotonic_cst=signs)
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), band)
    grid = {"regularizedmlpregressor__alpha": [0.1, 1.0]}
    alone = GridSearchCV(model, grid, cv=2).fit(frame, y)
    with batched_fits(2):
        together = GridSearchCV(model, grid, cv=2).fit(frame, y)
    assert_array_equal(alone.predict(frame), together.predict(frame))
    words = [(f.feature, f.output, f.direction) for f in check_monotonic(together)[:4]]
    assert words == [
        ("a", 0, "increasing"),
        ("a", 1, "increasing"),
        ("b", 0, "decreasing"),
        ("b", 1, "decreasing"),
    ]


def test_a_classifier_rises_far_outside_of_the_data():
    labels = np.where(y > 0, "yes", "no")
    model = RegularizedMLPClassifier(**{**SMALL, "solver": "lbfgs"}, monotonic_cst=SIGNS)
    model.fit(X, labels)
    assert_monotone(model.decision_function)
    assert directions(model)[:2] == ["increasing", "decreasing"]


# Errors and warnings


@pytest.mark.parametrize(
    "params, message",
    [
        ({"activation": "silu"}, "activation='silu' falls in places"),
        ({"activation": "gelu"}, "activation='gelu' falls in places"),
        ({"normalization": "layer"}, "does not go with normalization='layer'"),
        ({"monotonic_cst": [2, 0, 0, 0]}, r"must hold -1 .* got \[2, 0, 0, 0\]"),
        ({"monotonic_cst": [np.nan, 0, 0, 0]}, "must hold -1"),
        ({"monotonic_cst": [1, 0]}, r"monotonic_cst has shape \(2,\) but X has 4 features"),
        ({"monotonic_cst": {"a": 1}}, "monotonic_cst goes by column name, but X has no"),
    ],
)
def test_what_cannot_be_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        network(**params).fit(X, y)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "softplus"])
def test_bent_upwards_is_said_and_so(activation):
    with pytest.warns(UserWarning, match="convex in the marked features.*'tanh'"):
        model = network(activation=activation, solver="lbfgs").fit(X, y)
    line = np.zeros((200, 4))
    line[:, 0] = np.linspace(-3, 3, 200)
    assert np.diff(model.predict(line), 2).min() >= -1e-9
