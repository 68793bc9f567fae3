"""Paths of linear regressions: one training set's solutions at all strengths, from sparse to dense.

Moments are computed once, working sets go from strength to strength, and the certificate is that of
the gradient by which features outside were checked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..penalty.prox import PenaltyNumbers
from ..runtime import raise_if_cancelled
from ..task import Solution, Status, Task, Weights
from .compiled_steps import serves, solved
from .duality import Squares, gap_of_l1
from .lasso import NOT_CONVERGED, Moments, OneOutput, certified, rounding_of
from .moving_strengths import MovingPenalty
from .path_of_norms import PathOfNorms
from .quadratic import Quadratic
from .screened.screening import Screened

LEAST_GAIN, NEARLY_ALL, FEWEST_STRENGTHS = 1e-5, 0.999, 5  # glmnet's fdev, devmax and mnlam


def solve_path(
    at_nought: Task, at_one: Task, strengths: Sequence[float], ends_saturated: bool = False
) -> list[Solution]:
    """The solutions of a task that is affine in a strength, at ascending ones.

    It has an L1 penalty, or norms of groups. A path that ``ends_saturated`` leaves out the smallest
    strengths, below one that explains nearly all of y or hardly more than that above it.
    """
    program = at_nought.program
    moments = Moments(at_nought.train, program.feature_groups, program.has_intercept)
    moving = MovingPenalty.of(at_nought, at_one)
    parts = _parts(moments, moving, at_nought)
    solutions, explained = [], [0.0]
    for strength in strengths[::-1]:
        raise_if_cancelled()
        for part in parts:
            part.go_to(strength)
        if program.dtype == "float64":
            solutions.append(_solution(moments, parts))
        else:
            solutions.append(_rounded(at_nought, moments, moving.at(strength), parts))
        explained.append(1 - 2 * sum(part.loss for part in parts) / (moments.y_square or 1.0))
        if ends_saturated and _is_saturated(explained):
            break
    return solutions[::-1]


def _is_saturated(explained: list[float]) -> bool:
    """glmnet's rule, of the shares of y's square explained from nothing on."""
    *_, before, share = explained
    is_enough = share > NEARLY_ALL or share - before < LEAST_GAIN * share
    return len(explained) > FEWEST_STRENGTHS and is_enough


def _parts(moments: Moments, moving: MovingPenalty, task: Task) -> list:
    """The outputs, which have nothing to do with each other without norms of groups."""
    if task.program.has_group_norms:
        return [PathOfNorms(moments, moving, task)]
    n_features, n_outputs = moments.cross.shape
    own = [k + n_outputs * np.arange(n_features) for k in range(n_outputs)]
    return [_Output(moments, moving.part(w), task, k) for k, w in enumerate(own)]


class _Output:
    """One output's coefficients, which go from strength to strength, and what is known of them."""

    def __init__(self, moments: Moments, penalty: MovingPenalty, task: Task, output: int) -> None:
        self._moments, self._task, self._output = moments, task, output
        self._penalty, self._scaled = penalty, penalty.scaled(moments)
        self._cross = np.ascontiguousarray(moments.cross[:, output])
        self._y = np.ascontiguousarray(moments.y[:, output])
        self._screened = None
        moves = (self._scaled.at_one.lower < 0) | (self._scaled.at_one.upper > 0)
        self._is_served = serves(self._scaled.at_one)
        self._is_free = self._scaled.at_one.is_free[moves].all()
        if moments.is_wide and not self._is_free:
            self._screened = Screened(moments.gram, self._cross, self._y, moments.largest_rank)
        self.b, self.n_iter = np.zeros_like(self._cross), 1

    @property
    def coef(self) -> np.ndarray:
        """The coefficients (p, 1) on X as it is."""
        return (self.b / self._moments.scale)[:, None]

    def go_to(self, strength: float) -> None:
        """The coefficients at the next strength, from those at the one before."""
        self._strength, self.scaled = strength, self._scaled.at(strength)
        if self._screened is None or not self._by_screening():
            self._by_gram()

    def _by_screening(self) -> bool:
        """Whether working sets have not grown too large."""
        screened = self._screened
        end = screened.solve(self.scaled, self._task)
        if end is None:
            self._screened = None
            return False
        self.b, self.n_iter, self.gradient = screened.b, end[1], screened.gradient
        self.loss = 0.5 * float(screened.left @ screened.left)
        return True

    def _by_gram(self) -> None:
        moments, task = self._moments, self._task
        if moments.is_wide or self._is_free:
            whole = OneOutput(moments, self._penalty.at(self._strength), self._output)
            self.b, self.n_iter = whole.solve(task, self.b)
        else:
            problem = Quadratic(moments.gram, self._cross, self.scaled, moments.largest_rank)
            self.b, _, self.n_iter = solved(problem, self.b, task, self._is_served)
        product = moments.gram.times(self.b)
        self.gradient = product - self._cross + self.scaled.l2 * self.b
        square = float(self._y @ self._y)
        self.loss = 0.5 * (square + float(self.b @ (product - 2 * self._cross)))

    def certificate(self) -> tuple:
        """F, its residual, that in scaled columns, and the duality gap.

        Zeros whose condition holds count nowhere.
        """
        some = np.flatnonzero((np.abs(self.gradient) > self.scaled.l1) | (self.b != 0))
        b, gradient, scale = self.b[some], self.gradient[some], self._moments.scale[some]
        scaled, coef = self.scaled.of(some), b / scale
        residual = scaled.residuals(b, gradient)
        penalty = PenaltyNumbers(
            scaled.l1 * scale, scaled.l2 * scale**2, scaled.lower / scale, scaled.upper / scale
        )
        optimality = penalty.residuals(coef, gradient * scale)
        objective = self.loss + penalty.value(coef) + 0.5 * float(penalty.l2 @ coef**2)
        square = float(self._y @ self._y)
        along = square - float(b @ self._cross[some])
        squares = Squares(*(np.array([part]) for part in (square, along, 2 * self.loss)))
        numbers = [n[:, None] for n in (scaled.l1, scaled.l2, scaled.lower, scaled.upper)]
        gap = gap_of_l1(numbers, b[:, None], gradient[:, None], squares)
        return objective, optimality.max(initial=0.0), residual.max(initial=0.0), gap


def _rounded(task: Task, moments: Moments, penalty: PenaltyNumbers, parts: list) -> Solution:
    """The solution in other numbers than float64, which has the certificate of those."""
    coef = np.concatenate([part.coef for part in parts], axis=1)
    return certified(task, moments, penalty, coef, max(part.n_iter for part in parts))


def _solution(moments: Moments, parts: list) -> Solution:
    """The solution as it is published."""
    n_iter = max(part.n_iter for part in parts)
    coef = np.concatenate([part.coef for part in parts], axis=1)
    objectives, residuals, scaled, gaps = zip(*(part.certificate() for part in parts), strict=True)
    allowed = rounding_of(moments, coef, np.finfo(float).eps)
    status = Status.CONVERGED if max(scaled) <= allowed else Status.MAX_ITER
    if not np.isfinite(coef).all():
        status = Status.DIVERGED
    weights = Weights([coef], [moments.y_mean - moments.x_mean @ coef], [], [])
    gap = None if any(gap is None for gap in gaps) else np.concatenate(gaps)
    values = float(sum(objectives)), float(max(residuals))
    return Solution(weights, status, n_iter, *values, message=NOT_CONVERGED, dual_gap=gap)
