"""L-BFGS-B on positive and negative parts finds known optima, with exact zeros."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from support.quadratics import Problem, known_quadratic, mirrored_rosenbrock, never, penalty_of

from skmlp.engine.descent.lbfgsb import lbfgsb


def run(problem, x, tol=1e-9, max_iter=5000, max_fun=10**5, monitor=never):
    return lbfgsb(problem, np.asarray(x, dtype=float), tol, max_iter, max_fun, monitor)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e3])
@pytest.mark.parametrize("seed", range(3))
def test_known_solution_of_a_quadratic(seed, condition):
    problem, solution = known_quadratic(seed, condition=condition)
    end = run(problem, np.ones_like(solution))
    assert end.residual <= 1e-7  # where the rounding of F ends the line search
    assert_array_equal(end.x != 0, solution != 0)
    assert_allclose(end.x, solution, atol=1e-7 * condition)


def test_non_positive_coefficients():
    problem, solution = known_quadratic(0, non_positive=True)
    end = run(problem, np.ones_like(solution))
    assert end.residual <= 1e-7
    assert_array_equal(end.x != 0, solution != 0)


@pytest.mark.parametrize(
    "penalty",
    [{}, {"lower": 0.0}, {"upper": 0.0}, {"lower": [0, -np.inf] * 3, "upper": [np.inf, 0] * 3}],
)
def test_rosenbrock_equals_scipy(penalty):
    problem = mirrored_rosenbrock(6, **penalty)
    low, high = problem.penalty.lower, problem.penalty.upper
    start = np.clip(np.full(6, -0.3), low, high)
    start[(low == 0)] = 0.3
    reference = minimize(
        problem.value,
        start,
        jac=lambda x: problem.value_and_gradient(x)[1],
        method="SLSQP",
        bounds=list(zip(low, high, strict=True)),
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    end = run(problem, start)
    assert end.residual <= 1e-6
    assert_allclose(end.x, reference.x, atol=1e-5)


def test_excluded_coefficients_stay_zero():
    problem = mirrored_rosenbrock(
        4, l1=[0.1, 0.0, 0.1, 0.0], lower=[0, 0, -np.inf, -np.inf], upper=[0, 0, np.inf, np.inf]
    )
    end = run(problem, np.full(4, -0.5))
    assert_array_equal(end.x[:2], 0)
    assert (end.x[2:] != 0).all()
    assert end.residual <= 1e-6


@pytest.mark.parametrize("size", [3, 8])
def test_soft_threshold(size):
    """The lasso of the identity is the soft threshold of its target."""
    target, l1 = np.linspace(-2, 2, size), np.linspace(0.0, 1.5, size)
    problem = Problem(
        lambda x: 0.5 * (x - target) @ (x - target), lambda x: x - target, penalty_of(size, l1)
    )
    end = run(problem, np.ones(size), tol=1e-13)
    expected = np.sign(target) * np.maximum(np.abs(target) - l1, 0)
    assert_allclose(end.x, expected, atol=1e-12)
    assert_array_equal(end.x == 0, expected == 0)


def test_parameters_after_the_weights_have_no_penalty():
    """l1 belongs to the first entries of the row: biases lie behind them."""
    penalty = penalty_of(3, 0.5)
    longer = type(penalty)(penalty.l1, penalty.l2, np.full(5, -np.inf), np.full(5, np.inf))
    target = np.array([2.0, 0.1, -2.0, 0.1, -0.1])
    problem = Problem(lambda x: 0.5 * (x - target) @ (x - target), lambda x: x - target, longer)
    end = run(problem, np.zeros(5))
    assert_allclose(end.x, [1.5, 0, -1.5, 0.1, -0.1], atol=1e-12)


def test_counts_and_monitor():
    problem, solution = known_quadratic(0)
    seen = []

    def monitor(x, value):
        seen.append((value, problem.total(x)))
        return len(seen) == 5

    end = run(problem, np.ones_like(solution), monitor=monitor)
    values = np.array(seen)
    assert end.n_iter == len(seen) == 5
    assert end.n_evaluations <= problem.n_evaluations <= end.n_evaluations + 1
    # both halves of a coefficient may be positive on the way: never below the objective
    assert (values[:, 0] >= values[:, 1] - 1e-12).all()
    assert (np.diff(values[:, 0]) < 0).all()
    assert run(problem, np.ones_like(solution), max_iter=3).n_iter == 3
