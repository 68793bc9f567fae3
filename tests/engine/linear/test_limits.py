"""Quadratics with limits on their coefficients: solutions known by construction."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.quadratics import penalty_of

from skmlp.engine.linear.active_set import pivoted
from skmlp.engine.linear.gram import Gram
from skmlp.engine.linear.quadratic import Quadratic, solve

TASK = SimpleNamespace(max_iter=500, max_fun=5000)


def known_box(seed, n=40, p=25, correlation=0.7):
    """(problem, solution) with limits and L1: the solution is chosen and the linear term made so.

    Coefficients are at a limit, at zero or between them, some without limits or L1.
    """
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - correlation) * rng.normal(size=(n, p))
    X += np.sqrt(correlation) * rng.normal(size=(n, 1))
    lower, upper = -rng.choice([0.0, 0.5, 1.0, np.inf], p), rng.choice([0.0, 0.7, np.inf], p)
    l1 = rng.choice([0.0, 0.05], p)
    inside = np.clip(rng.normal(size=p), 0.9 * lower, 0.9 * upper)
    limits = np.where(rng.uniform(size=p) < 0.5, lower, upper)
    kind = rng.choice(3, p)
    solution = np.select([kind == 0, kind == 1], [inside, np.where(np.isinf(limits), 0, limits)])
    pull = rng.uniform(0.01, 0.1, p)  # of the conditions, strictly held
    slope = l1 * np.sign(solution) - pull * (solution == lower) + pull * (solution == upper)
    at_zero = (solution == 0) & (lower < 0) & (upper > 0)
    slope[at_zero] = (rng.uniform(-0.9, 0.9, p) * l1)[at_zero]
    gram = X.T @ X / n
    return Quadratic(
        Gram(gram), gram @ solution + slope, penalty_of(p, l1, lower, upper), p
    ), solution


@pytest.mark.parametrize("way", ["polished", "pivoted", "solve"])
@pytest.mark.parametrize("seed", range(20))
def test_known_solution_within_limits(seed, way):
    problem, solution = known_box(seed)
    start = np.zeros_like(solution)
    if seed % 2:
        start = np.clip(np.random.default_rng(99).normal(size=start.size), *limits_of(problem))
    if way == "polished":
        ours = problem.polished(start)
    elif way == "pivoted":
        ours = pivoted(problem, start)
    else:
        ours, is_optimal, _ = solve(problem, TASK, start)
        assert is_optimal
    assert_allclose(ours, solution, rtol=0, atol=1e-9)
    at_limit = (solution != 0) & ((solution == limits_of(problem)).any(0))
    assert_array_equal(ours[at_limit], solution[at_limit])


def limits_of(problem):
    return np.stack([problem.penalty.lower, problem.penalty.upper])


@pytest.mark.parametrize("seed", range(10))
def test_limits_where_columns_depend_on_each_other(seed):
    """Each column twice: the sum of a pair is that of one column with the sum of their limits."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 8)), rng.normal(size=40) * 2
    y += X[:, :4].sum(1)
    upper, lower = rng.choice([0.2, 0.4], 8), -rng.choice([0.1, 0.3], 8)
    gram, cross, ones = X.T @ X / 40, X.T @ y / 40, np.ones((2, 2))
    doubled = penalty_of(16, 0.05, np.tile(lower, 2), np.tile(upper, 2))
    twice = Quadratic(Gram(np.kron(ones, gram)), np.tile(cross, 2), doubled, 8)
    once = Quadratic(Gram(gram), cross, penalty_of(8, 0.05, 2 * lower, 2 * upper), 8)
    both, is_optimal, _ = solve(twice, TASK, np.zeros(16))
    alone = solve(once, TASK, np.zeros(8))[0]
    assert is_optimal
    assert_allclose(both[:8] + both[8:], alone, rtol=0, atol=1e-9)
