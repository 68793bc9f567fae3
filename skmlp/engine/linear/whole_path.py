"""Paths of linear regressions: one training set's solutions at all strengths, from sparse to dense.

Moments are computed once, working sets go from strength to strength, and the certificate is that of
the gradient by which features outside were checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..penalty.prox import PenaltyNumbers
from ..runtime import raise_if_cancelled
from ..task import Solution, Status, Task, Weights
from .compiled_steps import serves, solved
from .duality import Segments, Squares, gap_of_l1
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
    stops, rounded, explained = [], [], [0.0]
    for strength in strengths[::-1]:
        raise_if_cancelled()
        for part in parts:
            part.go_to(strength)
        if program.dtype == "float64":
            stops.append(_Stop.of(parts))
        else:
            rounded.append(_rounded(at_nought, moments, moving.at(strength), parts))
        explained.append(1 - 2 * sum(part.loss for part in parts) / (moments.y_square or 1.0))
        if ends_saturated and _is_saturated(explained):
            break
    return (rounded or _solutions(moments, parts, stops))[::-1]


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

    def point(self) -> _Point:
        """What the certificate is made of."""
        is_used = (np.abs(self.gradient) > self.scaled.l1) | (self.b != 0)
        members = is_used.nonzero()[0]
        l1, l2 = self.scaled.l1[members], self.scaled.l2[members]
        return _Point(members, self.b[members], self.gradient[members], l1, l2, self.loss)

    def certificates(self, points: list[_Point]) -> tuple:
        """F, its residual, that in scaled columns, and the duality gap, each (n_strengths, 1)."""
        *columns, loss = zip(*points, strict=True)
        members, b, gradient, l1, l2 = map(np.concatenate, columns)
        loss, of = np.array(loss), Segments.of_sizes([m.size for m in columns[0]])
        lower, upper = (
            bound[members] for bound in (self._scaled.at_nought.lower, self._scaled.at_nought.upper)
        )
        scale = self._moments.scale[members]
        scaled = PenaltyNumbers(l1, l2, lower, upper).residuals(b, gradient)
        own = PenaltyNumbers(l1 * scale, l2 * scale**2, lower / scale, upper / scale)
        residual = own.residuals(b / scale, gradient * scale)
        objective = loss + of.total(l1 * np.abs(b)) + 0.5 * of.total(l2 * b**2)
        square = float(self._y @ self._y)
        along = square - of.total(b * self._cross[members])
        squares = Squares(np.full(len(points), square), along, 2 * loss)
        gap = gap_of_l1((l1, l2, lower, upper), b, gradient, squares, of)
        columns = objective, of.largest(residual), of.largest(scaled), gap
        return tuple(column[:, None] for column in columns)


class _Point(NamedTuple):
    """One output's coefficients at a strength, and what their certificate is made of.

    Zeros whose condition holds are left out: they count nowhere.
    """

    members: np.ndarray
    b: np.ndarray
    gradient: np.ndarray
    l1: np.ndarray
    l2: np.ndarray
    loss: float


class _Stop(NamedTuple):
    """Where a path was at a strength: the coefficients (p, q), and what of each part is asked."""

    coef: np.ndarray
    n_iter: int
    points: list

    @classmethod
    def of(cls, parts: list) -> _Stop:
        coefs = [part.coef for part in parts]
        coef = coefs[0] if len(parts) == 1 else np.concatenate(coefs, axis=1)
        return cls(coef, max(part.n_iter for part in parts), [part.point() for part in parts])


def _rounded(task: Task, moments: Moments, penalty: PenaltyNumbers, parts: list) -> Solution:
    """The solution in other numbers than float64, which has the certificate of those."""
    coef = np.concatenate([part.coef for part in parts], axis=1)
    return certified(task, moments, penalty, coef, max(part.n_iter for part in parts))


def _solutions(moments: Moments, parts: list, stops: list[_Stop]) -> list[Solution]:
    """The solutions as they are published; certificates of all strengths are computed at once."""
    of_parts = zip(parts, zip(*(stop.points for stop in stops), strict=True), strict=True)
    each = zip(*(part.certificates(points) for part, points in of_parts), strict=True)
    objective, residual, scaled, gap = (np.hstack(columns) for columns in each)
    size = np.array([np.abs(stop.coef * moments.scale[:, None]).sum() for stop in stops])
    allowed = rounding_of(moments, size, np.finfo(float).eps)
    numbers = zip(objective.sum(1), residual.max(1), scaled.max(1) <= allowed, gap, strict=True)
    return [_solution(moments, *pair) for pair in zip(stops, numbers, strict=True)]


def _solution(moments: Moments, stop: _Stop, numbers: tuple) -> Solution:
    objective, optimality, has_converged, gap = numbers
    status = Status.CONVERGED if has_converged else Status.MAX_ITER
    if not np.isfinite(stop.coef).all():
        status = Status.DIVERGED
    weights = Weights([stop.coef], [moments.y_mean - moments.x_mean @ stop.coef], [], [])
    gap = None if np.isnan(gap).any() else gap
    values = float(objective), float(optimality)
    return Solution(weights, status, stop.n_iter, *values, message=NOT_CONVERGED, dual_gap=gap)
