"""Paths of linear regressions: one training set's solutions at all strengths, from sparse to dense.

Moments are computed once, working sets go from strength to strength, and the certificate is that of
the gradient by which features outside were checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers, penalty_numbers
from ..runtime import raise_if_cancelled
from ..task import Solution, Status, Task, Weights
from .compiled_steps import solved
from .lasso import NOT_CONVERGED, Moments, OneOutput, certified, rounding_of
from .quadratic import Quadratic
from .screening import Screened


@dataclass(frozen=True)
class MovingPenalty:
    """One output's penalty, affine in a strength: its L1 and L2 (p,) at nought and one."""

    at_nought: PenaltyNumbers
    at_one: PenaltyNumbers

    def at(self, strength: float) -> PenaltyNumbers:
        """The penalty at a strength."""
        low, high = self.at_nought, self.at_one
        l1 = low.l1 + strength * (high.l1 - low.l1)
        l2 = low.l2 + strength * (high.l2 - low.l2)
        return PenaltyNumbers(l1, l2, low.lower, low.upper)


def solve_path(at_nought: Task, at_one: Task, strengths: Sequence[float]) -> list[Solution]:
    """The solutions of a task that is affine in a strength, at ascending ones.

    It has an L1 penalty and no norms of groups.
    """
    moments = Moments(at_nought.train, at_nought.program.feature_groups)
    outputs = [
        _Output(moments, at_nought, at_one, output) for output in range(moments.cross.shape[1])
    ]
    solutions = []
    for strength in strengths[::-1]:
        raise_if_cancelled()
        for output in outputs:
            output.go_to(strength)
        solutions.append(_solution(at_nought, moments, outputs))
    return solutions[::-1]


class _Output:
    """One output's coefficients, which go from strength to strength, and what is known of them."""

    def __init__(self, moments: Moments, at_nought: Task, at_one: Task, output: int) -> None:
        self._moments, self._task, self._output = moments, at_nought, output
        layout, (n_features, n_outputs) = Layout(at_nought.program), moments.cross.shape
        own = output + n_outputs * np.arange(n_features)
        ends = [penalty_numbers(task, layout).of(own) for task in (at_nought, at_one)]
        self._penalty = MovingPenalty(*ends)
        self._scaled = MovingPenalty(*(moments.scaled(end) for end in ends))
        self._cross = np.ascontiguousarray(moments.cross[:, output])
        self._y = np.ascontiguousarray(moments.y[:, output])
        self._screened = None
        moves = (self._scaled.at_one.lower < 0) | (self._scaled.at_one.upper > 0)
        self._is_free = self._scaled.at_one.is_free[moves].all()
        if moments.is_wide and not self._is_free:
            self._screened = Screened(moments.gram, self._cross, self._y, moments.rank)
        self.b, self.n_iter = np.zeros_like(self._cross), 1

    def go_to(self, strength: float) -> None:
        """The coefficients at the next strength, from those at the one before."""
        self.penalty, self.scaled = self._penalty.at(strength), self._scaled.at(strength)
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
            whole = OneOutput(moments, self.penalty, self._output)
            self.b, self.n_iter = whole.solve(task, self.b)
        else:
            problem = Quadratic(moments.gram, self._cross, self.scaled, moments.rank)
            self.b, _, self.n_iter = solved(problem, self.b, task)
        product = moments.gram.times(self.b)
        self.gradient = product - self._cross + self.scaled.l2 * self.b
        square = float(self._y @ self._y)
        self.loss = 0.5 * (square + float(self.b @ (product - 2 * self._cross)))

    def certificate(self) -> tuple[float, float, float]:
        """F, its residual and that in scaled columns; zeros whose condition holds have none."""
        scale = self._moments.scale
        outside = np.abs(self.gradient) > self.scaled.l1
        some = np.flatnonzero(outside | (self.b != 0))
        b, gradient, scale = self.b[some], self.gradient[some], scale[some]
        residual = self.scaled.of(some).residuals(b, gradient)
        penalty, coef = self.penalty.of(some), b / scale
        optimality = penalty.residuals(coef, gradient * scale)
        objective = self.loss + penalty.value(coef) + 0.5 * float(penalty.l2 @ coef**2)
        return objective, optimality.max(initial=0.0), residual.max(initial=0.0)


def _solution(task: Task, moments: Moments, outputs: list[_Output]) -> Solution:
    """The solution as it is published; in other numbers than float64 its certificate is theirs."""
    n_iter = max(output.n_iter for output in outputs)
    coef = np.stack([output.b / moments.scale for output in outputs], axis=1)
    if task.program.dtype != "float64":
        numbers = [np.stack(n, 1).ravel() for n in zip(*map(_numbers, outputs), strict=True)]
        return certified(task, moments, PenaltyNumbers(*numbers), coef, n_iter)
    certificates = np.array([output.certificate() for output in outputs])
    objective, optimality = certificates[:, 0].sum(), certificates[:, 1].max()
    allowed = rounding_of(moments, coef, np.finfo(float).eps)
    status = Status.CONVERGED if certificates[:, 2].max() <= allowed else Status.MAX_ITER
    if not np.isfinite(coef).all():
        status = Status.DIVERGED
    weights = Weights([coef], [moments.y_mean - moments.x_mean @ coef], [], [])
    objective, optimality = float(objective), float(optimality)
    return Solution(weights, status, n_iter, objective, optimality, message=NOT_CONVERGED)


def _numbers(output: _Output) -> tuple[np.ndarray, ...]:
    penalty = output.penalty
    return penalty.l1, penalty.l2, penalty.lower, penalty.upper
