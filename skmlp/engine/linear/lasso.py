"""No hidden layer and squared error: the lasso family, to rounding, from second moments.

With centred X and y and scaled columns each output is a quadratic with an L1 penalty. Where there
are more features than rows it is solved on working sets of features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from ..network.columns import UNUSABLE, origins_and_scales, pooled, rows_a_block
from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers, penalty_numbers
from ..task import Program, Samples, Solution, Status, Task, Weights
from .duality import Squares, dual_gap
from .gram import Columns, Gram, is_sizeable
from .group_lasso import solve_groups
from .quadratic import GRADIENT_ROUNDING, Quadratic, solve
from .screened.screening import Screened
from .screened.sparse_columns import SparseColumns

SMALLEST_WORKING_SET = 16
SMALL = 2**16  # numbers of a sparse X whose products take longer than those of a dense one
MAX_WORKING_SETS = 100
EXACT = 1e-9
NOT_CONVERGED = "no exact solution within the iteration limit"
ROUNDED = (
    "coefficients rounded to {dtype} miss the optimum, that of nearly dependent columns; give X as "
    "float64"
)


class Moments:
    """Weighted centred second moments of X (n, p) and y (n, q), in columns of X scaled to std one.

    Without an intercept nothing is centred, and root mean squares take the place of deviations.

    ``y`` (n, q) is centred, its rows times the roots of their shares, ``y_squares`` (q,) its
    squares, ``y_square`` their sum, ``cross`` (p, q) is X'y. ``gram`` is X'X, formed in blocks of
    rows, or kept as its columns where features outnumber rows. Constant columns have moments zero.
    ``members`` are groups of features that share one scale, so that their norm stays a norm.
    """

    def __init__(
        self, samples: Samples, members: Sequence[int] | None = None, has_intercept: bool = True
    ) -> None:
        self.x_mean, std = origins_and_scales(samples, has_intercept)
        self.is_constant = std == 0
        inverse_scale = ~self.is_constant
        if members is not None:
            std = pooled(std, np.asarray(members))
        self.scale = np.where(std > 0, std, 1.0)
        inverse_scale = inverse_scale / self.scale
        self.n_rows, n_features = samples.n_rows, len(std)
        self.largest_rank = min(n_features, self.n_rows - has_intercept)
        root = np.sqrt(samples.relative_weight() / samples.n_rows)
        self.y = self._centred_target(samples.y.astype(np.float64), root, has_intercept)
        self.is_wide = n_features > self.n_rows
        if self.is_wide:
            self.gram = self._columns(samples, root, inverse_scale)
            self.cross = self.gram.times_rows(self.y)
            return
        self.cross, gram = np.zeros((n_features, self.y.shape[1])), 0.0
        for rows, X in samples.blocks(rows_a_block(n_features)):
            block = np.subtract(X, self.x_mean, dtype=np.float64)
            block *= root[rows]  # in place: new memory of a block takes longer than to fill it
            block *= inverse_scale
            self.cross += block.T @ self.y[rows]
            gram = gram + block.T @ block
        self.gram = Gram(gram)

    def _columns(self, samples: Samples, root: np.ndarray, inverse_scale: np.ndarray):
        """The scaled columns, implicit ones of a sparse X but for one that is small."""
        X = samples.matrix()
        if sparse.issparse(X) and X.shape[0] * X.shape[1] <= SMALL:
            X = X.toarray()
        if sparse.issparse(X):
            return SparseColumns(X, root[:, 0], self.x_mean, inverse_scale)
        block = np.subtract(X, self.x_mean, order="F", dtype=np.float64)
        block *= root
        block *= inverse_scale
        return Columns(block)

    def _centred_target(self, y: np.ndarray, root: np.ndarray, has_intercept: bool) -> np.ndarray:
        """y without its mean, times the roots of its rows' shares; ValueError beyond float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.y_mean = (root**2 * y).sum(0) if has_intercept else np.zeros(y.shape[1])
            y = (y - self.y_mean) * root
            self.y_squares = (y * y).sum(0)
            self.y_square = float(self.y_squares.sum())
        if not np.isfinite(self.y_square):
            raise ValueError(UNUSABLE.format(name="y", range="too large"))
        if self.y_square < np.finfo(float).tiny and y.any():
            raise ValueError(UNUSABLE.format(name="y", range="too small"))
        return y

    def start(self, task: Task) -> np.ndarray:
        """The coefficients (p, q) to start from, in scaled columns."""
        if task.start is None:
            return np.zeros_like(self.cross)
        return task.start.coefs[0].astype(np.float64) * self.scale[:, None]

    def scaled(self, penalty: PenaltyNumbers) -> PenaltyNumbers:
        """The penalty in scaled columns, of one output or of all; constant columns are excluded."""
        n_units = penalty.l1.size // self.scale.size
        scale, fixed = np.repeat(self.scale, n_units), np.repeat(self.is_constant, n_units)
        groups = penalty.groups
        if groups is not None:
            of_group = np.ones(groups.strength.size)
            of_group[groups.members] = self.scale
            groups = replace(groups, strength=groups.strength / of_group)
        return PenaltyNumbers(
            penalty.l1 / scale,
            penalty.l2 / scale**2,
            np.where(fixed, 0.0, penalty.lower * scale),
            np.where(fixed, 0.0, penalty.upper * scale),
            groups,
        )


class OneOutput:
    """One output's problem, in scaled columns, solved on working sets of them."""

    def __init__(self, moments: Moments, penalty: PenaltyNumbers, output: int) -> None:
        cross, rank = np.ascontiguousarray(moments.cross[:, output]), moments.largest_rank
        self.problem = Quadratic(moments.gram, cross, moments.scaled(penalty), rank)
        self.moments, self.penalty, self._y = moments, self.problem.penalty, moments.y[:, output]

    def solve(self, task: Task, start: np.ndarray) -> tuple[np.ndarray, int]:
        """(coefficients, iterations).

        Where the support may be larger than the number of rows, a working set holds the support of
        the start and those that violate their condition most; features in the support stay and
        violators come in until there are none.
        """
        free = self.least_squares()
        if free is not None:
            return free, 1
        if self.moments.is_wide and not is_sizeable(self.penalty.l2):
            screened = Screened(self.moments.gram, self.problem.cross, self._y, self.problem.rank)
            screened.start_from(np.clip(start, self.penalty.lower, self.penalty.upper))
            end = screened.solve(self.penalty, task)
            if end is not None:
                return screened.b, end[1]
        return self.on_working_sets(task, start)

    def on_working_sets(self, task: Task, start: np.ndarray) -> tuple[np.ndarray, int]:
        """(coefficients, iterations)."""
        b, n_iter = np.clip(start, self.penalty.lower, self.penalty.upper), 1
        members = np.arange(b.size)
        if self.moments.is_wide:
            members = np.flatnonzero((b != 0) | self.penalty.is_free)
            members = np.union1d(members, self._worst(b, members))
        for _ in range(MAX_WORKING_SETS):
            left = replace(task, max_iter=task.max_iter - n_iter + 1)
            found, optimal, iterations = solve(self.problem.restricted(members), left, b[members])
            b, n_iter = np.zeros_like(b), n_iter + iterations - 1
            b[members] = found
            if not optimal or not self.moments.is_wide:
                break
            entering = self._worst(b, members)
            if not entering.size:
                break
            members = np.union1d(np.flatnonzero((b != 0) | self.penalty.is_free), entering)
        return b, n_iter

    def least_squares(self) -> np.ndarray | None:
        """Ridge, or the least squares of least norm; None where there are L1 or bounds."""
        members = np.flatnonzero((self.penalty.lower < 0) | (self.penalty.upper > 0))
        if not self.penalty.is_free[members].all():
            return None
        cross, l2 = self.problem.cross, self.penalty.l2[members]
        b, target = np.zeros_like(cross), cross[members]
        gram = self.moments.gram.of(members)
        if not self.moments.is_wide or is_sizeable(l2):
            b[members] = gram.solve(np.arange(members.size), l2, target)
            if self.moments.is_wide or (np.isfinite(b).all() and self.problem.is_optimal(b)):
                return b
        b[members] = gram.ridge(l2, target, self.moments.scale[members])
        return b

    def _worst(self, b: np.ndarray, members: np.ndarray) -> np.ndarray:
        """Violators outside the working set, the worst first.

        Without a sizeable L2 the support is smaller than the number of rows, and a working set
        at most doubles; with it the support may be large and is found sooner from above.
        """
        excess = self.problem.excess(self.problem.gradient(b))
        excess[members] = -1.0
        violators = np.flatnonzero(excess > self.problem.rounding(b))
        n_most = max(SMALLEST_WORKING_SET, members.size or self.moments.n_rows // 2)
        if is_sizeable(self.penalty.l2):
            n_most = violators.size
        return violators[np.argsort(-excess[violators])[:n_most]]


def is_linear_regression(program: Program) -> bool:
    """Whether the problem is one of least squares, with a penalty."""
    return program.n_layers == 1 and program.loss.quadratic


def solve_linear(task: Task) -> Solution:
    """The penalised linear regression of a task, exact zeros included."""
    layout = Layout(task.program)
    moments = Moments(task.train, task.program.feature_groups, task.program.has_intercept)
    numbers = penalty_numbers(task, layout)
    penalty = replace(numbers.of(np.arange(moments.cross.size)), groups=numbers.groups)
    if task.program.has_group_norms:
        coef, n_iter = solve_groups(moments, penalty, task)
    else:
        coef, n_iter = _solve_outputs(moments, penalty, task)
    return certified(task, moments, penalty, coef, n_iter)


def _solve_outputs(moments: Moments, penalty: PenaltyNumbers, task: Task):
    """(coefficients (p, q), iterations), output by output."""
    n_features, n_outputs = moments.cross.shape
    start = moments.start(task)
    coef, n_iter = np.zeros_like(start), 0
    for output in range(n_outputs):
        own = penalty.of(output + n_outputs * np.arange(n_features))
        b, iterations = OneOutput(moments, own, output).solve(task, start[:, output])
        coef[:, output], n_iter = b / moments.scale, max(n_iter, iterations)
    return coef, n_iter


def certified(task: Task, moments: Moments, penalty: PenaltyNumbers, coef, n_iter) -> Solution:
    """The solution with the objective and the residual of the coefficients as they are published.

    It has converged where the residual in scaled columns is rounding. Where columns depend on each
    other the coefficients' own rounding may be far more than that.
    """
    dtype = np.dtype(task.program.dtype)
    exact, coef = coef, coef.astype(dtype)
    own = coef.astype(np.float64)
    objective, optimality, residual, gap = certificate_of(moments, penalty, own)
    size = np.abs(own * moments.scale[:, None]).sum()
    allowed = rounding_of(moments, size, np.finfo(dtype).eps)
    status, message = Status.MAX_ITER, NOT_CONVERGED
    if not np.isfinite(coef).all():
        status = Status.DIVERGED
    elif residual <= allowed:
        status = Status.CONVERGED
    elif certificate_of(moments, penalty, exact)[2] <= allowed:
        message = ROUNDED.format(dtype=dtype)
    intercept = (moments.y_mean - moments.x_mean @ own).astype(dtype)
    weights = Weights([coef], [intercept], [], [])
    return Solution(weights, status, n_iter, objective, optimality, message=message, dual_gap=gap)


def certificate_of(moments: Moments, penalty: PenaltyNumbers, coef: np.ndarray):
    """F, its residual, that in scaled columns, and the duality gap."""
    scale, l2 = moments.scale[:, None], penalty.l2.reshape(coef.shape)
    b = coef * scale
    product = moments.gram.times(b)
    gradient = (product - moments.cross) * scale + l2 * coef
    objective = 0.5 * (moments.y_square + float((b * (product - 2 * moments.cross)).sum()))
    objective += 0.5 * float((l2 * coef**2).sum()) + penalty.value(coef.ravel())
    optimality = penalty.residual(coef.ravel(), gradient.ravel())
    residual = moments.scaled(penalty).residual(b.ravel(), (gradient / scale).ravel())
    fitted = (b * moments.cross).sum(0)
    along, square = moments.y_squares - fitted, (b * product).sum(0) - fitted
    squares = Squares(moments.y_squares, along, along + square)
    return objective, optimality, residual, dual_gap(penalty, coef, gradient, squares)


def rounding_of(moments: Moments, size, eps: float):
    """The residual that an exact solution may have, published in numbers of precision ``eps``.

    ``size`` is the sum of its coefficients in scaled columns, without their signs.
    """
    relative = max(EXACT, 8 * eps * np.sqrt(moments.cross.size))
    return relative * np.abs(moments.cross).max() + GRADIENT_ROUNDING * size
