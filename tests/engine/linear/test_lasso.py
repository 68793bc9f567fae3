"""The closed form on a support: from anywhere, through ties, repeats and hard designs."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, lars_path
from support.engine_tasks import task_of
from support.quadratics import penalty_of

from skmlp import RegularizedMLPRegressor
from skmlp.engine.linear import quadratic
from skmlp.engine.linear.gram import Columns, Gram
from skmlp.engine.linear.lasso import Moments, solve_linear
from skmlp.engine.linear.quadratic import Quadratic, SmoothQuadratic
from skmlp.engine.runtime import one_fit
from skmlp.engine.task import Samples, Status

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0}


def quadratic_of(X, y, **penalty):
    """The problem of centred X and y, each row counted 1 / n."""
    gram, cross = X.T @ X / len(X), X.T @ y / len(X)
    return Quadratic(Gram(gram), cross, penalty_of(X.shape[1], **penalty), min(X.shape))


def centred(n, p):
    X = RNG.normal(size=(n, p))
    X -= X.mean(0)
    return X, X[:, :3] @ [2.0, -1.0, 1.0] + 0.5 * RNG.normal(size=n)


@pytest.mark.parametrize("outputs", [(), (3,)])
def test_smooth_part_is_its_formula(outputs):
    """Of a quadratic central differences are the derivatives, whatever their step."""
    rng = np.random.default_rng(1)
    G, C = np.cov(rng.normal(size=(4, 9))), rng.normal(size=(4, *outputs))
    l2, b = rng.uniform(size=C.size), rng.normal(size=C.size)
    problem = SmoothQuadratic(Gram(G), C, replace(penalty_of(C.size), l2=l2))

    def formula(b):
        B = b.reshape(4, -1)
        linear = np.trace(C.reshape(4, -1).T @ B)
        return 0.5 * np.trace(B.T @ G @ B) - linear + 0.5 * l2 @ b**2

    value, gradient = problem.value_and_gradient(b)
    assert_allclose(value, formula(b), rtol=1e-12)
    differences = [formula(b + e) - formula(b - e) for e in 0.5 * np.eye(C.size)]
    assert_allclose(gradient, differences, rtol=1e-10)


@pytest.mark.parametrize("start", ["zero", "other support", "random", "solution"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1", [0.02, 0.3])
def test_polished_from_anywhere(l1, positive, start):
    X, y = centred(60, 10)
    problem = quadratic_of(X, y, l1=l1, lower=0.0 if positive else -np.inf)
    reference = Lasso(l1, fit_intercept=False, positive=positive, tol=1e-15, max_iter=10**5)
    expected = reference.fit(X, y).coef_
    starts = {
        "zero": np.zeros(10),
        "other support": np.where(expected == 0, 1.0, 0.0),
        "random": np.abs(RNG.normal(size=10)),
        "solution": expected,
    }
    ours = problem.polished(starts[start])
    assert_array_equal(ours != 0, expected != 0)
    assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_stationary_point_on_a_support():
    X, y = centred(60, 6)
    problem = quadratic_of(X, y, l1=0.1)
    support, signs = np.array([1, 4]), np.array([1.0, -1.0])
    b = problem.on_support(support, signs, np.zeros(6))
    gradient = X.T @ (X @ b - y) / 60
    assert_allclose(gradient[support], -0.1 * signs, rtol=1e-12)
    assert_array_equal(b[[0, 2, 3, 5]], 0)
    held = np.r_[0.5, 9.0, 0.0, -0.25, 9.0, 0.0]
    b = problem.on_support(support, signs, held)
    assert_allclose((X.T @ (X @ b - y) / 60)[support], -0.1 * signs, rtol=1e-12)
    assert_array_equal(b[[0, 2, 3, 5]], held[[0, 2, 3, 5]])
    assert_array_equal(problem.on_support(np.array([], dtype=int), np.array([]), held), held)


def test_value_and_gradient():
    X, y = centred(60, 6)
    b = RNG.normal(size=6)
    problem = quadratic_of(X, y)
    value, gradient = problem.value_and_gradient(b)
    expected = 0.5 * np.mean((y - X @ b) ** 2) - 0.5 * np.mean(y**2)
    assert value == pytest.approx(expected, rel=1e-12)
    assert_allclose(gradient, X.T @ (X @ b - y) / 60, rtol=1e-10)


@pytest.mark.parametrize("knot", [0, 1, 2, 4])
def test_ties_at_the_knots_of_the_path(knot):
    """At a knot of LARS a coefficient is zero with its condition met with equality."""
    X, y = centred(60, 8)
    alphas, _, coefs = lars_path(X, y, method="lasso")
    ours = quadratic_of(X, y, l1=alphas[knot]).polished(np.zeros(8))
    assert_allclose(ours, coefs[:, knot], rtol=0, atol=1e-12)


def test_no_solution_is_none():
    """More active coefficients than rows and no ridge: corrections end with None, not an error."""
    X, y = centred(5, 12)
    assert quadratic_of(X, y, l1=1e-9).polished(RNG.normal(size=12)) is None


@pytest.mark.parametrize("seed", range(25))
def test_corrections_do_not_cycle(seed):
    """Random non-negative least squares of strongly correlated columns, from zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 1)) + 0.3 * rng.normal(size=(40, 25))
    y = rng.normal(size=40)
    expected = nnls(X, y)[0]
    ours = quadratic_of(X, y, lower=0.0).polished(np.zeros(25))
    assert_allclose(ours, expected, rtol=0, atol=1e-10 * max(1, np.abs(expected).max()))


HARD = {
    "equicorrelated": (80, 60, 0.95, 0.01),
    "wide": (30, 120, 0.0, 0.02),
    "wide and correlated": (30, 120, 0.9, 0.01),
    "nearly interpolating": (20, 60, 0.5, 1e-4),
}


def hard_design(name):
    """(X, y, l1): equicorrelated columns, five of them informative."""
    n, p, correlation, l1 = HARD[name]
    rng = np.random.default_rng(1)
    X = np.sqrt(1 - correlation) * rng.normal(size=(n, p))
    X += np.sqrt(correlation) * rng.normal(size=(n, 1))
    return X, X[:, :5].sum(1) + rng.normal(size=n), l1


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("name", HARD)
def test_hard_designs_are_solved_to_rounding(name, positive):
    X, y, l1 = hard_design(name)
    task = task_of(
        X, y, **LINEAR, l1_per_layer=l1, positive_weights=positive, tol=1e-12, max_iter=1000
    )
    with one_fit():  # as fits do: rounding differs with the number of BLAS threads
        solution = solve_linear(task)
    coef = solution.weights.coefs[0][:, 0]
    assert solution.status is Status.CONVERGED
    assert np.count_nonzero(coef) <= min(len(X) - 1, X.shape[1])
    gradient = (X - X.mean(0)).T @ (X @ coef + solution.weights.intercepts[0] - y) / len(X)
    active = coef != 0
    assert_allclose(gradient[active], -l1 * np.sign(coef[active]), rtol=0, atol=1e-11)
    inactive = -gradient[~active] if positive else np.abs(gradient[~active])
    assert (inactive <= l1 + 1e-11).all()
    assert solution.optimality < 1e-11


@pytest.mark.parametrize("name", HARD)
def test_default_fit_is_exact_or_warns(name):
    X, y, l1 = hard_design(name)
    model = RegularizedMLPRegressor(**LINEAR, normalize_y=False, l1_per_layer=l1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    reference = Lasso(l1, tol=1e-15, max_iter=10**6).fit(X, y)
    error = np.abs(model.coefs_[0][:, 0] - reference.coef_).max()
    warned = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    assert warned or error <= 1e-8 * np.abs(reference.coef_).max()


def test_large_penalty_is_the_mean():
    X, y = RNG.normal(size=(30, 4)) + 5, RNG.normal(size=30) + 3
    largest = np.abs((X - X.mean(0)).T @ (y - y.mean())).max() / 30
    for factor, n_active in [(1 + 1e-9, 0), (1 - 1e-6, 1)]:
        weights = solve_linear(task_of(X, y, **LINEAR, l1_per_layer=factor * largest)).weights
        assert np.count_nonzero(weights.coefs[0]) == n_active
        assert weights.intercepts[0][0] == pytest.approx(y.mean(), rel=1e-5)


@pytest.mark.parametrize("l1", [0.0, 0.1])
def test_degenerate_data(l1):
    X = RNG.normal(size=(20, 3))
    cases = [(X, np.full(20, 4.0)), (np.ones((20, 3)), X[:, 0]), (X[:1], np.array([2.0]))]
    for data, y in cases:
        solution = solve_linear(task_of(data, y, **LINEAR, l1_per_layer=l1))
        assert_allclose(solution.weights.coefs[0], 0, atol=1e-15)
        assert_allclose(solution.weights.intercepts[0], y.mean(), rtol=1e-12)
        assert solution.status is Status.CONVERGED


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(dtype):
    """Weighted covariances of standardised columns, by numpy's cov, of float32 data in float64."""
    X = (RNG.normal(size=(50, 4)) * [1, 10, 0.1, 1] + [0, 100, 0, -3]).astype(dtype)
    X[:, 3] = 2
    y, weight = RNG.normal(size=(50, 2)).astype(dtype), RNG.uniform(1, 2, 50)
    moments = Moments(Samples(X, y, weight))
    joint = np.cov(np.hstack([X, y]).astype("f8").T, aweights=weight, ddof=0)
    std = np.sqrt(np.diag(joint)[:3])
    assert_allclose(moments.scale, [*std, 1.0], rtol=1e-10)
    gram = moments.gram.matrix
    assert_allclose(gram[:3, :3], joint[:3, :3] / np.outer(std, std), rtol=1e-9, atol=1e-12)
    assert_allclose(moments.gram.times(np.ones(4)), gram.sum(1), rtol=1e-12)
    assert_allclose(moments.cross[:3], joint[:3, 4:] / std[:, None], rtol=1e-9, atol=1e-12)
    assert_array_equal(gram[3], 0)
    assert_array_equal(moments.cross[3], 0)


def test_panoc_brings_nearer_where_corrections_do_not_end(monkeypatch):
    """With a single correction allowed, the search before it has to find the support."""
    monkeypatch.setattr(quadratic, "MAX_CORRECTIONS", 1)
    monkeypatch.setattr(quadratic, "FEW", 0)
    X, y = centred(60, 10)
    reference = Lasso(0.05, tol=1e-15, max_iter=10**5).fit(X, y)
    solution = solve_linear(task_of(X, y, **LINEAR, l1_per_layer=0.05))
    assert solution.n_iter > 2
    assert_allclose(solution.weights.coefs[0][:, 0], reference.coef_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("l2", [1e-6, 1e-2, 10.0])
@pytest.mark.parametrize("size", [5, 40])
def test_columns_solve_as_their_matrix(l2, size):
    """Also where the support outnumbers the rows, through the smaller system."""
    X = RNG.normal(size=(12, 40)) / np.sqrt(12)
    support, l2 = np.arange(size), l2 * RNG.uniform(1, 2, size)
    target = X[:, :size].T @ RNG.normal(size=12)
    expected = np.linalg.solve(X[:, :size].T @ X[:, :size] + np.diag(l2), target)
    for gram in (Columns(X), Gram(X.T @ X)):
        assert_allclose(gram.solve(support, l2, target), expected, rtol=1e-7, atol=1e-9)


def test_bounds_of_both_signs():
    """A coefficient that may only be negative comes in where the gradient asks for it."""
    X, _ = centred(60, 4)
    y = X @ [1.0, -1.0, 0.5, -0.5]
    lower, upper = np.array([0.0, -np.inf, 0.0, 0.0]), np.array([np.inf, 0.0, np.inf, np.inf])
    problem = quadratic_of(X, y, l1=0.01, lower=lower, upper=upper)
    task = task_of(X, y, **LINEAR)
    ours, optimal, _ = quadratic.solve(problem, task, np.zeros(4))
    flipped = X * [1, -1, 1, 1]  # the same with all coefficients non-negative
    reference = Lasso(0.01, fit_intercept=False, positive=True, tol=1e-15, max_iter=10**5)
    assert optimal
    assert_allclose(ours * [1, -1, 1, 1], reference.fit(flipped, y).coef_, rtol=0, atol=1e-12)
