"""Quadratics with an L1 penalty and bounds, solved to rounding.

    minimise  1/2 b' G b - c' b + sum_j l1_j |b_j| + l2_j / 2 b_j^2   subject to the bounds,

by the closed-form solution on a support, whose signs and members are corrected until the optimality
conditions hold; where that does not end, L-BFGS-B on the split problem finds a nearer support.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .gram import Columns, Gram
from .lbfgsb import lbfgsb
from .panoc import panoc
from .penalties import PenaltyNumbers
from .task import Task

STEPS = ((None, 0.0), (lbfgsb, 1e-4), (lbfgsb, 1e-7), (lbfgsb, 1e-10), (panoc, 1e-10))
MAX_CORRECTIONS = 40
PATIENCE = 3
OPTIMALITY_ROUNDING = 1e-10


def violation(penalty: PenaltyNumbers, gradient: np.ndarray) -> np.ndarray:
    """How far zero coefficients violate their condition; -1 where a bound holds them."""
    excess = np.abs(gradient) - penalty.l1
    excess[(penalty.lower == 0) & (gradient > 0)] = -1.0
    excess[penalty.upper == 0] = -1.0
    return excess


@dataclass(frozen=True)
class Quadratic:
    """One output's problem in scaled columns: the interface of FullObjective.

    ``penalty`` holds l1, l2 and bounds of the scaled coefficients.
    """

    gram: Gram | Columns
    cross: np.ndarray
    penalty: PenaltyNumbers
    rank: int

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """Of the smooth part: G b - c + l2 b."""
        return self.gram.times(b) - self.cross + self.penalty.l2 * b

    def value_and_gradient(self, b: np.ndarray) -> tuple[float, np.ndarray]:
        """The smooth part up to a constant, and its gradient."""
        gradient = self.gradient(b)
        return 0.5 * float(b @ (gradient - self.cross)), gradient

    def value(self, b: np.ndarray) -> float:
        return self.value_and_gradient(b)[0]

    def on_support(self, support: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """The stationary point with this support and these signs."""
        b = np.zeros_like(self.cross)
        if support.size:
            target = self.cross[support] - self.penalty.l1[support] * signs
            b[support] = self.gram.solve(support, self.penalty.l2[support], target)
        return b

    def polished(self, b: np.ndarray) -> np.ndarray | None:
        """The exact solution from a nearby ``b``, or None where corrections do not end.

        Coefficients that leave their sign or bound are dropped and zeros that violate their
        condition taken in, all at once while their number falls and else the last of them alone
        (block principal pivoting: Portugal, Judice, Vicente 1994; Kim, Park 2011).
        """
        signs = np.sign(b)
        fewest, patience = np.inf, PATIENCE
        for _ in range(MAX_CORRECTIONS):
            active = (signs != 0) | self._free
            support = np.flatnonzero(active)
            if support.size > self.rank and not self.penalty.l2.all() and not self._free.all():
                return None
            candidate = self.on_support(support, signs[support])
            gradient = self.gradient(candidate)
            wrong = self._wrong(candidate, gradient, signs, active)
            n_wrong = np.count_nonzero(wrong)
            if not n_wrong:
                return candidate
            patience = PATIENCE if n_wrong < fewest else patience - 1
            fewest = min(fewest, n_wrong)
            exchanged = wrong if patience > 0 else np.flatnonzero(wrong)[-1:]
            signs[exchanged] = np.where(active, 0.0, -np.sign(gradient))[exchanged]
        return None

    @cached_property
    def _free(self) -> np.ndarray:
        """Coefficients with neither L1 nor bounds."""
        penalty = self.penalty
        return (penalty.l1 == 0) & (penalty.lower < 0) & (penalty.upper > 0)

    def _wrong(self, candidate, gradient, signs, active) -> np.ndarray:
        """Coefficients that are not where the optimality conditions want them."""
        leaving = active & ~self._free & (candidate * signs <= 0)
        excess = violation(self.penalty, gradient)
        excess[active] = -1.0
        return leaving | (excess > OPTIMALITY_ROUNDING * np.abs(self.cross).max(initial=0.0))


def solve(problem: Quadratic, task: Task, start: np.ndarray) -> tuple[np.ndarray, bool, int]:
    """(coefficients, whether they are optimal, iterations), from ``start``.

    The corrections mostly end at once; where they do not, L-BFGS-B brings them nearer, and PANOC
    where rounding of the objective has ended that.
    """
    b, residual, n_iter = start, np.inf, 1
    size = max(np.abs(problem.cross).max(initial=0.0), np.finfo(float).tiny)
    for method, tol in STEPS:
        if method is not None and n_iter < task.max_iter:
            left = task.max_iter - n_iter
            end = method(problem, b, tol * size, left, task.max_fun, lambda x, value: False)
            b, residual, n_iter = end.x, end.residual, n_iter + end.n_iter
        exact = problem.polished(b)
        if exact is not None:
            return exact, True, n_iter
    return b, residual <= task.tol * size, n_iter
