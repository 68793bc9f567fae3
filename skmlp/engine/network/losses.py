"""Losses of a stack on a batch: outputs and targets (M, B, q) -> value (M,) and derivative.

Both are means over the rows, summed over the q outputs (Ridge's convention), and multiplied by
row weights of mean one where there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

MEAN_OF_NOTHING = 4e-16  # for a mean of zero, whose logarithm is infinite


def r2(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> float:
    """1 - residual / total sum of squares, averaged over outputs; NaN for non-finite predictions.

    A constant output counts one where it is met and zero where it is not, as in scikit-learn.
    """
    if not np.isfinite(prediction).all():
        return float("nan")
    y = y.astype(np.float64)
    residual = (weight * (y - prediction) ** 2).sum(0)
    total = (weight * (y - (weight * y).mean(0)) ** 2).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 1 - residual / total
    score = np.where(total > 0, score, np.where(residual > 0, 0.0, 1.0))
    return float(score.mean())


class Loss(NamedTuple):
    """A loss, its link, and all that the engine asks of them.

    ``value_and_derivative(output, y, weight)`` gives the value (M,) and, written over ``output``,
    the derivative with respect to it. ``mean(output)`` is the prediction, ``link(mean)`` its
    inverse, ``curvature(output)`` the second derivative, expected over y. ``scale(y, weight)`` is
    the size of the loss of the best constant prediction, and ``score(y, prediction, weight)`` what
    early stopping judges by, the larger the better.

    ``smooth`` says that the derivative has no jumps, ``quadratic`` that the loss is the square of
    y - output, so that centring and scaling y is a change of variables.
    """

    value_and_derivative: Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]
    mean: Callable[[Tensor], Tensor]
    link: Callable[[np.ndarray], np.ndarray]
    curvature: Callable[[np.ndarray], np.ndarray]
    scale: Callable[[np.ndarray, np.ndarray], float]
    score: Callable[[np.ndarray, np.ndarray, np.ndarray], float] = r2
    smooth: bool = True
    quadratic: bool = False

    def constant(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The output (q,) of the best constant model for y (n, q), weights (n, 1) of mean one."""
        return self.link((weight * y.astype(np.float64)).mean(0))

    def gradient(self, output: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The derivative of each row's loss at its output (n, q), or at one output (q,) for all."""
        output = np.array(np.broadcast_to(output, y.shape), dtype=np.float64)
        pair = [torch.from_numpy(array)[None] for array in (output, y.astype(np.float64))]
        _, derivative = self.value_and_derivative(*pair, None)
        return derivative[0].numpy() * len(y)


def _half_squared_error(output: Tensor, y: Tensor, weight: Tensor | None):
    """(f - y)^2 / 2."""
    share = 1 / output.shape[1]
    residual = output.sub_(y)
    square = residual * residual
    if weight is not None:
        square.mul_(weight)
        residual.mul_(weight)
    return square.sum((1, 2)).mul_(0.5 * share), residual.mul_(share)


def _half_poisson_deviance(output: Tensor, y: Tensor, weight: Tensor | None):
    """exp(f) - y f + y log(y) - y, for predictions exp(f)."""
    n_rows = output.shape[1]
    mean = output.exp()
    value = mean - y * output + torch.special.xlogy(y, y) - y
    derivative = torch.sub(mean, y, out=output)
    if weight is not None:
        value, derivative = value * weight, derivative.mul_(weight)
    return value.sum((1, 2)).div_(n_rows), derivative.div_(n_rows)


def _variance(y: np.ndarray, weight: np.ndarray) -> float:
    mean = (weight * y).mean(0)
    return float((weight * (y - mean) ** 2).mean(0).sum())


def _log(mean: np.ndarray) -> np.ndarray:
    return np.log(np.where(mean > 0, mean, MEAN_OF_NOTHING))


LOSSES: dict[str, Loss] = {
    "squared_error": Loss(
        _half_squared_error,
        mean=lambda output: output,
        link=lambda mean: mean,
        curvature=np.ones_like,
        scale=_variance,
        quadratic=True,
    ),
    "poisson": Loss(
        _half_poisson_deviance,
        mean=torch.exp,
        link=_log,
        curvature=np.exp,
        scale=lambda y, weight: float((weight * y).mean(0).sum()),
    ),
}
