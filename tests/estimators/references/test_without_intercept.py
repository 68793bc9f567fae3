"""Linear models without an intercept equal those of scikit-learn and scipy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import nnls
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LassoCV,
    LinearRegression,
    MultiTaskLasso,
    PoissonRegressor,
    Ridge,
    lasso_path,
)
from support.draws import begin_again
from support.linear_models import assert_same_solution, linear

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path

RNG = np.random.default_rng(0)
EXACT = {"tol": 1e-14, "max_iter": 10**5, "fit_intercept": False}
COEF = np.r_[3.0, -2.0, 1.0, 1.0, -1.0]


def shifted(n, p):
    """Columns and y far from zero, where an intercept would do most."""
    X = RNG.normal(size=(n, p)) + RNG.uniform(-1, 1, p)
    return X, X[:, :5] @ COEF + 2.0 + RNG.normal(size=n)


DATA = {"long": shifted(80, 12), "wide": shifted(30, 60)}
WEIGHT = {name: RNG.uniform(0.3, 2.0, len(y)) for name, (_, y) in DATA.items()}


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


def without(l1=0.0, l2=0.0, total_weight=1.0, **params):
    return linear(l1, l2, total_weight, fit_intercept=False, **params)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1, l2", [(0.1, 0.0), (0.05, 0.2)])
@pytest.mark.parametrize("name", DATA)
def test_equals_elastic_net(name, l1, l2, positive, weighted):
    X, y = DATA[name]
    weight = WEIGHT[name] if weighted else None
    total = len(y) if weight is None else weight.sum()
    reference = ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), positive=positive, **EXACT)
    reference.fit(X, y, weight)
    model = without(l1, l2, total, positive_weights=positive).fit(X, y, weight)
    assert_same_solution(model, reference.coef_, 0.0)
    assert_array_equal(model.intercepts_[0], [0.0])
    assert model.optimality_ < 1e-9


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", DATA)
def test_equals_ridge_and_least_squares(name, weighted):
    X, y = DATA[name]
    weight = WEIGHT[name] if weighted else None
    ridge = Ridge(alpha=7.0, fit_intercept=False, solver="svd").fit(X, y, weight)
    assert_same_solution(without(alpha=7.0).fit(X, y, weight), ridge.coef_, 0.0)
    squares = LinearRegression(fit_intercept=False).fit(X, y, weight)
    model = without().fit(X, y, weight)
    assert_allclose(model.predict(X), squares.predict(X), rtol=1e-9)
    if name == "long":
        assert_same_solution(model, squares.coef_, 0.0)


def test_equals_nnls():
    X, y = DATA["long"]
    assert_same_solution(without(positive_weights=True).fit(X, y), nnls(X, y)[0], 0.0)


def test_groups_of_outputs_are_a_multi_task_lasso():
    X, y = DATA["long"]
    Y = np.column_stack([y, 3.0 - X[:, 1] + RNG.normal(size=len(y))])
    reference = MultiTaskLasso(alpha=0.3, **EXACT).fit(X, Y)
    model = without(group_l1=0.3).fit(X, Y)
    assert_allclose(model.coefs_[0], reference.coef_.T, atol=1e-7)
    assert_array_equal(model.intercepts_[0], [0.0, 0.0])


def test_groups_of_one_column_are_a_lasso():
    X, y = DATA["wide"]
    reference = Lasso(alpha=0.2, **EXACT).fit(X, y)
    assert_same_solution(without(group_l1=0.2).fit(X, y), reference.coef_, 0.0)


def test_penalty_factors_are_units_of_columns():
    X, y = DATA["long"]
    factor = np.resize([1.0, 0.5, 2.0], X.shape[1])
    reference = Lasso(alpha=0.2, **EXACT).fit(X / factor, y)
    model = without(0.2, penalty_factor=factor).fit(X, y)
    assert_same_solution(model, reference.coef_ / factor, 0.0)


def test_a_column_of_ones_is_an_intercept():
    """Without a penalty of its own it takes up what an intercept would."""
    X, y = DATA["long"]
    expected = linear(0.1).fit(X, y)
    factor = np.r_[0.0, np.ones(X.shape[1])]
    model = without(0.1, penalty_factor=factor).fit(np.column_stack([np.ones(len(y)), X]), y)
    assert_same_solution(model, np.r_[expected.intercepts_[0], expected.coefs_[0][:, 0]], 0.0)
    assert model.get_support()[0]
    assert model.feature_importances_[0] > 0


def test_sparse_x_is_not_centred():
    X, y = DATA["wide"]
    X = np.where(X > 0.3, X, 0.0)
    dense = without(0.1).fit(X, y)
    model = without(0.1).fit(sparse.csr_array(X), y)
    assert_same_solution(model, dense.coefs_[0], 0.0)
    assert_same_solution(model, Lasso(alpha=0.1, **EXACT).fit(X, y).coef_, 0.0)


def test_normalised_y_is_divided_by_its_root_mean_square():
    X, y = DATA["long"]
    size = np.sqrt(np.mean(y**2))
    model = without(0.1, normalize_y=True).fit(X, y)
    assert_same_solution(model, Lasso(alpha=0.1 * size, **EXACT).fit(X, y).coef_, 0.0)
    constant = without(0.01, normalize_y=True).fit(X, np.full(len(y), 2.0))
    reference = Lasso(alpha=0.02, **EXACT).fit(X, np.full(len(y), 2.0))
    assert_same_solution(constant, reference.coef_, 0.0)


@pytest.mark.parametrize("normalize_y", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_poisson(solver, normalize_y):
    X, _ = DATA["long"]
    y = RNG.poisson(np.exp(0.3 * X[:, 0] - 0.2 * X[:, 1] + 0.5)).astype(float)
    reference = PoissonRegressor(alpha=0.1, fit_intercept=False, tol=1e-10, max_iter=10**4)
    reference.fit(X, y)
    params = {"loss": "poisson", "solver": solver, "tol": 1e-10, "max_iter": 4000}
    params |= {"learning_rate_init": 0.01, "normalize_y": normalize_y, "n_iter_no_change": 500}
    model = without(alpha=0.1 * len(y), **params).fit(X, y)
    atol = 1e-7 if solver == "lbfgs" else 2e-3
    assert_allclose(model.coefs_[0][:, 0], reference.coef_, atol=atol)
    assert_array_equal(model.intercepts_[0], [0.0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_epochs_hold_the_intercept_at_zero(solver):
    X, y = DATA["long"]
    plain = without(alpha=0.0, solver=solver, max_iter=20).fit(X, y)
    assert_array_equal(plain.intercepts_[0], [0.0])
    plain.partial_fit(X, y)
    assert_array_equal(plain.intercepts_[0], [0.0])
    sparse_one = without(0.1, solver=solver, max_iter=5).fit(X, y)
    assert_same_solution(sparse_one, Lasso(alpha=0.1, **EXACT).fit(X, y).coef_, 0.0)


def test_a_warm_start_leaves_the_intercept():
    X, y = DATA["long"]
    model = linear(0.1, warm_start=True).fit(X, y)
    assert model.intercepts_[0] != 0
    model.set_params(fit_intercept=False).fit(X, y)
    assert_same_solution(model, Lasso(alpha=0.1, **EXACT).fit(X, y).coef_, 0.0)


@pytest.mark.parametrize("name", DATA)
def test_path_equals_lasso_path(name):
    X, y = DATA[name]
    strengths, coefs, _ = lasso_path(X, y, alphas=8, eps=0.05, tol=1e-14, max_iter=10**5)
    path = regularization_path(without(), X, y, n_strengths=8, eps=0.05)
    assert_allclose(path.strengths, strengths[::-1], rtol=1e-12)
    for model, coef in zip(path.models, coefs.T[::-1], strict=True):
        assert_allclose(model.coefs_[0][:, 0], coef, atol=1e-8)
        assert_array_equal(model.intercepts_[0], [0.0])
    assert path.n_features[-1] == 0
    columns = path.support[0]
    refit = LinearRegression(fit_intercept=False).fit(X[:, columns], y)
    assert_allclose(path.relaxed_models[0].predict(X), refit.predict(X[:, columns]), rtol=1e-8)


def test_cv_equals_lasso_cv():
    X, y = DATA["long"]
    folds = [(np.flatnonzero(k != np.arange(80) % 4), np.arange(k, 80, 4)) for k in range(4)]
    reference = LassoCV(cv=folds, alphas=10, eps=0.01, **EXACT).fit(X, y)
    model = RegularizedMLPRegressorCV(without(), cv=folds, n_strengths=10, eps=0.01).fit(X, y)
    assert_allclose(model.strengths_, reference.alphas_[::-1], rtol=1e-12)
    assert_allclose(model.mse_path_, reference.mse_path_[::-1], rtol=1e-8)
    assert model.strength_ == pytest.approx(reference.alpha_)
    assert_same_solution(model.estimator_, reference.coef_, 0.0)


def test_hidden_layers_need_the_intercept():
    X, y = DATA["long"]
    model = RegularizedMLPRegressor(hidden_layer_sizes=(5,), fit_intercept=False)
    with pytest.raises(ValueError, match=r"fit_intercept=False is for linear .*sizes=\(5,\)"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="fit_intercept=False"):
        regularization_path(model.set_params(alpha=1.0), X, y)


@pytest.mark.parametrize("normalize_y", [False, True])
def test_poisson_path_ends_at_the_model_of_zeros(normalize_y):
    """At max_j |mean x_j (y - 1)|: the outputs are zero there, and the predictions one."""
    X, _ = DATA["long"]
    y = RNG.poisson(np.exp(0.3 * X[:, 0])).astype(float)
    model = without(loss="poisson", normalize_y=normalize_y)
    path = regularization_path(model, X, y, n_strengths=3, eps=0.1, relaxed=False)
    assert path.strengths[-1] == pytest.approx(np.abs(X.T @ (y - 1)).max() / len(y), rel=1e-9)
    assert_array_equal(path.models[-1].predict(X), 1.0)
    assert path.n_features[0] > 0 == path.n_features[-1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("y", [np.zeros(80), np.full(80, 3.0)], ids=["zeros", "threes"])
def test_targets_of_one_value(y):
    X, _ = DATA["long"]
    reference = Lasso(alpha=0.1, **EXACT).fit(X, y)
    assert_allclose(without(0.1).fit(X, y).coefs_[0][:, 0], reference.coef_, atol=1e-9)
    found = RegularizedMLPRegressorCV(without(), n_strengths=4, cv=3).fit(X, y)
    assert_array_equal(found.intercepts_[0], [0.0])
    assert found.path_.support.any() == y.any()
