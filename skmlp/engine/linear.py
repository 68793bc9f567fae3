"""No hidden layer and squared error: the lasso family, to rounding, from second moments.

With centred X and y and scaled columns each output is a quadratic with an L1 penalty. Where there
are more features than rows it is solved on working sets of features.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .gram import Columns, Gram, is_sizeable
from .layout import Layout
from .penalties import PenaltyNumbers, penalty_numbers
from .quadratic import OPTIMALITY_ROUNDING, Quadratic, solve, violation
from .scaling import BLOCK_ROWS, column_moments
from .task import Samples, Solution, Status, Task, Weights

SMALLEST_WORKING_SET = 16
MAX_WORKING_SETS = 100
NOT_CONVERGED = "no exact solution within the iteration limit"


class Moments:
    """Weighted centred second moments of X (n, p) and y (n, q), in columns of X scaled to std one.

    ``cross`` (p, q) is X'y, ``y_square`` the square of y summed over outputs. ``gram`` is X'X,
    formed in blocks of rows, or kept as its columns where features outnumber rows. Constant columns
    have scale one and moments zero.
    """

    def __init__(self, samples: Samples) -> None:
        self.x_mean, std = column_moments(samples)
        self.scale = np.where(std > 0, std, 1.0)
        inverse_scale = (std > 0) / self.scale
        self.n_rows, n_features = samples.n_rows, len(std)
        y, share = samples.y.astype(np.float64), samples.relative_weight() / samples.n_rows
        root = np.sqrt(share)
        self.y_mean = (share * y).sum(0)
        y = (y - self.y_mean) * root
        self.y_square = float((y * y).sum())
        self.is_wide = n_features > self.n_rows
        self.cross = np.zeros((n_features, y.shape[1]))
        gram = 0.0
        for rows, X in samples.blocks(self.n_rows if self.is_wide else BLOCK_ROWS):
            block = (X - self.x_mean) * root[rows] * inverse_scale
            self.cross += block.T @ y[rows]
            if not self.is_wide:
                gram = gram + block.T @ block
        self.gram = Columns(block) if self.is_wide else Gram(gram)


class _Output:
    """One output's problem: its cross moments and its penalty, in scaled columns."""

    def __init__(self, moments: Moments, penalty: PenaltyNumbers, output: int) -> None:
        self.moments, self.cross = moments, moments.cross[:, output]
        scale = moments.scale
        self.penalty = replace(penalty, l1=penalty.l1 / scale, l2=penalty.l2 / scale**2)

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """Of the smooth part, at all coefficients (p,)."""
        return self.moments.gram.times(b) - self.cross + self.penalty.l2 * b

    def restricted(self, members: np.ndarray) -> Quadratic:
        """The problem with the other coefficients at zero."""
        rank = min(members.size, self.moments.n_rows - 1)
        gram = self.moments.gram.of(members)
        return Quadratic(gram, self.cross[members], self.penalty.of(members), rank)

    def solve(self, task: Task) -> tuple[np.ndarray, bool, int]:
        """(coefficients, whether they are optimal, iterations).

        A working set holds all features, or those that violate their condition most; features in
        the support stay and violators come in until there are none.
        """
        b, total_iter = np.zeros_like(self.cross), 0
        tolerance = OPTIMALITY_ROUNDING * np.abs(self.cross).max(initial=0.0)
        members = np.arange(b.size)
        if self.moments.is_wide:
            members = self._worst(self.gradient(b), members[:0], tolerance)
        for _ in range(MAX_WORKING_SETS):
            found, optimal, n_iter = solve(self.restricted(members), task, b[members])
            b[:], total_iter = 0.0, total_iter + n_iter
            b[members] = found
            entering = self._worst(self.gradient(b), members, tolerance)
            if not optimal or not entering.size:
                return b, optimal, total_iter
            members = np.union1d(np.flatnonzero(b), entering)
        return b, False, total_iter

    def _worst(self, gradient, members, tolerance: float) -> np.ndarray:
        """Violators outside the working set, the worst first.

        Without a sizeable L2 the support is smaller than the number of rows, and a working set
        at most doubles; with it the support may be large and is found sooner from above.
        """
        excess = violation(self.penalty, gradient)
        excess[members] = -1.0
        violators = np.flatnonzero(excess > tolerance)
        n_most = max(SMALLEST_WORKING_SET, members.size or self.moments.n_rows // 2)
        if is_sizeable(self.penalty.l2):
            n_most = violators.size
        return violators[np.argsort(-excess[violators])[:n_most]]


def solve_linear(task: Task) -> Solution:
    """The penalised linear regression of a task, exact zeros included."""
    layout = Layout(task.program)
    moments, penalty = Moments(task.train), penalty_numbers(task, layout)
    n_features, n_outputs = task.program.layer_sizes
    coef, objective, optimality = np.zeros((n_features, n_outputs)), 0.5 * moments.y_square, 0.0
    converged, n_iter = True, 0
    for output in range(n_outputs):
        own = penalty.of(layout.weights[0].start + output + n_outputs * np.arange(n_features))
        problem = _Output(moments, own, output)
        b, optimal, iterations = problem.solve(task)
        converged, n_iter = converged and optimal, n_iter + iterations
        coef[:, output] = b / moments.scale
        gradient = problem.gradient(b)
        objective += 0.5 * float(b @ (gradient - problem.cross)) + problem.penalty.value(b)
        optimality = max(optimality, own.residual(coef[:, output], gradient * moments.scale))
    status = Status.CONVERGED if converged else Status.MAX_ITER
    if not np.isfinite(coef).all():
        status = Status.DIVERGED
    dtype, intercept = task.program.dtype, moments.y_mean - moments.x_mean @ coef
    weights = Weights([coef.astype(dtype)], [intercept.astype(dtype)], [], [])
    return Solution(weights, status, n_iter, objective, optimality, message=NOT_CONVERGED)
