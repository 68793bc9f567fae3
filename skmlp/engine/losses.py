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


class Loss(NamedTuple):
    """A loss and its link.

    ``value_and_derivative(output, y, weight)`` gives the value (M,) and, written over ``output``,
    the derivative with respect to it. ``mean(output)`` is the prediction, ``link(mean)`` its
    inverse, and ``scale(y, weight)`` the size of the loss of the best constant prediction.
    """

    value_and_derivative: Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]
    mean: Callable[[Tensor], Tensor]
    link: Callable[[np.ndarray], np.ndarray]
    scale: Callable[[np.ndarray, np.ndarray], float]


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
    return np.log(np.maximum(mean, np.finfo(np.float64).tiny ** 0.05))


LOSSES: dict[str, Loss] = {
    "squared_error": Loss(_half_squared_error, lambda output: output, lambda mean: mean, _variance),
    "poisson": Loss(
        _half_poisson_deviance,
        torch.exp,
        _log,
        lambda y, weight: float((weight * y).mean(0).sum()),
    ),
}
