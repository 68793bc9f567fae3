"""Several quantiles at once, in order for every input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Loss, explained
from .location import pinball, weighted_quantile

SMALLEST_GAP = 1e-6


@dataclass(frozen=True)
class OrderedQuantiles(Loss):
    """The pinball losses of ``levels``, of which the middle one is an output and the others follow.

    Each goes on from its neighbour nearer the middle by the exponential of its own output, upwards
    or downwards. y has a column for each level, all of them the same.
    """

    levels: tuple[float, ...]

    name: ClassVar[str] = "quantile"
    out_activation: ClassVar[str] = "ordered"
    scaling: ClassVar[str] = "ordered"
    error_name: ClassVar[str] = "Mean pinball loss"
    smooth: ClassVar[bool] = False
    of_difference: ClassVar[bool] = True

    def columns(self, y, name):
        if y.shape[1] > 1:
            raise ValueError(
                f"{name} has {y.shape[1]} outputs, and quantile={list(self.levels)} several levels:"
                " give one or the other."
            )
        return np.repeat(y, len(self.levels), axis=1)

    def value_and_derivative(self, xp, output, y):
        values, slopes = [], []
        prediction = ordered(xp, output)
        for k, level in enumerate(self.levels):
            value, slope = pinball(xp, prediction[..., k], y[..., k], level)
            values.append(value)
            slopes.append(slope)
        middle, gaps = middle_of(len(slopes)), xp.exp(output)
        derivative = [None] * len(slopes)
        above = below = 0.0
        for k in range(len(slopes) - 1, middle, -1):
            above = above + slopes[k]
            derivative[k] = above * gaps[..., k]
        for k in range(middle):
            below = below + slopes[k]
            derivative[k] = -below * gaps[..., k]
        derivative[middle] = above + below + slopes[middle]
        return xp.stack(values, -1), xp.stack(derivative, -1)

    def mean(self, xp, output):
        return ordered(xp, output)

    def constant(self, y, weight, offset=None):
        columns = [weighted_quantile(y[:, :1], weight, level)[0] for level in self.levels]
        unit = np.ptp(y) or 1.0
        middle = middle_of(len(columns))
        gaps = np.log(np.maximum(np.diff(columns), SMALLEST_GAP * unit))
        return np.r_[gaps[:middle], columns[middle], gaps[middle:]]

    def output_scale(self, y, weight):
        return 1.0

    def score(self, y, prediction, weight):
        """The share of the mean pinball loss that is explained, over all levels."""
        if not np.isfinite(prediction).all():
            return float("nan")
        y = y.astype(np.float64)
        constant = [weighted_quantile(y[:, :1], weight, level)[0] for level in self.levels]
        sums = [
            sum(
                (weight[:, 0] * pinball(np, p[:, k], y[:, k], level)[0]).sum()
                for k, level in enumerate(self.levels)
            )
            for p in (prediction, np.broadcast_to(constant, y.shape))
        ]
        return explained(*np.array(sums))

    def deviance(self, y, output, unit):
        return self.value_and_derivative(np, output, y)[0]


def middle_of(n_levels: int) -> int:
    """The level that the others go on from."""
    return (n_levels - 1) // 2


def on_middle(offset: np.ndarray, n_levels: int) -> np.ndarray:
    """What moves all predictions by ``offset`` (n, 1), added to the outputs (n, q)."""
    columns = np.zeros((len(offset), n_levels))
    columns[:, middle_of(n_levels)] = offset[:, 0]
    return columns


def ordered(xp, output):
    """Predictions (..., q) in order, from the middle one and the logarithms of the gaps."""
    n_levels = output.shape[-1]
    middle, gaps = middle_of(n_levels), xp.exp(output)
    columns = [output[..., middle]]
    for k in range(middle + 1, n_levels):
        columns.append(columns[-1] + gaps[..., k])
    for k in range(middle - 1, -1, -1):
        columns.insert(0, columns[0] - gaps[..., k])
    return xp.stack(columns, -1)
