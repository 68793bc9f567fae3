"""Without hidden layers paths and their cross-validation are those of scikit-learn and glmnet."""

import json
import warnings
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import (
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    enet_path,
    lasso_path,
)
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit
from support.reference_data import RECIPES

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path

GLMNET = json.loads((Path(__file__).parents[1] / "data" / "glmnet_cv_references.json").read_text())
DATA = [name for name in GLMNET if name in RECIPES]
PENALTIES = {
    "lasso": {},
    "nonneg": {"positive_weights": True},
    "exclude_first_two": {"penalty_factor": lambda X: np.r_[np.inf, np.inf, np.ones(len(X.T) - 2)]},
}


def linear(**params):
    fixed = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "normalize_y": False}
    fixed |= {"random_state": 0}
    return RegularizedMLPRegressor(**{**fixed, **params})


def coefs_of(path):
    """(n_features, n_strengths), as scikit-learn's paths."""
    return np.array([coefs[0][:, 0] for coefs in path.coefs]).T


@cache
def data(name):
    return RECIPES[name]()


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("name", DATA)
def test_path_is_the_lasso_s(name, param):
    X, y = data(name)
    X, y = X - X.mean(0), y - y.mean()
    path = regularization_path(linear(), X, y, param=param, n_strengths=30, eps=1e-3)
    alphas, coefs, _ = lasso_path(X, y, alphas=30, eps=1e-3, tol=1e-12, max_iter=10**6)
    assert_allclose(path.strengths[::-1], alphas, rtol=1e-9)
    assert_allclose(coefs_of(path)[:, ::-1], coefs, atol=1e-6 * np.abs(coefs).max())
    assert path.n_features[-1] == 0


@pytest.mark.parametrize("l1_ratio", [0.2, 0.7])
def test_path_is_the_elastic_net_s(l1_ratio):
    X, y = data("diabetes_std")
    path = regularization_path(linear(), X, y, param="l1_per_layer", l1_ratio=l1_ratio, eps=1e-3)
    alphas, coefs, _ = enet_path(
        X, y - y.mean(), l1_ratio=l1_ratio, alphas=50, tol=1e-10, max_iter=10**6
    )
    assert_allclose(path.strengths[::-1], alphas, rtol=1e-9)
    assert_allclose(coefs_of(path)[:, ::-1], coefs, atol=1e-6 * np.abs(coefs).max())


def test_strengths_are_used_as_given():
    X, y = data("diabetes_std")
    strengths = [0.3, 0.01, 0.1]
    path = regularization_path(linear(), X, y, param="l1_per_layer", strengths=strengths)
    _, coefs, _ = lasso_path(X, y - y.mean(), alphas=strengths, tol=1e-12)
    assert_array_equal(path.strengths, [0.01, 0.1, 0.3])
    assert_allclose(coefs_of(path)[:, ::-1], coefs, atol=1e-6 * np.abs(coefs).max())


def test_relaxed_refits_are_least_squares_on_the_support():
    X, y = data("diabetes_std")
    path = regularization_path(linear(), X, y, param="l1_per_layer", n_strengths=12)
    for support, model in zip(path.support, path.relaxed_models, strict=True):
        columns = np.c_[np.ones(len(y)), X[:, support]]
        expected, *_ = np.linalg.lstsq(columns, y, rcond=None)
        assert_allclose(model.coefs_[0][support, 0], expected[1:], rtol=1e-8)
        assert_allclose(model.intercepts_[0], expected[0], atol=1e-8)
        assert_array_equal(model.get_support(), support)


@pytest.mark.parametrize("cv", [KFold(5), KFold(4, shuffle=True, random_state=0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_errors_of_folds_are_those_of_lasso_cv(cv, weighted):
    X, y = data("diabetes_std")
    weight = np.resize([1.0, 2.0, 0.5], len(y)) if weighted else None
    strengths = np.geomspace(1e-3, 0.5, 15)
    model = RegularizedMLPRegressorCV(linear(), param="l1_per_layer", strengths=strengths, cv=cv)
    model.fit(X, y, sample_weight=weight)
    lasso = LassoCV(alphas=strengths, cv=cv, tol=1e-12, max_iter=10**6)
    lasso.fit(X, y, sample_weight=weight)
    assert_allclose(model.mse_path_[::-1], lasso.mse_path_, rtol=1e-7)


def test_chooses_as_elastic_net_cv_and_refits_on_all_rows():
    X, y = data("reg")
    strengths = np.geomspace(0.1, 50, 20)
    model = RegularizedMLPRegressorCV(
        linear(), param="l1_per_layer", l1_ratio=0.5, strengths=strengths, cv=4
    ).fit(X, y)
    net = ElasticNetCV(alphas=strengths, l1_ratio=0.5, cv=4, tol=1e-12, max_iter=10**6).fit(X, y)
    assert model.strength_ == pytest.approx(net.alpha_, rel=1e-12)
    assert_allclose(model.coefs_[0][:, 0], net.coef_, atol=1e-6 * np.abs(net.coef_).max())
    assert_allclose(model.predict(X), net.predict(X), rtol=1e-6)


def test_relaxed_errors_are_those_of_least_squares_on_each_fold_s_support():
    X, y = data("diabetes_std")
    strengths = np.geomspace(1e-2, 0.5, 8)
    model = RegularizedMLPRegressorCV(
        linear(), param="l1_per_layer", strengths=strengths, relaxed=True, cv=KFold(4)
    ).fit(X, y)
    for k, (rows, others) in enumerate(KFold(4).split(X)):
        for s, strength in enumerate(strengths):
            support = Lasso(alpha=strength, tol=1e-12).fit(X[rows], y[rows]).coef_ != 0
            columns = X[:, support]
            refit = LinearRegression().fit(columns[rows], y[rows]) if support.any() else None
            prediction = y[rows].mean() if refit is None else refit.predict(columns[others])
            error = np.mean((y[others] - prediction) ** 2)
            assert model.mse_path_[s, k] == pytest.approx(error, rel=1e-8)


@pytest.mark.parametrize("problem", PENALTIES)
@pytest.mark.parametrize("name", DATA)
def test_is_cv_glmnet(name, problem):
    X, y = data(name)
    reference, expected = GLMNET[name], GLMNET[name][problem]
    params = {key: v(X) if callable(v) else v for key, v in PENALTIES[problem].items()}
    model = RegularizedMLPRegressorCV(
        linear(**params),
        param="l1_per_layer",
        strengths=reference["lambda"],
        cv=PredefinedSplit(np.arange(len(y)) % 5),
    ).fit(X, y)
    assert_allclose(model.mse_mean_[::-1], expected["cvm"], rtol=1e-7)
    assert_allclose(model.mse_se_[::-1], expected["cvsd"], rtol=1e-6)
    assert model.strength_min_ == pytest.approx(expected["lambda_min"], rel=1e-12)
    assert model.strength_1se_ == pytest.approx(expected["lambda_1se"], rel=1e-12)
    intercept, *coef = expected["coef_min"]
    assert_allclose(model.coefs_[0][:, 0], coef, atol=1e-7 * np.abs(coef).max())
    assert_allclose(model.intercepts_[0][0], intercept, atol=1e-7 * np.abs(y).max())


@pytest.mark.parametrize("name", DATA)
def test_lambda_max_and_supports_are_glmnet_s(name):
    X, y = data(name)
    reference = GLMNET[name]
    automatic = regularization_path(linear(), X, y, param="l1_per_layer", n_strengths=3)
    assert automatic.strengths[-1] == pytest.approx(reference["lambda_max"], rel=1e-9)
    path = regularization_path(
        linear(), X, y, param="l1_per_layer", strengths=reference["lambda"], relaxed=False
    )
    n_features = np.array(reference["lasso"]["nzero"])
    inside = slice(1, None)  # at lambda_max itself glmnet keeps a feature by rounding
    assert_array_equal(path.n_features[::-1][inside], n_features[inside])


def test_one_se_rule_by_hand():
    """The largest strength whose mean error is at most the least one plus its standard error."""
    X, y = data("diabetes_std")
    model = RegularizedMLPRegressorCV(
        linear(), param="l1_per_layer", n_strengths=25, selection="1se", cv=KFold(2)
    ).fit(X, y)
    mean, se = model.mse_path_.mean(1), model.mse_path_.std(1, ddof=1) / np.sqrt(2)
    assert_allclose(model.mse_mean_, mean, rtol=1e-12)
    assert_allclose(model.mse_se_, se, rtol=1e-12)
    best = np.argmin(mean)
    within = [s for s, m in zip(model.strengths_, mean, strict=True) if m <= mean[best] + se[best]]
    assert model.strength_min_ == model.strengths_[best]
    assert model.strength_ == model.strength_1se_ == max(within) > model.strength_min_


def test_unpenalised_columns_are_fitted_before_the_largest_strength():
    X, y = data("diabetes_std")
    factor = np.r_[0.0, 0.0, np.ones(8)]
    path = regularization_path(
        linear(penalty_factor=factor), X, y, param="l1_per_layer", n_strengths=5
    )
    columns = np.c_[np.ones(len(y)), X[:, :2]]
    residual = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    assert path.strengths[-1] == pytest.approx(np.abs(X[:, 2:].T @ residual / len(y)).max())
    assert_array_equal(path.support[-1], factor == 0)


def test_splitters_see_groups():
    X, y = data("diabetes_std")
    groups = np.arange(len(y)) // 50
    model = RegularizedMLPRegressorCV(
        linear(), param="l1_per_layer", n_strengths=5, cv=GroupKFold(3)
    )
    model.fit(X, y, groups=groups)
    folds = [*GroupKFold(3).split(X, y, groups)]
    again = RegularizedMLPRegressorCV(linear(), param="l1_per_layer", n_strengths=5, cv=folds)
    assert_array_equal(model.mse_path_, again.fit(X, y).mse_path_)


@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("size", [1e-140, 1e-18, 1e100, 1e150])
def test_paths_follow_the_units_of_x(size, param, normalize_y):
    """Strengths are in units of X, supports and predictions in none; no warning of overflow."""
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(40, 4)), [[0, 1]] if param == "group_l1" else None
    y = X @ [1.0, -1.0, 0.5, 0.0] + 0.1 * rng.normal(size=40)
    model = linear(normalize_y=normalize_y, feature_groups=groups)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        expected, path = (
            regularization_path(model, unit * X, y, param=param, n_strengths=6)
            for unit in (1.0, size)
        )
    assert expected.support[:-1].any(1).all()
    assert not expected.support[-1].any()
    assert_array_equal(path.support, expected.support)
    assert_allclose(path.strengths, expected.strengths * size, rtol=1e-12)
    assert_allclose(coefs_of(path) * size, coefs_of(expected), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("size", [1e-20, 1e-150])
def test_a_cv_on_x_in_small_units_chooses_the_lasso_s_strength(size):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 5))
    y = X @ [1.0, -1.0, 0.0, 0.0, 0.5] + 0.1 * rng.normal(size=60)
    search = RegularizedMLPRegressorCV(linear(), cv=KFold(3), eps=1e-3, relaxed=False).fit(
        size * X, y
    )
    reference = LassoCV(alphas=20, eps=1e-3, cv=3, tol=1e-12, max_iter=10**5).fit(X, y)
    assert_allclose(search.strength_, reference.alpha_ * size, rtol=1e-9)
    assert_allclose(search.coefs_[0][:, 0] * size, reference.coef_, rtol=1e-7)


@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("mean", [0.0, 0.1, -3e7])
def test_paths_of_a_constant_target_have_no_feature(mean, normalize_y):
    X = np.random.default_rng(0).normal(size=(30, 4))
    y = np.full(30, mean)
    path = regularization_path(linear(normalize_y=normalize_y), X, y, n_strengths=3)
    assert not path.support.any()


def test_networks_of_a_path_are_clones_of_the_estimator():
    """With its settings, and lists and arrays of their own."""
    X, y = data(DATA[0])
    factor = np.ones(X.shape[1])
    with config_context(enable_metadata_routing=True):
        estimator = linear(penalty_factor=factor).set_fit_request(sample_weight=True)
    path = regularization_path(estimator, X, y, param="l1_per_layer", n_strengths=3)
    for model, strength in zip(path.models, path.strengths, strict=True):
        expected = clone(estimator).set_params(l1_per_layer=float(strength))
        assert repr(model.get_params()) == repr(expected.get_params())
        assert model._metadata_request.fit.requests == expected._metadata_request.fit.requests
    factors = [factor, *(model.penalty_factor for model in path.models)]
    assert not any(np.shares_memory(a, b) for a, b in combinations(factors, 2))
