"""Functions that are monotone in marked features, and what weights prove of any network."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, batched_fits, check_monotonic

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
        change = signs[feature] * (predict(high) - predict(low))
        assert change.min() >= -1e-9 * np.abs(predict(low)).max()
        assert change.max() > 0


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
    for output in range(3):
        assert_monotone(lambda rows, k=output: model.predict(rows)[:, k])
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


def test_scikit_learn_s_network_predicts_the_same():
    model = network(solver="lbfgs").fit(X, y)
    theirs = MLPRegressor(hidden_layer_sizes=(12,), activation="tanh", max_iter=1).fit(X, y)
    theirs.coefs_, theirs.intercepts_ = model.coefs_, model.intercepts_
    assert_allclose(theirs.predict(X), model.predict(X), rtol=1e-12)
    assert directions(theirs) == directions(model)


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


# What weights prove


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
    with pytest.raises(TypeError, match="network with coefs_, got StandardScaler"):
        check_monotonic(StandardScaler().fit(X))
