"""Limits of coefficients along paths and in searches, and those of 0 in networks: their signs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from support.draws import begin_again
from support.linear_models import assert_same_solution, linear

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    batched_fits,
    regularization_path,
    stability_selection,
)

RNG = np.random.default_rng(0)
INF = np.inf


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


def drawn(n, p):
    X = RNG.normal(size=(n, p)) + 1.0
    return X, X[:, ::3] @ RNG.normal(size=-(-p // 3)) + RNG.normal(size=n)


SHAPES = {"long": drawn(80, 12), "wide": drawn(30, 60)}


# Paths and searches


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SHAPES)
def test_each_fit_of_a_path_is_the_fit_alone(name):
    X, y = SHAPES[name]
    model = linear(lower_limits=-0.2, upper_limits=np.resize([0.0, 0.15, INF], X.shape[1]))
    path = regularization_path(model, X, y, param="l1_per_layer", n_strengths=7, eps=1e-2)
    for strength, at in zip(path.strengths, path.models, strict=True):
        alone = clone(model).set_params(l1_per_layer=strength).fit(X, y)
        assert_same_solution(at, alone.coefs_[0], alone.intercepts_[0])
        assert at.coefs_[0].min() >= -0.2
    assert path.n_features[-1] == 0
    assert (
        clone(model).set_params(l1_per_layer=0.999 * path.strengths[-1]).fit(X, y).coefs_[0].any()
    )
    for relaxed in path.relaxed_models:
        assert relaxed.coefs_[0].min() >= -0.2


def test_cv_is_the_search_over_strengths():
    X, y = SHAPES["long"]
    folds = [(np.flatnonzero(k != np.arange(80) % 4), np.arange(k, 80, 4)) for k in range(4)]
    model = linear(lower_limits=-0.2, upper_limits=0.3)
    found = RegularizedMLPRegressorCV(model, cv=folds, n_strengths=6, eps=1e-2).fit(X, y)
    grid = {"group_l1": found.strengths_}
    search = GridSearchCV(model, grid, cv=folds, scoring="neg_mean_squared_error").fit(X, y)
    assert_allclose(found.mse_mean_, -search.cv_results_["mean_test_score"], rtol=1e-9)
    assert found.strength_ == search.best_params_["group_l1"]
    limits = {"lower_limits": [-0.2, 0.0, -INF], "upper_limits": [None, 0.1]}
    plain = GridSearchCV(model, limits, cv=folds).fit(X, y)
    with batched_fits():
        batched = GridSearchCV(model, limits, cv=folds).fit(X, y)
    name = "mean_test_score"
    assert_array_equal(batched.cv_results_[name], plain.cv_results_[name])
    assert len(set(plain.cv_results_[name])) == 6


def test_stability_selection_leaves_what_limits_exclude():
    X, y = SHAPES["long"]
    y = y + 3 * X[:, 1] - 3 * X[:, 2]
    limits = {"lower_limits": np.where(np.arange(12) < 6, -INF, 0.0), "upper_limits": 0.0}
    found = stability_selection(linear(**limits), X, y, n_subsamples=10, random_state=0)
    assert not found.support[1]
    assert found.support[2]
    assert not found.support[6:].any()
    assert found.n_candidates == 6


# Networks


NETWORK = {"hidden_layer_sizes": (6,), "activation": "tanh", "alpha": 0.1, "random_state": 0}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_signs_of_first_weights_by_feature(solver, normalization):
    X, y = SHAPES["long"]
    lower, upper = np.full((2, 12), [[-INF], [INF]])
    lower[:3], upper[2:5] = 0.0, 0.0
    params = {"solver": solver, "normalization": normalization, "max_iter": 40}
    limits = {"lower_limits": lower, "upper_limits": upper}
    first = RegularizedMLPRegressor(**NETWORK, **params, **limits).fit(X, y).coefs_[0]
    assert (first[:2] >= 0).all()
    assert first[:2].any()
    assert (first[2] == 0).all()
    assert (first[3:5] <= 0).all()
    assert first[3:5].any()
    assert first[5:].min() < 0 < first[5:].max()


def test_functions_rise_and_fall_where_signs_say_so():
    X = RNG.uniform(-1, 1, size=(120, 3))
    y = np.sin(3 * X[:, 0]) - X[:, 1] ** 2 + np.cos(2 * X[:, 2])
    limits = {"lower_limits": (0.0, -INF, -INF), "upper_limits": (INF, 0.0, INF)}
    params = {"solver": "lbfgs", "alpha": 1e-3, "max_iter": 300, "positive_weights": (False, True)}
    model = RegularizedMLPRegressor(**{**NETWORK, **params}, **limits, tol=1e-3)
    model.fit(X, y)
    steps = [np.diff(model.predict(np.linspace(-1, 1, 50)[:, None] * e)) for e in np.eye(3)]
    assert steps[0].min() >= 0
    assert steps[1].max() <= 0
    assert steps[2].min() < 0 < steps[2].max()


def test_path_of_a_network_ends_by_the_signs_allowed():
    """y rises in the first feature, which may only fall: the second is the last to leave."""
    X = RNG.normal(size=(100, 3))
    y = 2 * X[:, 0] + X[:, 1]
    network = RegularizedMLPRegressor(**{**NETWORK, "solver": "lbfgs", "alpha": 1.0}, tol=1e-4)
    network.set_params(upper_limits=(0.0, INF, INF), positive_weights=(False, True))
    path = regularization_path(network, X, y, n_strengths=8, eps=0.02, adaptive=False)
    assert_array_equal(path.support[:, 0], False)
    assert path.support[0, 1]
    assert path.n_features[-1] == 0
