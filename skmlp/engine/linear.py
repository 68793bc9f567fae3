"""No hidden layer and squared error: the lasso family, solved to rounding on the Gram matrix.

For each output, with centred X and y and scaled columns,

    minimise  1/2 b' G b - c' b + sum_j l1_j |b_j| + l2_j / 2 b_j^2   subject to the bounds,

by L-BFGS-B on the split problem, and then the closed-form solution on the support it finds: signs
and support are corrected until the optimality conditions hold. numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from .layout import Layout
from .lbfgsb import lbfgsb
from .penalties import PenaltyNumbers, penalty_numbers
from .task import Samples, Solution, Status, Task, Weights

FIRST_TOLERANCE = 1e-4
MAX_CORRECTIONS = 50
OPTIMALITY_ROUNDING = 1e-10


class Moments:
    """Weighted centred second moments of X (n, p) and y (n, q), in scaled columns.

    ``gram`` (p, p) and ``cross`` (p, q) are those of x_j / scale_j.
    """

    def __init__(self, samples: Samples) -> None:
        X, y = samples.X, samples.y.astype(np.float64)
        if sparse.issparse(X):
            X = X.toarray()
        share = samples.relative_weight() / samples.n_rows
        X = X.astype(np.float64)
        self.x_mean, self.y_mean = (share * X).sum(0), (share * y).sum(0)
        root = np.sqrt(share)
        X -= self.x_mean
        X *= root
        self.X, self.y = X, (y - self.y_mean) * root
        gram = X.T @ X
        self.scale = np.sqrt(np.diagonal(gram))
        constant = self.scale <= 1e-12 * np.maximum(np.abs(self.x_mean), 1e-300)
        self.scale = np.where(constant, 1.0, self.scale)
        gram /= self.scale
        gram /= self.scale[:, None]
        gram[constant] = 0.0
        gram[:, constant] = 0.0
        self.gram = gram
        self.cross = (X.T @ self.y) / self.scale[:, None]
        self.cross[constant] = 0.0


@dataclass(frozen=True)
class Quadratic:
    """One output's problem in scaled columns: the interface of FullObjective.

    ``penalty`` holds l1, l2 and bounds of the scaled coefficients.
    """

    gram: np.ndarray
    cross: np.ndarray
    penalty: PenaltyNumbers

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """Of the smooth part: G b - c + l2 b."""
        return self.gram @ b - self.cross + self.penalty.l2 * b

    def value_and_gradient(self, b: np.ndarray) -> tuple[float, np.ndarray]:
        """The smooth part up to a constant, and its gradient."""
        gradient = self.gradient(b)
        return 0.5 * float(b @ (gradient - self.cross)), gradient

    def value(self, b: np.ndarray) -> float:
        return self.value_and_gradient(b)[0]

    def on_support(self, support: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """The stationary point with this support and these signs, with one refinement step."""
        b = np.zeros_like(self.cross)
        if not support.size:
            return b
        matrix = self.gram[np.ix_(support, support)]
        matrix[np.diag_indices_from(matrix)] += self.penalty.l2[support]
        target = self.cross[support] - self.penalty.l1[support] * signs
        try:
            factor = linalg.cho_factor(matrix, check_finite=False)
            solution = linalg.cho_solve(factor, target, check_finite=False)
            solution += linalg.cho_solve(factor, target - matrix @ solution, check_finite=False)
        except linalg.LinAlgError:
            solution = linalg.lstsq(matrix, target, check_finite=False)[0]
        b[support] = solution
        return b

    def polished(self, b: np.ndarray) -> np.ndarray | None:
        """The exact solution from a nearby ``b``, or None where corrections do not end.

        Coefficients that leave their sign or bound are dropped, zeros that violate their
        condition are taken in, until neither happens.
        """
        penalty = self.penalty
        signs = np.sign(b)
        free = (penalty.l1 == 0) & (penalty.lower < 0) & (penalty.upper > 0)
        held = penalty.upper == 0
        for _ in range(MAX_CORRECTIONS):
            active = (signs != 0) | free
            support = np.flatnonzero(active)
            candidate = self.on_support(support, signs[support])
            wrong = active & ~free & (candidate * signs <= 0)
            if wrong.any():
                signs[wrong] = 0.0
                continue
            gradient = self.gradient(candidate)
            excess = np.abs(gradient) - penalty.l1
            excess[(penalty.lower == 0) & (gradient > 0)] = -1.0
            excess[active | held] = -1.0
            entering = excess > OPTIMALITY_ROUNDING * np.abs(self.cross).max(initial=0.0)
            if not entering.any():
                return candidate
            signs[entering] = -np.sign(gradient[entering])
        return None


def _solve(problem: Quadratic, start: np.ndarray, task: Task) -> tuple[np.ndarray, bool, int]:
    """(coefficients, whether they are optimal, iterations) of one output."""
    if problem.penalty.is_smooth and not np.isfinite(problem.penalty.upper).any():
        return problem.polished(start), True, 1
    b, n_iter = start, 0
    size = max(np.abs(problem.cross).max(initial=0.0), np.finfo(float).tiny)
    for tol in (FIRST_TOLERANCE * size, 1e-3 * FIRST_TOLERANCE * size, 1e-9 * size):
        left = task.max_iter - n_iter
        if left < 1:
            break
        end = lbfgsb(problem, b, tol, left, task.max_fun, lambda x, value: False)
        b, n_iter = end.x, n_iter + end.n_iter
        exact = problem.polished(b)
        if exact is not None:
            return exact, True, n_iter
    return b, end.residual <= task.tol * size, n_iter


def solve_linear(task: Task) -> Solution:
    """The penalised linear regression of a task, exact zeros included."""
    layout = Layout(task.program)
    moments, penalty = Moments(task.train), penalty_numbers(task, layout)
    n_features, n_outputs = task.program.layer_sizes
    coef = np.zeros((n_features, n_outputs))
    converged, n_iter = True, 0
    for output in range(n_outputs):
        columns = layout.weights[0].start + output + n_outputs * np.arange(n_features)
        scaled = PenaltyNumbers(
            l1=penalty.l1[columns] / moments.scale,
            l2=penalty.l2[columns] / moments.scale**2,
            lower=penalty.lower[columns],
            upper=penalty.upper[columns],
        )
        problem = Quadratic(moments.gram, moments.cross[:, output], scaled)
        b, optimal, iterations = _solve(problem, np.zeros(n_features), task)
        coef[:, output] = b / moments.scale
        converged, n_iter = converged and optimal, n_iter + iterations
    intercept = moments.y_mean - moments.x_mean @ coef
    weights = Weights(
        [coef.astype(task.program.dtype)], [intercept.astype(task.program.dtype)], [], []
    )
    objective, optimality = _certificate(moments, layout, penalty, coef)
    status = Status.CONVERGED if converged else Status.MAX_ITER
    if not np.isfinite(coef).all():
        status = Status.DIVERGED
    return Solution(weights, status, n_iter, objective, optimality)


def _certificate(
    moments: Moments, layout: Layout, penalty: PenaltyNumbers, coef: np.ndarray
) -> tuple[float, float]:
    """F and its optimality residual at coefficients with their best intercept."""
    residual = moments.X @ coef - moments.y
    piece = layout.weights[0].slice
    row, gradient = np.zeros(layout.size), np.zeros(layout.size)
    row[piece] = coef.ravel()
    gradient[piece] = (moments.X.T @ residual).ravel()
    weights = row[: layout.n_weights]
    gradient[: layout.n_weights] += penalty.l2 * weights
    smooth = 0.5 * float((residual**2).sum()) + 0.5 * float(penalty.l2 @ weights**2)
    return smooth + penalty.value(row), penalty.residual(row, gradient)
