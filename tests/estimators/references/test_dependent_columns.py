"""Linear fits where columns or rows depend on each other: the optimum, and scikit-learn's value."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LassoCV,
    LinearRegression,
    MultiTaskElasticNetCV,
    Ridge,
)
from sklearn.model_selection import KFold
from support.dependent_columns import DESIGNS, EXACT, LINEAR, fitted, largest_l1, problem

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path


def objective(X, y, coef, intercept, l1, l2=0.0):
    residual = y - X @ coef - intercept
    return 0.5 * np.mean(residual**2) + l1 * np.abs(coef).sum() + 0.5 * l2 * (coef**2).sum()


def assert_lasso_conditions(X, y, coef, l1, lower=-np.inf, l2=0.0):
    """Gradient = -l1 sign on the support, no larger than l1 outside, to rounding."""
    coef = coef.ravel().astype(float)
    centred = X - X.mean(0)
    gradient = centred.T @ (centred @ coef - (y - y.mean())) / len(X) + l2 * coef
    allowed = 1e-9 * np.abs(centred.T @ y).max() / len(X)
    active = coef != 0
    assert_allclose(gradient[active], -l1 * np.sign(coef[active]), rtol=0, atol=allowed)
    assert (-gradient[~active] <= l1 + allowed).all()
    if lower < 0:
        assert (gradient[~active] <= l1 + allowed).all()


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.03, 0.003])
@pytest.mark.parametrize("name", DESIGNS)
def test_lasso_reaches_the_minimum(name, share, positive):
    X, y = problem(name)
    l1 = share * largest_l1(X, y)
    model = fitted(X, y, l1_per_layer=l1, positive_weights=positive)
    assert_lasso_conditions(X, y, model.coefs_[0], l1, 0.0 if positive else -np.inf)
    reference = Lasso(l1, positive=positive, **EXACT).fit(X, y)
    ours = objective(X, y, model.coefs_[0][:, 0], model.intercepts_[0], l1)
    assert ours <= objective(X, y, reference.coef_, reference.intercept_, l1) * (1 + 1e-8)
    assert model.objective_ == pytest.approx(ours, rel=1e-9)
    rank = np.linalg.matrix_rank(X - X.mean(0))
    assert np.count_nonzero(model.coefs_[0]) <= rank


@pytest.mark.parametrize("name", DESIGNS)
def test_elastic_net_is_unique_and_the_same(name):
    X, y = problem(name)
    alpha = 0.05 * largest_l1(X, y)
    model = fitted(X, y, l1_per_layer=alpha / 2, alpha=alpha / 2 * len(X))
    reference = ElasticNet(alpha, l1_ratio=0.5, **EXACT).fit(X, y)
    assert_allclose(model.coefs_[0][:, 0], reference.coef_, rtol=0, atol=1e-6)
    assert_lasso_conditions(X, y, model.coefs_[0], alpha / 2, l2=alpha / 2)


@pytest.mark.parametrize("name", ["totals", "bootstrap", "more dummies than rows"])
def test_float32_and_sparse_and_weights(name):
    from scipy import sparse

    X, y = problem(name)
    l1 = 0.02 * largest_l1(X, y)
    model = fitted(X, y, l1_per_layer=l1)
    assert fitted(sparse.csr_matrix(X), y, l1_per_layer=l1).objective_ == pytest.approx(
        model.objective_, rel=1e-9
    )
    single = fitted(X.astype("f4"), y.astype("f4"), l1_per_layer=l1)
    assert single.objective_ == pytest.approx(model.objective_, rel=1e-4)
    weight = np.arange(len(X)) % 3
    repeated = fitted(np.repeat(X, weight, 0), np.repeat(y, weight), l1_per_layer=l1)
    weighted = fitted(X, y, weight.astype(float), l1_per_layer=l1)
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=1e-9)
    assert_allclose(weighted.predict(X[weight > 0]), repeated.predict(X[weight > 0]), atol=1e-7)


def test_unpenalised_and_excluded_dependent_columns():
    """Free columns that depend on each other are least squares, the others a lasso beside them."""
    X, y = problem("totals")
    factor = np.ones(X.shape[1])
    factor[[0, 1, 14]], factor[[5, 13]] = 0.0, np.inf  # 14 repeats 1
    l1 = 0.05 * largest_l1(X, y)
    coef = fitted(X, y, l1_per_layer=l1, penalty_factor=factor).coefs_[0][:, 0]
    centred = X - X.mean(0)
    gradient = centred.T @ (centred @ coef - y + y.mean()) / len(X)
    assert_array_equal(coef[[5, 13]], 0)
    assert_allclose(gradient[[0, 1, 14]], 0, atol=1e-9)
    penalised = np.setdiff1d(np.flatnonzero(factor == 1), [])
    assert (np.abs(gradient[penalised]) <= l1 + 1e-9).all()
    active = penalised[coef[penalised] != 0]
    assert_allclose(gradient[active], -l1 * np.sign(coef[active]), atol=1e-9)


@pytest.mark.parametrize("name", ["columns twice", "rows twice", "full dummies"])
def test_non_negative_least_squares(name):
    X, y = problem(name)
    centred = X - X.mean(0)
    expected = nnls(centred, y - y.mean(), maxiter=10**4)[1]
    model = fitted(X, y, positive_weights=True)
    assert np.linalg.norm(y - model.predict(X)) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1e-8, 1e-3, 1.0])
def test_ridge_with_more_features_than_rows(alpha, weighted):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20, 50)) * np.geomspace(0.3, 3, 50) + 5
    y, weight = X @ rng.normal(size=50) + 3, rng.uniform(1, 2, 20) if weighted else None
    reference = Ridge(alpha, solver="svd") if alpha else LinearRegression()
    expected = reference.fit(X, y, weight).coef_
    coef = fitted(X, y, weight, alpha=alpha).coefs_[0][:, 0]
    assert_allclose(coef, expected, rtol=0, atol=1e-9)
    assert np.count_nonzero(coef) == 50


def test_least_norm_of_tall_dependent_columns():
    X, y = problem("totals")
    coef = fitted(X, y).coefs_[0][:, 0]
    assert_allclose(coef, LinearRegression().fit(X, y).coef_, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["totals", "bootstrap"])
@pytest.mark.parametrize("param", ["l1_per_layer", "group_l1"])
def test_going_on_from_the_solution_goes_nowhere(name, param):
    X, Y = problem(name, n_outputs=1 if param == "l1_per_layer" else 2)
    strength = 0.05 * largest_l1(X, Y)
    model = fitted(X, Y, **{param: strength}, warm_start=True)
    before = model.coefs_[0].copy()
    model.fit(X, Y)
    assert model.n_iter_ == 1
    assert_allclose(model.coefs_[0], before, rtol=0, atol=1e-9)


def test_a_cv_on_dependent_columns_chooses_the_lasso_s_strength():
    X, y = problem("totals")
    reference = LassoCV(alphas=40, eps=1e-3, cv=4, **EXACT).fit(X, y)
    model = RegularizedMLPRegressor(**LINEAR)
    search = RegularizedMLPRegressorCV(
        model,
        param="l1_per_layer",
        n_strengths=40,
        eps=1e-3,
        adaptive=False,
        relaxed=False,
        cv=KFold(4),
        selection="min",
    ).fit(X, y)
    assert search.strength_ == pytest.approx(reference.alpha_)


def test_a_cv_of_several_outputs_at_the_default_tolerance():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(45, 40))
    Y = X[:, :8] @ rng.normal(size=(8, 3)) + 0.5 * rng.normal(size=(45, 3))
    reference = MultiTaskElasticNetCV(cv=3, alphas=30, **EXACT).fit(X, Y)
    search = RegularizedMLPRegressorCV(
        RegularizedMLPRegressor(**LINEAR),
        n_strengths=30,
        eps=1e-3,
        l1_ratio=0.5,
        adaptive=False,
        relaxed=False,
        cv=KFold(3),
        selection="min",
    ).fit(X, Y)
    assert search.strength_ == pytest.approx(reference.alpha_)
    assert_allclose(search.mse_path_[::-1], reference.mse_path_, rtol=1e-5)


@pytest.mark.parametrize("size", [1e155, 1e300, 1e-200])
@pytest.mark.parametrize("which", ["X", "y"])
def test_data_beyond_float64_is_an_error(which, size):
    rng = np.random.default_rng(0)
    X, y = rng.uniform(size=(20, 3)), rng.uniform(size=20)
    X, y = (size * X, y) if which == "X" else (X, size * y)
    message = f"{which} has values too {'large' if size > 1 else 'small'}.*scale {which}"
    model = RegularizedMLPRegressor(**LINEAR, l1_per_layer=1e-3)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    if which == "X":
        with pytest.raises(ValueError, match=message):
            regularization_path(model, X, y, n_strengths=3)


def test_large_units_give_the_same_model():
    rng = np.random.default_rng(0)
    X, y = rng.uniform(size=(20, 3)), rng.uniform(size=20)
    expected = LinearRegression().fit(X, y).coef_
    for size in (1e-140, 1e140):
        coef = fitted(size * X, y).coefs_[0][:, 0]
        assert_allclose(coef * size, expected, rtol=1e-9)
