"""Quadratics with an L1 penalty and bounds where columns may depend on each other: an active set.

Each step goes from a support of independent columns towards the minimum on it, or lets the one
that violates its condition most come in, of those held at zero or a bound; a coefficient that
reaches zero or a bound on the way leaves, and is held there. Where
the column that comes in depends on the support, the quadratic is flat along the step and something
leaves for it. F falls with every step, so that no support comes twice (feature-sign search: Lee,
Battle, Raina, Ng 2007; here with singular Gram matrices).
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

INDEPENDENT = 1e-11
STEPS_A_COEFFICIENT = 10


def pivoted(problem, start: np.ndarray) -> np.ndarray | None:
    """The exact solution from ``start``, or None where rounding keeps the steps from ending."""
    search = _ActiveSet(problem, start)
    for _ in range(100 + STEPS_A_COEFFICIENT * start.size):
        if search.settle():
            continue
        if not search.enter():
            return search.b if problem.is_optimal(search.b) else None
    return None


class _ActiveSet:
    """Coefficients ``b``, an independent support and the signs on it."""

    def __init__(self, problem, start: np.ndarray) -> None:
        self.problem, self.penalty, self.free = problem, problem.penalty, problem.free
        start = np.clip(start, self.penalty.lower, self.penalty.upper)
        at_bound = problem.at_bound(start)
        wanted = np.flatnonzero(((start != 0) & ~at_bound) | self.free)
        self.support = self._independent(wanted)
        self.b = np.where(at_bound, start, 0.0)
        self.b[self.support] = start[self.support]
        self.signs = np.where(self.free | at_bound, 0.0, np.sign(self.b))
        self.redundant = np.zeros(start.size, dtype=bool)
        self.is_settled = False

    def _hessian(self, support: np.ndarray) -> np.ndarray:
        matrix = self.problem.gram.block(support, support)
        matrix[np.diag_indices_from(matrix)] += self.penalty.l2[support]
        return matrix

    def _independent(self, wanted: np.ndarray) -> np.ndarray:
        if not wanted.size:
            return wanted
        matrix = self._hessian(wanted)
        largest = matrix.diagonal().max()
        _, order, rank, _ = linalg.lapack.dpstrf(matrix, tol=INDEPENDENT * largest)
        return np.sort(wanted[order[:rank] - 1]) if largest > 0 else wanted[:0]

    def settle(self) -> bool:
        """A step to the minimum on the support with its signs; whether one was needed."""
        support = self.support
        if not support.size:
            return False
        gradient = self.problem.gradient(self.b)[support]
        gradient += self.penalty.l1[support] * self.signs[support]
        self._factor = linalg.cho_factor(self._hessian(support), check_finite=False)
        if self.is_settled or np.abs(gradient).max() <= 0.1 * self.problem.rounding(self.b):
            return False
        direction = np.zeros_like(self.b)
        direction[support] = -self._solved(gradient)
        self._move(direction, 1.0)
        self.is_settled = support.size == self.support.size  # what is left is rounding
        return True

    def _solved(self, target: np.ndarray) -> np.ndarray:
        return linalg.cho_solve(self._factor, target, check_finite=False)

    def enter(self) -> bool:
        """A step that lets the worst of those held come in; whether there was any."""
        gradient = self.problem.gradient(self.b)
        excess = self.problem.excess(gradient, self.b)
        excess[self.support], excess[self.redundant] = -1.0, -1.0
        j = int(np.argmax(excess))
        if excess[j] <= 0.5 * self.problem.rounding(self.b):
            return False
        column = self.problem.gram.block(self.support, np.array([j]))[:, 0]
        own = float(self.problem.gram.block(np.array([j]), np.array([j]))[0, 0])
        own += self.penalty.l2[j]
        direction = np.zeros_like(self.b)
        sign = -np.sign(gradient[j]) if self.b[j] == 0 else -np.sign(self.b[j])
        direction[j], curvature = sign, own
        if self.support.size:
            reaction = self._solved(column)
            direction[self.support] = -sign * reaction
            curvature = own - float(column @ reaction)
        is_flat = curvature <= INDEPENDENT * own
        before, self.support = self.support, np.union1d(self.support, [j])
        self.signs[j] = 0.0 if self.free[j] else np.sign(self.b[j]) or sign
        if not self._move(direction, np.inf if is_flat else excess[j] / curvature):
            self.support, self.signs[j] = before, 0.0
            self.redundant[j] = True  # a free combination of free columns
            return True
        self.is_settled = False
        return True

    def _move(self, direction: np.ndarray, most: float) -> bool:
        """Go along ``direction`` to where a sign or a bound ends; whether there is an end."""
        bounds = np.where(direction > 0, self.penalty.upper, self.penalty.lower)
        towards = self.problem.kinked & (self.signs * direction < 0)
        ends = np.where(towards, 0.0, bounds)
        is_ahead = (direction != 0) & np.isfinite(ends) & ((self.b != 0) | (ends != 0))
        blocking = np.flatnonzero(is_ahead)
        steps = (ends[blocking] - self.b[blocking]) / direction[blocking]
        step = min(most, steps.min(initial=np.inf))
        if not np.isfinite(step):
            return False
        self.b = self.b + step * direction
        leaving = blocking[steps <= step * (1 + 1e-14)]
        self.b[leaving], self.signs[leaving] = ends[leaving], 0.0
        self.support = np.setdiff1d(self.support, leaving)
        return True
