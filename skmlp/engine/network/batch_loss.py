"""The loss of a stack on a batch: outputs and targets (M, B, q) -> value (M,) and derivative."""

from __future__ import annotations

import torch
from torch import Tensor

from ..losses.base import Loss


def batch_loss(
    loss: Loss, output: Tensor, y: Tensor, weight: Tensor | None, offset: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The mean over rows, summed over outputs, and, written over ``output``, its derivative.

    Rows are multiplied by weights of mean one where there are any; ``offset`` is added to outputs.
    """
    if offset is not None:
        output.add_(offset)
    n_rows = output.shape[1]
    value, derivative = loss.value_and_derivative(torch, output, y)
    if weight is not None:
        value, derivative = value * weight, derivative * weight
    output.copy_(derivative).div_(n_rows)
    return value.sum((1, 2)).div(n_rows), output
