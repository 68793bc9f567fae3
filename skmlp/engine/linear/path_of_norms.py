"""The coefficients of a path with norms of groups, which go from strength to strength."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..task import Task, Weights
from .duality import Squares, gap_of, largest_scale
from .group_lasso import solve_groups
from .lasso import Moments, certificate_of
from .moving_strengths import MovingPenalty
from .screened.screened_rows import Rows, ScreenedRows, serves_rows, tolerance_of


class PathOfNorms:
    """All outputs' coefficients, and what is known of them.

    Each feature's norm alone, with many columns or few, is solved on screened rows; all else, and
    what does not end there, as a single fit from the coefficients before.
    """

    def __init__(self, moments: Moments, penalty: MovingPenalty, task: Task) -> None:
        self._moments, self._task = moments, task
        self._penalty, self._scaled = penalty, penalty.scaled(moments)
        self._screened, n_outputs = None, moments.cross.shape[1]
        self._fixed = (self._scaled.at_one.upper == 0).reshape(-1, n_outputs)[:, 0]
        self._by_rows = serves_rows(self._scaled.at_one)
        if moments.is_wide and self._by_rows:
            self._screened = ScreenedRows(moments.gram, moments.cross, moments.y, self._fixed)
        self.coef, self.n_iter = np.zeros_like(moments.cross), 1

    def go_to(self, strength: float) -> None:
        """The coefficients at the next strength, from those at the one before."""
        self.penalty, self.scaled = self._penalty.at(strength), self._scaled.at(strength)
        if self._by_rows and self._solve_rows():
            return
        self._screened, self._by_rows = None, False
        start = Weights([self.coef], [np.zeros(self.coef.shape[1])], [], [])
        task = replace(self._task, start=start)
        self.coef, self.n_iter = solve_groups(self._moments, self.penalty, task)

    def _solve_rows(self) -> bool:
        """Whether the steps on rows have ended."""
        moments, strength = self._moments, self.scaled.groups.strength
        max_iter = self._task.max_iter
        l2 = self.scaled.l2.reshape(self.coef.shape)[:, 0].copy()
        if self._screened is not None:
            is_optimal, B = self._screened.solve(strength, l2, max_iter), self._screened.B
        else:
            matrix, strength = moments.gram.matrix, np.where(self._fixed, np.inf, strength)
            rows = Rows(matrix, moments.cross, strength, l2, tolerance_of(moments.cross))
            is_optimal = rows.solve(self.coef * moments.scale[:, None], max_iter)
            B = rows.B.T
        if is_optimal:
            self.coef, self.n_iter = B / moments.scale[:, None], 1
        return is_optimal

    @property
    def loss(self) -> float:
        """Half the mean square of what is left of y."""
        if self._screened is not None:
            return 0.5 * float((self._screened.left**2).sum())
        moments, B = self._moments, self.coef * self._moments.scale[:, None]
        product = moments.gram.times(B)
        return 0.5 * (moments.y_square + float((B * (product - 2 * moments.cross)).sum()))

    def point(self) -> tuple:
        """F, its residual, that in scaled columns, and the duality gap."""
        if self._screened is None:
            return certificate_of(self._moments, self.penalty, self.coef)
        screened, strength = self._screened, self.scaled.groups.strength
        square = np.einsum("ij,ij->i", screened.gradient, screened.gradient)
        some = np.flatnonzero(((square > strength**2) & ~self._fixed) | screened.B.any(1))
        B, gradient = screened.B[some], screened.gradient[some]
        scale, own = self._moments.scale[some, None], self.penalty.groups.strength[some]
        coef, l2 = B / scale, self.penalty.l2.reshape(self.coef.shape)[some]
        ridge, norms = float((l2 * coef**2).sum()), float(own @ np.linalg.norm(coef, axis=1))
        objective = self.loss + 0.5 * ridge + norms
        total = self._moments.y_square
        along = total - float((B * self._moments.cross[some]).sum())
        ratio = np.sqrt(square[some]) / np.where(strength[some] > 0, strength[some], np.inf)
        gap = gap_of(
            Squares(total, along, 2 * self.loss),
            ridge,
            norms,
            largest_scale(ratio.max(initial=0.0)),
        )
        optimality = _residual(coef, gradient * scale, own)
        return objective, optimality, _residual(B, gradient, strength[some]), np.array([gap])

    def certificates(self, points: list[tuple]) -> tuple:
        """Those of all strengths, each (n_strengths, 1); the gap is NaN where there is none."""
        *values, gaps = zip(*points, strict=True)
        gaps = [np.array([np.nan]) if gap is None else gap for gap in gaps]
        return *(np.array(column)[:, None] for column in values), np.array(gaps)


def _residual(B: np.ndarray, gradient: np.ndarray, strength: np.ndarray) -> float:
    """The largest |B - prox(B - gradient)| where the norm of each row has its strength."""
    moved = B - gradient
    norm = np.maximum(np.linalg.norm(moved, axis=1), np.finfo(float).tiny)
    kept = np.maximum(0.0, 1.0 - strength / norm)
    return float(np.abs(B - kept[:, None] * moved).max(initial=0.0))
