"""Linear models equal those that scikit-learn and scipy fit to the same data."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import nnls
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, PoissonRegressor, Ridge
from support.draws import begin_again
from support.linear_models import assert_same_solution, linear

pytestmark = pytest.mark.filterwarnings("error")
RNG = np.random.default_rng(0)
EXACT = {"tol": 1e-15, "max_iter": 10**5}


def exactly(reference, X, y, sample_weight=None):
    """scikit-learn's solution to rounding, where it may say that rounding hides the duality gap."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return reference.set_params(**EXACT).fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


def sparse_signal(n, p, scale=1.0):
    """X (n, p) and y with five informative columns."""
    X = RNG.normal(size=(n, p)) * scale
    return X, X[:, :5] @ [3.0, -2.0, 1.0, 1.0, -1.0] / scale + RNG.normal(size=n)


def wide():
    return sparse_signal(40, 100)


def nearly_collinear():
    X, y = sparse_signal(80, 12)
    return np.hstack([X, X + 1e-3 * RNG.normal(size=X.shape)]), y


def repeated_columns():
    X, y = sparse_signal(80, 8)
    return np.hstack([X, X]), y


def constant_columns():
    X, y = sparse_signal(60, 12)
    X[:, [2, 7]] = [0.0, 1e4]
    return X, y


def uncentred():
    X, y = sparse_signal(100, 10)
    return X + 1e4 * np.arange(10), y + 1e5


def badly_scaled():
    X, y = sparse_signal(100, 8)
    return X * np.logspace(-2, 2, 8), y


def mostly_zeros():
    X, y = sparse_signal(100, 20)
    X[RNG.uniform(size=X.shape) < 0.8] = 0.0
    return X, y


DATA = {
    make.__name__: make()
    for make in (wide, nearly_collinear, constant_columns, uncentred, badly_scaled, mostly_zeros)
}
STRENGTHS = [(0.01, 0.0), (0.3, 0.0), (0.05, 0.05), (0.001, 0.5)]


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1, l2", STRENGTHS)
@pytest.mark.parametrize("name", DATA)
def test_equals_elastic_net(name, l1, l2, positive):
    X, y = DATA[name]
    reference = ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), positive=positive)
    # centred beforehand, as scikit-learn's own centring of large means costs it digits
    mean = X.mean(0)
    exactly(reference, X - mean, y)
    model = linear(l1, l2, len(y), positive_weights=positive).fit(X, y)
    assert_same_solution(model, reference.coef_, reference.intercept_ - mean @ reference.coef_)


def test_repeated_columns_share_a_ridge_penalty():
    X, y = repeated_columns()
    reference = exactly(ElasticNet(alpha=0.2, l1_ratio=0.5), X, y)
    model = linear(0.1, 0.1, len(y)).fit(X, y)
    assert_same_solution(model, reference.coef_, reference.intercept_)


def test_repeated_columns_of_a_lasso_have_its_objective():
    X, y = repeated_columns()
    reference = exactly(Lasso(alpha=0.1), X, y)
    model = linear(0.1).fit(X, y)
    objective = 0.5 * np.mean((y - reference.predict(X)) ** 2) + 0.1 * np.abs(reference.coef_).sum()
    assert model.objective_ == pytest.approx(objective, rel=1e-13)
    assert_allclose(model.predict(X), reference.predict(X), rtol=1e-10)
    assert model.optimality_ < 1e-12


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["wide", "uncentred", "badly_scaled"])
def test_equals_ridge(name, weighted):
    X, y = DATA[name]
    weight = RNG.uniform(0.5, 2, len(y)) if weighted else None
    mean = np.average(X, axis=0, weights=weight)
    reference = Ridge(alpha=7.0, solver="svd").fit(X - mean, y, weight)
    model = linear(alpha=7.0).fit(X, y, weight)
    assert_same_solution(model, reference.coef_, reference.intercept_ - mean @ reference.coef_)


def test_no_penalty_is_least_squares():
    X, y = sparse_signal(50, 10)
    reference = LinearRegression().fit(X, y)
    assert_same_solution(linear().fit(X, y), reference.coef_, reference.intercept_)


def test_non_negative_least_squares():
    X, y = sparse_signal(80, 15)
    coef, _ = nnls(X - X.mean(0), y - y.mean())
    model = linear(positive_weights=True).fit(X, y)
    assert_same_solution(model, coef, y.mean() - X.mean(0) @ coef)


@pytest.mark.parametrize("weighted", [False, True])
def test_each_output_is_a_lasso_of_its_own(weighted):
    X, _ = DATA["wide"]
    y = X[:, :6].reshape(len(X), 3, 2).sum(2) * [1.0, 10.0, 0.1] + RNG.normal(size=(len(X), 3))
    weight = RNG.uniform(0.5, 2, len(y)) if weighted else None
    columns = [exactly(Lasso(alpha=0.15), X, column, weight) for column in y.T]
    model = linear(0.15).fit(X, y, weight)
    coef = np.column_stack([column.coef_ for column in columns])
    assert_same_solution(model, coef, [column.intercept_ for column in columns])


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("name", ["mostly_zeros", "uncentred", "badly_scaled"])
def test_sparse_x(name, container):
    X, y = DATA[name]
    mean = X.mean(0)
    reference = exactly(Lasso(alpha=0.1), X - mean, y)
    model = linear(0.1).fit(container(X), y)
    assert_same_solution(model, reference.coef_, reference.intercept_ - mean @ reference.coef_)


@pytest.mark.parametrize("mean", [1e7, 1e8, 2e8, 3e8])
def test_sparse_column_far_from_zero(mean):
    """Sums of squares lose a deviation of one beside a mean of 1e8."""
    X, y = sparse_signal(100, 5)
    X[:, 1] += mean
    coef = linear(0.1).fit(sparse.csr_array(X), y).coefs_[0][:, 0]
    X[:, 1] -= mean
    assert_allclose(coef, exactly(Lasso(alpha=0.1), X, y).coef_, rtol=0, atol=1e-6)


def test_penalty_factors_nought_and_infinity():
    """An excluded column is a dropped one; a free one is a factor of nearly nothing."""
    X, y = sparse_signal(100, 10)
    factor = np.array([0.0, 1, 2, 1, 0, 0.5, np.inf, 1, np.inf, 3])
    kept = np.isfinite(factor)
    model = linear(0.4, 0.3, len(y), penalty_factor=factor).fit(X, y)
    dropped = linear(0.4, 0.3, len(y), penalty_factor=factor[kept]).fit(X[:, kept], y)
    coef = np.zeros(10)
    coef[kept] = dropped.coefs_[0][:, 0]
    assert_same_solution(model, coef, dropped.intercepts_[0])


def test_columns_without_penalty_are_projected_out():
    """Lasso of residuals on residuals (Frisch, Waugh, Lovell) with two unpenalised columns."""
    X, y = sparse_signal(100, 10)
    free = np.column_stack([np.ones(100), X[:, :2]])
    left = np.eye(100) - free @ np.linalg.pinv(free)
    reference = exactly(Lasso(alpha=0.3, fit_intercept=False), left @ X[:, 2:], left @ y)
    rest = np.linalg.lstsq(free, y - X[:, 2:] @ reference.coef_)[0]
    model = linear(0.3, penalty_factor=[0.0] * 2 + [1.0] * 8).fit(X, y)
    assert_same_solution(model, [*rest[1:], *reference.coef_], rest[0])


@pytest.mark.parametrize("loss, l1", [("squared_error", 0.05), ("poisson", 0.0)])
def test_normalize_y_is_the_fit_on_standardized_y(loss, l1):
    X, y = sparse_signal(100, 10)
    y = np.exp(0.2 * y) if loss == "poisson" else 50 * y + 1000
    scale = y.mean() if loss == "poisson" else y.std()
    shift = 0 if loss == "poisson" else y.mean()
    params = {"loss": loss, "l1": l1, "tol": 1e-10, "max_iter": 1000}
    model = linear(**params, normalize_y=True).fit(X, y)
    by_hand = linear(**params).fit(X, (y - shift) / scale)
    assert_allclose(model.predict(X), shift + scale * by_hand.predict(X), rtol=1e-10)
    assert model.objective_ == pytest.approx(by_hand.objective_, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 3.0])
def test_poisson_equals_poisson_regressor(alpha, weighted):
    X = RNG.normal(size=(150, 6))
    y = RNG.poisson(np.exp(0.5 * X[:, 0] - 0.3 * X[:, 1] + 1.0))
    weight = RNG.uniform(0.5, 2, len(y)) if weighted else None
    reference = PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-12).fit(X, y, weight)
    total_weight = len(y) if weight is None else weight.sum()
    model = linear(0.0, alpha, total_weight, loss="poisson", tol=1e-11, max_iter=1000)
    model.fit(X, y, weight)
    assert_same_solution(model, reference.coef_, reference.intercept_)
    assert_allclose(model.predict(X), reference.predict(X), rtol=1e-8)


# adam and sgd

RATES = {"adam": 0.01, "sgd": 0.05}


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("batch_size", [50, 200])
@pytest.mark.parametrize("solver", RATES)
def test_stochastic_solvers_find_the_lasso(solver, batch_size, positive):
    X, y = make_regression(200, 15, n_informative=5, noise=5.0, random_state=0)
    y = (y - y.mean()) / y.std()
    reference = exactly(Lasso(alpha=0.05, positive=positive), X, y)
    model = linear(
        0.05,
        solver=solver,
        batch_size=batch_size,
        positive_weights=positive,
        learning_rate_init=RATES[solver],
        max_iter=150,
        n_iter_no_change=np.inf,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)  # the closing steps meet the tolerance
        model.fit(X, y)
    assert 0 < np.count_nonzero(reference.coef_) < 15
    assert_same_solution(model, reference.coef_, reference.intercept_)
    assert model.optimality_ < 1e-8
