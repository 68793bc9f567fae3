"""The objective without hidden layers on sparse rows, by products with the entries there are."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers
from ..task import Task


def is_sparse_linear(task: Task) -> bool:
    """Whether the network is a product with a sparse X."""
    program = task.program
    return program.n_layers == 1 and program.device == "cpu" and sparse.issparse(task.train.X)


class SparseLinear:
    """The smooth part of one task, loss and L2, in float64."""

    def __init__(self, task: Task, penalty: PenaltyNumbers, layout: Layout) -> None:
        samples = task.train
        self._X = samples.matrix().astype(np.float64)
        self._transposed = self._X.T
        self._y = samples.y.astype(np.float64)
        self._offset, self._loss = samples.offset, task.program.loss
        self._share = samples.relative_weight() / samples.n_rows
        self._l2, self._coef, self._bias = penalty.l2, layout.weights[0], layout.biases[0]

    def evaluate(self, row: np.ndarray, with_gradient: bool) -> tuple[float, np.ndarray]:
        """The value, and the gradient (size,) or zeros."""
        output = self._X @ row[self._coef.slice].reshape(self._coef.shape)
        output += row[self._bias.slice]
        if self._offset is not None:
            output += self._offset
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope = self._loss.value_and_derivative(np, output, self._y)
            mean = float((self._share * value).sum())
        gradient, weights = np.zeros_like(row), row[: self._l2.size]
        if with_gradient:
            with np.errstate(over="ignore", invalid="ignore"):
                slope = self._share * slope
            gradient[self._coef.slice] = (self._transposed @ slope).ravel()
            gradient[self._bias.slice] = slope.sum(0)
            gradient[: self._l2.size] += self._l2 * weights
        return mean + 0.5 * float(self._l2 * weights @ weights), gradient
