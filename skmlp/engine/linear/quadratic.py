"""Quadratics with an L1 penalty and bounds, solved to rounding.

    minimise  1/2 b' G b - c' b + sum_j l1_j |b_j| + l2_j / 2 b_j^2   subject to the bounds,

by the closed-form solution on a support, whose signs and members are corrected until the optimality
conditions hold; the other coefficients are held at zero or at a bound, lower <= 0 <= upper. Where
that does not end, one step after the other on supports of independent columns (``active_set``),
which PANOC brings nearer where they are large.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..descent.panoc import panoc
from ..penalty.prox import PenaltyNumbers
from ..task import Task
from .active_set import pivoted
from .gram import Columns, Gram

NEARNESS = (1e-4, 1e-7, 1e-10)
MAX_CORRECTIONS = 40
PATIENCE = 3
OPTIMALITY_ROUNDING = 1e-10
GRADIENT_ROUNDING = 1e-13
COEFFICIENT_ROUNDING = 1e-13
FEW = 150


@dataclass(frozen=True)
class SmoothQuadratic:
    """1/2 tr(B' G B) - tr(C' B) + l2 / 2 |B|^2 of B (p,) or (p, q), flat, beside a penalty.

    It has the interface of FullObjective. ``penalty`` is that of the scaled coefficients.
    """

    gram: Gram | Columns
    cross: np.ndarray
    penalty: PenaltyNumbers

    @cached_property
    def size(self) -> float:
        """The largest of |C|, to which tolerances are relative."""
        return max(float(np.abs(self.cross).max(initial=0.0)), np.finfo(float).tiny)

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """G B - C + l2 B."""
        B = b.reshape(self.cross.shape)
        return (self.gram.times(B) - self.cross).ravel() + self.penalty.l2 * b

    def value_and_gradient(self, b: np.ndarray) -> tuple[float, np.ndarray]:
        """The function and its gradient."""
        gradient = self.gradient(b)
        return 0.5 * float(b @ (gradient - self.cross.ravel())), gradient

    def value(self, b: np.ndarray) -> float:
        return self.value_and_gradient(b)[0]


@dataclass(frozen=True)
class Quadratic(SmoothQuadratic):
    """One output's problem: an L1 penalty and bounds. A support has at most ``rank`` columns."""

    rank: int

    def restricted(self, members: np.ndarray) -> Quadratic:
        """The problem with the other coefficients at zero."""
        rank, gram = min(members.size, self.rank), self.gram.of(members)
        return Quadratic(gram, self.cross[members], self.penalty.of(members), rank)

    def rounding(self, b: np.ndarray) -> float:
        """What rounding leaves of the gradient, in columns of standard deviation one."""
        return OPTIMALITY_ROUNDING * self.size + GRADIENT_ROUNDING * float(np.abs(b).sum())

    def excess(self, gradient: np.ndarray, b: np.ndarray | float = 0.0) -> np.ndarray:
        """How far coefficients at ``b`` violate their condition; -inf where bounds hold them.

        It is the slope of F towards the side where F falls, the gradient being that of the
        quadratic; within a bound and away from zero its size.
        """
        penalty = self.penalty
        rising = gradient + penalty.l1 * np.where(b >= 0, 1.0, -1.0)
        falling = gradient + penalty.l1 * np.where(b > 0, 1.0, -1.0)
        upwards = np.where(b < penalty.upper, -rising, -np.inf)
        return np.maximum(upwards, np.where(b > penalty.lower, falling, -np.inf))

    def residual(self, b: np.ndarray, gradient: np.ndarray) -> float:
        """How far the coefficients violate their conditions: the gradient on the support, too."""
        outside = np.maximum(self.penalty.lower - b, b - self.penalty.upper)
        violations = self.excess(gradient, b)
        return float(max(violations.max(initial=0.0), outside.max(initial=0.0)))

    def is_optimal(self, b: np.ndarray, gradient: np.ndarray | None = None) -> bool:
        """Whether all optimality conditions hold to rounding; the gradient is that at b."""
        gradient = self.gradient(b) if gradient is None else gradient
        return self.residual(b, gradient) <= self.rounding(b)

    def on_support(self, support: np.ndarray, signs: np.ndarray, held: np.ndarray) -> np.ndarray:
        """The stationary point with this support and these signs, the others being ``held``."""
        b = held.copy()
        b[support] = 0.0
        if support.size:
            target = self.cross[support] - self.penalty.l1[support] * signs
            if b.any():
                target -= self.gram.times(b)[support]
            b[support] = self.gram.solve(support, self.penalty.l2[support], target)
        return b

    def at_bound(self, b: np.ndarray) -> np.ndarray:
        """Which coefficients are at a bound that is not zero."""
        return (b != 0) & ((b == self.penalty.lower) | (b == self.penalty.upper))

    def polished(self, b: np.ndarray) -> np.ndarray | None:
        """The exact solution from a nearby ``b``, or None where corrections do not end.

        Coefficients that leave their sign or bound are dropped, to be held there, and those held
        that violate their condition taken in, all at once while their number falls and else the
        last of them alone (block principal pivoting: Portugal, Judice, Vicente 1994; Kim, Park
        2011).
        """
        held = np.where(self.at_bound(b), b, 0.0)
        signs = np.where(held == 0, np.sign(b), 0.0)
        fewest, patience = np.inf, PATIENCE
        for _ in range(MAX_CORRECTIONS):
            active = (signs != 0) | self.free
            support = np.flatnonzero(active)
            if support.size > self.rank and not self.penalty.l2.all():
                return None
            candidate = self.on_support(support, signs[support], held)
            if not np.isfinite(candidate).all():
                return None
            gradient = self.gradient(candidate)
            zero = active & self.kinked & (candidate * signs <= COEFFICIENT_ROUNDING * self.size)
            wrong = zero | self._wrong(candidate, gradient, active)
            n_wrong = np.count_nonzero(wrong)
            if not n_wrong:
                return candidate if self.is_optimal(candidate, gradient) else None
            patience = PATIENCE if n_wrong < fewest else patience - 1
            fewest = min(fewest, n_wrong)
            exchanged = wrong if patience > 0 else np.flatnonzero(wrong)[-1:]
            entering = np.where(held == 0, -np.sign(gradient), np.sign(held))
            signs[exchanged] = np.where(active, 0.0, entering)[exchanged]
            ends = np.where(zero, 0.0, np.clip(candidate, self.penalty.lower, self.penalty.upper))
            held[exchanged] = np.where(active, ends, 0.0)[exchanged]
        return None

    @cached_property
    def free(self) -> np.ndarray:
        """Coefficients with neither L1 nor bounds."""
        return self.penalty.is_free

    @cached_property
    def kinked(self) -> np.ndarray:
        """Coefficients that have a kink, or a bound, at zero."""
        penalty = self.penalty
        return (penalty.l1 > 0) | (penalty.lower == 0) | (penalty.upper == 0)

    def _wrong(self, candidate, gradient, active) -> np.ndarray:
        """Coefficients beyond their bounds, or held where their condition is violated."""
        leaving = active & ((candidate > self.penalty.upper) | (candidate < self.penalty.lower))
        excess = self.excess(gradient, candidate)
        excess[active] = -1.0
        return leaving | (excess > OPTIMALITY_ROUNDING * self.size)


def solve(problem: Quadratic, task: Task, start: np.ndarray) -> tuple[np.ndarray, bool, int]:
    """(coefficients, whether they are optimal, iterations), from ``start``.

    The corrections mostly end at once. Single steps do where the support is small; else PANOC
    brings the coefficients nearer first, as far as is needed.
    """
    b, n_iter = np.clip(start, problem.penalty.lower, problem.penalty.upper), 1
    exact = problem.polished(b)
    if exact is None and min(problem.rank, b.size) <= FEW:
        exact = pivoted(problem, b)
    for tol in NEARNESS:
        if exact is not None:
            return exact, True, n_iter
        if n_iter >= task.max_iter:
            break
        left = task.max_iter - n_iter
        end = panoc(problem, b, tol * problem.size, left, task.max_fun, lambda x, value: False)
        b, n_iter = end.x, n_iter + end.n_iter
        exact = problem.polished(b)
        if exact is None:
            exact = pivoted(problem, b)
    return (b, problem.is_optimal(b), n_iter) if exact is None else (exact, True, n_iter)
