"""No hidden layer and a loss of two slopes: quantiles by linear programming, exact zeros included.

    min_{w, b} sum_i s_i rho(y_i - b - x_i w) + sum_j l1_j |w_j|  subject to  lower <= w <= upper

is solved by its dual, whose constraints are the features and not the rows,

    max_a sum_i a_i y_i  subject to  sum_i a_i = 0,  -above s_i <= a_i <= -below s_i,
    x_j a <= l1_j where w_j may be positive,  -x_j a <= l1_j where it may be negative

with the slopes of the loss below y and above. The multipliers of its constraints are b and w.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ...losses.base import Loss
from ...network.columns import column_moments
from ...network.layout import Layout
from ...penalty.prox import PenaltyNumbers, penalty_numbers
from ...task import Samples, Solution, Status, Task, Weights
from .highs import solve


def is_linear_program(task: Task) -> bool:
    """Whether the loss and the penalty are linear between kinks."""
    program = task.program
    is_linear = program.n_layers == 1 and program.loss.slopes is not None
    return is_linear and not program.has_group_norms and not any(task.alpha)


class _Output(NamedTuple):
    """One output's dual: multipliers of the rows (n,), its optimum, and what the weights are."""

    coef: np.ndarray
    intercept: float
    bound: float
    n_iter: int
    message: str


class _Columns:
    """Columns of X in units of their deviation, dense ones centred; y in units of its own."""

    def __init__(self, samples: Samples) -> None:
        mean, std = column_moments(samples)
        X = samples.matrix().astype(np.float64)
        self.is_constant = std == 0
        self.scale = np.where(self.is_constant, 1.0, std)
        self.mean = np.zeros_like(mean) if sparse.issparse(X) else mean
        if sparse.issparse(X):
            self.rows = (X.multiply(1 / self.scale)).T.tocsr()
        else:
            self.rows = ((X - mean) / self.scale).T
        self.weight = samples.relative_weight()[:, 0]

    def solve(self, y: np.ndarray, loss: Loss, penalty: PenaltyNumbers) -> _Output:
        """The penalised quantile of one output."""
        centre = np.median(y)
        unit = np.abs(y - centre).mean() or 1.0
        may_rise = (penalty.upper > 0) & ~self.is_constant
        may_fall = (penalty.lower < 0) & ~self.is_constant
        strength = len(y) * penalty.l1 / self.scale
        is_free = may_rise & may_fall & (strength == 0)
        rising, falling = (np.flatnonzero(may & ~is_free) for may in (may_rise, may_fall))
        free = np.flatnonzero(is_free)
        below, above = loss.slopes
        result = solve(
            -(y - centre) / unit,
            A_ub=_stacked([self.rows[rising], -self.rows[falling]]),
            b_ub=np.r_[strength[rising], strength[falling]],
            A_eq=_stacked([np.ones((1, len(y))), self.rows[free]]),
            b_eq=np.zeros(1 + free.size),
            bounds=np.column_stack([-above * self.weight, -below * self.weight]),
        )
        coef, intercept = np.zeros(len(self.scale)), 0.0
        if result.x is not None:
            intercept, *own = -result.eqlin.marginals
            signed = -result.ineqlin.marginals
            coef[free] = own
            coef[rising] += signed[: rising.size]
            coef[falling] -= signed[rising.size :]
        coef *= unit / self.scale
        bound = np.inf if result.x is None else -unit * result.fun / len(y)
        message = "" if result.status == 0 else result.message
        intercept = centre + unit * intercept - self.mean @ coef
        return _Output(coef, intercept, bound, result.nit, message)


def solve_linear_program(task: Task) -> Solution:
    """The penalised quantiles of a task, each output by itself.

    ``optimality`` is what the objective of the weights, as they are published, lies above its lower
    bound.
    """
    program, layout = task.program, Layout(task.program)
    n_features, n_outputs = program.layer_sizes
    penalty = penalty_numbers(task, layout).of(np.arange(n_features * n_outputs))
    columns = _Columns(task.train)
    y = task.train.y.astype(np.float64)
    found = [
        columns.solve(y[:, k], program.loss, penalty.of(k + n_outputs * np.arange(n_features)))
        for k in range(n_outputs)
    ]
    coef = np.column_stack([one.coef for one in found]).astype(program.dtype)
    intercept = np.array([one.intercept for one in found], dtype=program.dtype)
    objective = _objective(task, penalty, coef.astype(np.float64), intercept.astype(np.float64))
    messages = [one.message for one in found if one.message]
    return Solution(
        Weights([coef], [intercept], [], []),
        Status.MAX_ITER if messages else Status.CONVERGED,
        max(1, *(one.n_iter for one in found)),
        objective,
        max(0.0, objective - sum(one.bound for one in found)),
        message=messages[0] if messages else "",
    )


def _objective(task: Task, penalty: PenaltyNumbers, coef, intercept) -> float:
    """F, in float64."""
    samples = task.train
    output = samples.matrix() @ coef + intercept
    value, _ = task.program.loss.value_and_derivative(np, output, samples.y.astype(np.float64))
    mean = (samples.relative_weight() * value).mean(0).sum()
    return float(mean) + penalty.value(coef.ravel())


def _stacked(blocks: list):
    """Blocks of rows as one, sparse where one is."""
    if any(sparse.issparse(block) for block in blocks):
        return sparse.vstack([sparse.csr_array(block) for block in blocks], format="csr")
    return np.vstack(blocks)


def end_of_features(task: Task, output: np.ndarray, moving: np.ndarray) -> float:
    """The smallest strength at which no weight is left beside the outputs (n, q).

    ``moving`` (n_features,) multiplies the strength; features of nought are in the outputs already.
    Rows at their kink have any slope between, which no formula chooses: the least strength t with
    |x_j a| <= t moving_j, a being minus the slopes of all rows.
    """
    columns, loss = _Columns(task.train), task.program.loss
    kept = ~(columns.is_constant | task.excluded)
    moving = np.where(kept, moving / columns.scale, 0.0)
    bounded, free = np.flatnonzero(moving > 0), np.flatnonzero(kept & (moving == 0))
    moving, rows = moving[bounded, None] * task.train.n_rows, columns.rows[bounded]
    signs = (1,) if task.positive[0] else (1, -1)
    A_ub = _stacked([_stacked_columns(sign * rows, -moving) for sign in signs])
    A_eq = _stacked_columns(
        _stacked([np.ones((1, len(output))), columns.rows[free]]), np.zeros((1 + free.size, 1))
    )
    ends = []
    for k in range(output.shape[1]):
        below, above = loss.slope_ranges(output[:, k], task.train.y[:, k].astype(np.float64))
        bounds = np.column_stack([-above * columns.weight, -below * columns.weight])
        result = solve(
            np.r_[np.zeros(len(output)), 1.0],
            A_ub=A_ub,
            b_ub=np.zeros(A_ub.shape[0]),
            A_eq=A_eq,
            b_eq=np.zeros(1 + free.size),
            bounds=[*map(tuple, bounds), (0, None)],
        )
        ends.append(result.fun if result.status == 0 else np.inf)
    return max(ends)


def _stacked_columns(left, right):
    """Two blocks side by side."""
    if sparse.issparse(left):
        return sparse.hstack([left, sparse.csr_array(right)], format="csr")
    return np.hstack([left, right])
