"""Linear regression of several outputs with a norm for each feature, a few features at a time.

    minimise  1/2 tr(B' G B) - tr(C' B) + l2 / 2 |B|^2 + sum_j strength_j |B_j|

Screened as in ``screening``. On a working set compiled sweeps over the rows find those in use, and
Newton steps on these end at rounding. Their Hessian is (G + diag(pull + l2)) in each output, less
pull_j u_j u_j' in each row, where u_j = B_j / |B_j| and pull_j = strength_j / |B_j|: by Woodbury's
formula two systems of as many unknowns as there are rows in use.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from ...kernels import binding
from ...kernels.choice import is_on
from ...penalty.prox import PenaltyNumbers
from ...runtime import raise_if_cancelled
from .screening import LARGEST_WORKING_SET, MAX_WORKING_SETS
from .working_columns import WorkingColumns

EXACT = 1e-11
N_SWEEPS = 4
MAX_ROUNDS = 60
MAX_NEWTON = 8
DAMPED = 1 + 1e-11  # the Hessian is singular where columns depend on each other


def serves_rows(penalty: PenaltyNumbers) -> bool:
    """Whether each feature has a norm and nothing else but an L2, and sweeps are compiled."""
    members = penalty.groups.members
    is_fixed = (penalty.lower == 0) & (penalty.upper == 0)
    is_bounded = np.isfinite(penalty.lower) | np.isfinite(penalty.upper)
    is_plain = not penalty.l1.any() and (is_fixed | ~is_bounded).all()
    return is_on() and is_plain and np.array_equal(members, np.arange(members.size))


def tolerance_of(cross: np.ndarray) -> float:
    """The residual that is rounding."""
    return EXACT * max(float(np.abs(cross).max()), np.finfo(float).tiny)


class ScreenedRows:
    """Coefficients ``B`` (p, q) in scaled columns, what is ``left`` of y (n, q), and the gradient.

    ``columns`` have the interface of ``Columns``, and rows of y that they are made of.
    """

    def __init__(self, columns, cross: np.ndarray, y: np.ndarray, fixed: np.ndarray) -> None:
        self._gram, self._cross, self._y, self._fixed = columns, cross, y, fixed
        self._columns = WorkingColumns(columns, len(cross))
        self._strength = None
        self.B, self.left, self.gradient = np.zeros_like(cross), y, -cross

    def solve(self, strength: np.ndarray, l2: np.ndarray, max_iter: int) -> bool:
        """Whether ``B`` is optimal at these strengths (p,), to rounding."""
        tolerance = tolerance_of(self._cross)
        slack = 0.0 if self._strength is None else np.minimum(strength - self._strength, 0.0)
        entering = self._worst(strength, slack)
        for _ in range(MAX_WORKING_SETS):
            if self._columns.size + entering.size > LARGEST_WORKING_SET:
                return False
            if entering.size:
                self._columns.admit(entering)
            if not self._solve_on_members(strength, l2, tolerance, max_iter):
                return False
            entering = self._worst(strength, tolerance)
            if not entering.size:
                self._strength = strength
                return True
        return False

    def _worst(self, strength: np.ndarray, slack: np.ndarray | float) -> np.ndarray:
        """Rows outside whose gradient is above its strength by more than ``slack``, the worst."""
        excess = np.sqrt(np.einsum("ij,ij->i", self.gradient, self.gradient)) - strength
        excess[self._fixed] = -np.inf
        return self._columns.worst_outside(excess, slack)

    def _solve_on_members(self, strength, l2, tolerance: float, max_iter: int) -> bool:
        members = self._columns.members
        own = Rows(
            self._columns.matrix, self._cross[members], strength[members], l2[members], tolerance
        )
        is_optimal = own.solve(self.B[members], max_iter)
        self.B = np.zeros_like(self.B)
        self.B[members] = own.B.T
        places = np.flatnonzero(own.B.any(0))
        self.left = self._y - self._columns.image(places, own.B[:, places]).T
        self.gradient = -self._gram.times_rows(self.left)
        used = members[places]
        self.gradient[used] += l2[used, None] * self.B[used]
        return is_optimal


class Rows:
    """The problem of m rows; ``B`` and ``gradient`` are (q, m), ``matrix`` may have a margin."""

    def __init__(self, matrix, cross, strength, l2, tolerance: float) -> None:
        self.matrix, self.cross, self.strength = matrix, cross.T, strength
        self.l2, self.tolerance = l2, tolerance
        self.G = matrix[: len(cross), : len(cross)]

    def solve(self, start: np.ndarray, max_iter: int) -> bool:
        """Whether ``B``, from a start (m, q), is optimal after ``max_iter`` rounds."""
        self.B = np.ascontiguousarray(start.T)
        for _ in range(min(MAX_ROUNDS, max_iter)):
            self._refresh()
            self._sweep()
            if self._residual() > self.tolerance:
                self._newton()
            if self._residual() <= self.tolerance:
                self._leave_ties()
                return True
        return False

    def _leave_ties(self) -> None:
        """Rows of zeros instead of rounding, where these are optimal, too."""
        size = np.abs(self.B).max(0)
        rounding = (size > 0) & (size <= 0.3 * self.tolerance)
        if rounding.any():
            before = self.B.copy()
            self.B[:, rounding] = 0.0
            self._refresh()
            if self._residual() > self.tolerance:
                self.B = before

    def _refresh(self) -> None:
        used = np.flatnonzero(self.B.any(0))
        gradient = self.B[:, used] @ self.G[used] - self.cross + self.l2 * self.B
        self.gradient = np.ascontiguousarray(gradient)

    def _sweep(self) -> None:
        binding.compiled.row_sweeps(
            self.matrix,
            len(self.matrix),
            self.l2,
            self.strength,
            self.B,
            self.gradient,
            N_SWEEPS,
            np.empty(len(self.B)),
            raise_if_cancelled,
        )

    def _residual(self) -> float:
        """The largest |B - prox(B - gradient)|."""
        moved = self.B - self.gradient
        norm = np.maximum(np.sqrt(np.einsum("ij,ij->j", moved, moved)), np.finfo(float).tiny)
        kept = np.maximum(0.0, 1.0 - self.strength / norm)
        return float(np.abs(self.B - kept * moved).max(initial=0.0))

    def _newton(self) -> None:
        """Newton steps on the rows in use, while they lower F."""
        for _ in range(MAX_NEWTON):
            used = np.flatnonzero(self.B.any(0))
            B, G = self.B[:, used], self.G[used].take(used, 1)
            norm = np.sqrt(np.einsum("ij,ij->j", B, B))
            unit = B / norm
            gradient = self.gradient[:, used] + self.strength[used] * unit
            if np.abs(gradient).max(initial=0.0) <= 0.1 * self.tolerance:
                return
            step = _newton_step(G, self.l2[used], self.strength[used] / norm, unit, gradient)
            if step is None or not self._descend(used, B, norm, step):
                return

    def _descend(self, used, B: np.ndarray, norm: np.ndarray, step: np.ndarray) -> bool:
        """Take the step where it lowers F, up to rounding, and no row loses most of its norm."""
        moved = B + step
        norm_there = np.sqrt(np.einsum("ij,ij->j", moved, moved))
        if not (norm_there > 0.1 * norm).all():
            return False
        change = step @ self.G[used]
        change[:, used] += self.l2[used] * step
        along = float((self.gradient[:, used] * step).sum())
        curvature = 0.5 * float((change[:, used] * step).sum())
        penalty = float(self.strength[used] @ (norm_there - norm))
        size = abs(along) + curvature + abs(penalty)
        if not along + curvature + penalty <= 1e-10 * size:
            return False
        self.B[:, used] = moved
        self.gradient += change
        return True


def _newton_step(G, l2, pull, unit, gradient) -> np.ndarray | None:
    """Minus the solution of the Hessian's system, or None where it is singular. G changes."""
    diagonal, curved = np.arange(len(G)), pull > 0
    G[diagonal, diagonal] += pull + l2
    inverse = _inverse(G)
    if inverse is None:
        return None
    within = -inverse * (unit.T @ unit)
    if curved.all():
        within[diagonal, diagonal] += DAMPED / pull
    else:
        within[~curved], within[:, ~curved] = 0.0, 0.0
        within[diagonal, diagonal] += DAMPED / np.where(curved, pull, 1.0)
    factor, status = linalg.lapack.dpotrf(within, lower=1, overwrite_a=1)
    if status:
        return None
    first = gradient @ inverse
    along = np.where(curved, np.einsum("ij,ij->j", first, unit), 0.0)
    weights, _ = linalg.lapack.dpotrs(factor, along, lower=1)
    return -(first + (unit * weights) @ inverse)


def _inverse(matrix: np.ndarray) -> np.ndarray | None:
    """That of a positive definite matrix, which changes, or None."""
    factor, status = linalg.lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
    if status:
        return None
    half, status = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    if status:
        return None
    diagonal = half.diagonal().copy()
    inverse = half + half.T
    inverse[np.diag_indices_from(inverse)] = diagonal
    return inverse
