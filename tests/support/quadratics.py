"""Smooth functions with an L1 penalty and bounds, for the deterministic solvers."""

import numpy as np
from scipy.optimize import rosen, rosen_der

from skmlp.engine.penalty.prox import PenaltyNumbers


def penalty_of(size, l1=0.0, lower=-np.inf, upper=np.inf):
    """Numbers of a penalty, each given once for all coefficients or one by one."""
    spread = [np.broadcast_to(value, size).astype(float) for value in (l1, lower, upper)]
    return PenaltyNumbers(spread[0], np.zeros(size), *spread[1:])


class Problem:
    """A smooth function by its value and gradient, and a penalty; counts its evaluations."""

    def __init__(self, value, gradient, penalty):
        self._value, self._gradient, self.penalty = value, gradient, penalty
        self.n_evaluations = 0

    def value(self, x):
        self.n_evaluations += 1
        return self._value(x)

    def value_and_gradient(self, x):
        self.n_evaluations += 1
        return self._value(x), self._gradient(x)

    def total(self, x):
        """The smooth function and the penalty; infinite outside the bounds."""
        inside = (x >= self.penalty.lower).all() and (x <= self.penalty.upper).all()
        return self._value(x) + self.penalty.value(x) if inside else np.inf


def known_quadratic(seed, size=30, condition=1e3, non_positive=False):
    """(problem, solution): the solution is chosen first and the linear term made to fit it.

    Every second coefficient is bounded by zero from below (from above, if ``non_positive``); half
    of all are zero at the solution, strictly inside their optimality conditions.
    """
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    matrix = basis * np.geomspace(1, 1 / condition, size) @ basis.T
    bounded, zero = np.arange(size) % 2 == 1, rng.uniform(size=size) < 0.5
    side = -1.0 if non_positive else 1.0
    sign = np.where(bounded, side, rng.choice([-1.0, 1.0], size))
    solution = np.where(zero, 0.0, sign * rng.uniform(0.5, 2, size))
    l1 = rng.choice([0.1, 0.3], size)
    subgradient = np.where(zero, rng.uniform(-0.9, 0.9, size), sign)
    subgradient[zero & bounded] -= 3.0 * side  # a bound pushes back without limit
    linear = matrix @ solution + l1 * subgradient
    lower = np.where(bounded & (side > 0), 0.0, -np.inf)
    upper = np.where(bounded & (side < 0), 0.0, np.inf)
    penalty = penalty_of(size, l1, lower, upper)
    problem = Problem(
        lambda x: 0.5 * x @ matrix @ x - linear @ x, lambda x: matrix @ x - linear, penalty
    )
    return problem, solution


def mirrored_rosenbrock(size, **penalty):
    """Rosenbrock's function of -x, least at minus one."""
    return Problem(lambda x: rosen(-x), lambda x: -rosen_der(-x), penalty_of(size, **penalty))


def never(x, value):
    """A monitor that does not stop."""
    return False
