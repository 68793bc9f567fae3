"""PANOC finds optima known by construction and those of SciPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import Bounds, minimize
from support.quadratics import Problem, known_quadratic, mirrored_rosenbrock, never, penalty_of

from skmlp.engine.descent.panoc import panoc


def run(problem, x, tol=1e-10, max_iter=5000, max_fun=10**5, monitor=never):
    return panoc(problem, np.asarray(x, dtype=float), tol, max_iter, max_fun, monitor)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4])
@pytest.mark.parametrize("non_positive", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_known_solution_of_a_quadratic(seed, non_positive, condition):
    problem, solution = known_quadratic(seed, condition=condition, non_positive=non_positive)
    end = run(problem, np.ones_like(solution), tol=1e-12)
    assert end.residual <= 1e-12
    assert_array_equal(end.x != 0, solution != 0)
    assert_allclose(end.x, solution, atol=1e-10 * condition)


@pytest.mark.parametrize("start", [-1.5, 0.0, 3.0])
def test_rosenbrock(start):
    end = run(mirrored_rosenbrock(6), np.full(6, start) + 0.1 * np.arange(6), tol=1e-8)
    reference = minimize(
        lambda x: mirrored_rosenbrock(6).value(x), end.x, method="Nelder-Mead", tol=1e-12
    )
    assert end.residual <= 1e-8
    assert_allclose(end.x, reference.x, atol=1e-6)


@pytest.mark.parametrize("bounds", [{"lower": 0.0}, {"upper": 0.0}])
def test_bounded_rosenbrock_equals_scipy(bounds):
    problem = mirrored_rosenbrock(6, **bounds)
    penalty = problem.penalty
    start = np.full(6, 0.3 if "lower" in bounds else -0.3)
    reference = minimize(
        problem.value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(penalty.lower, penalty.upper),
        options={"gtol": 1e-12, "ftol": 0.0},
    )
    end = run(problem, start, tol=1e-8)
    assert end.residual <= 1e-8
    assert_allclose(end.x, reference.x, atol=1e-6)


def test_excluded_coefficients_stay_zero():
    problem = mirrored_rosenbrock(
        4, l1=[0.1, 0.0, 0.1, 0.0], lower=[0, 0, -np.inf, -np.inf], upper=[0, 0, np.inf, np.inf]
    )
    end = run(problem, np.full(4, -0.5))
    assert_array_equal(end.x[:2], 0)
    assert (end.x[2:] != 0).all()
    assert end.residual <= 1e-10


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


def test_penalised_rosenbrock_is_stationary_and_below_its_start():
    """From its end SciPy finds nothing lower near by."""
    problem = mirrored_rosenbrock(4, l1=5.0)
    end = run(problem, np.full(4, -0.9), tol=1e-9)
    lower = minimize(problem.total, end.x, method="Nelder-Mead", options={"xatol": 1e-9})
    assert end.residual <= 1e-9
    assert problem.total(end.x) < problem.total(np.full(4, -0.9))
    assert lower.fun >= problem.total(end.x) - 1e-9


def test_first_step_is_scaled_by_curvature():
    """A unit step would jump to zero and stay: the function is steep, its optimum positive."""
    problem = Problem(
        lambda x: 5e5 * (x - 1) @ (x - 1), lambda x: 1e6 * (x - 1), penalty_of(5, 1.0, 0)
    )
    end = run(problem, np.full(5, 0.5))
    assert_allclose(end.x, 1 - 1e-6, rtol=1e-10)


def test_starts_within_bounds():
    problem, solution = known_quadratic(0)
    seen = []
    run(problem, -10 * np.ones_like(solution), monitor=lambda x, value: seen.append(x) or False)
    inside = [
        (x >= problem.penalty.lower).all() and (x <= problem.penalty.upper).all() for x in seen
    ]
    assert len(inside) > 5
    assert all(inside)


def test_monitor_sees_values_and_stops():
    problem, solution = known_quadratic(0)
    values = []

    def monitor(x, value):
        values.append((value, problem.total(x)))
        return len(values) == 7

    end = run(problem, np.ones_like(solution), monitor=monitor)
    values = np.array(values)
    assert end.n_iter == 7
    # the envelope lies above the value at the forward-backward step
    assert (values[:, 0] >= values[:, 1] - 1e-12).all()
    assert (np.diff(values[:, 0]) <= 1e-12).all()


def test_limits_and_counts():
    problem, solution = known_quadratic(0, condition=1e6)
    end = run(problem, np.ones_like(solution), tol=0.0, max_iter=5)
    assert end.n_iter == 5
    assert end.n_evaluations == problem.n_evaluations
    assert "limit" in end.message


@pytest.mark.parametrize("max_fun", range(3, 40))
def test_never_ends_above_its_start(max_fun):
    """Also where evaluations run out within a line search."""
    problem, solution = known_quadratic(1)
    start = 0.01 * np.sign(solution)
    end = run(problem, start, tol=0.0, max_fun=max_fun)
    assert problem.total(end.x) <= problem.total(start)


def test_ends_no_worse_with_more_evaluations():
    values = []
    for max_fun in range(10, 160, 7):
        problem, solution = known_quadratic(2, condition=1e2)
        values.append(problem.total(run(problem, np.ones_like(solution), 0.0, max_fun=max_fun).x))
    best = np.minimum.accumulate(values)
    assert_allclose(values, best, rtol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_stays_at_the_solution(seed):
    """Iterations beyond rounding, as in the closing steps of adam, do not leave it again."""
    problem, solution = known_quadratic(seed, size=15, condition=10.0)
    for max_fun in range(60, 240, 12):
        end = run(problem, solution + 1e-3 * np.sign(solution), tol=0.0, max_fun=max_fun)
        assert_allclose(end.x, solution, atol=1e-10)


def test_not_finite():
    problem = Problem(lambda x: np.nan, lambda x: np.full(3, np.nan), penalty_of(3))
    end = run(problem, np.ones(3), max_iter=3, max_fun=2000)
    assert end.residual == np.inf
    assert "not finite" in end.message
    assert problem.n_evaluations < 200
