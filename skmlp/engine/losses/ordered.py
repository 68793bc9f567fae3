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
    """The pinball losses of rising ``levels``: the lowest is an output, the others follow.

    Each goes on from the one below by the exponential of its own output, so that all of them rise
    where the outputs do. y has a column for each level, all of them the same.
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
        prediction, gaps = ordered(xp, output), xp.exp(output)
        values, slopes, derivative = [], [], []
        for k, level in enumerate(self.levels):
            value, slope = pinball(xp, prediction[..., k], y[..., k], level)
            values.append(value)
            slopes.append(slope)
        above = 0.0  # all quantiles from one upwards move with it
        for k in range(len(slopes) - 1, -1, -1):
            above = above + slopes[k]
            derivative.insert(0, above * gaps[..., k] if k else above)
        return xp.stack(values, -1), xp.stack(derivative, -1)

    def mean(self, xp, output):
        return ordered(xp, output)

    def constant(self, y, weight, offset=None):
        quantiles = self._quantiles(y, weight)
        gaps = np.maximum(np.diff(quantiles), SMALLEST_GAP * (np.ptp(y) or 1.0))
        return np.r_[quantiles[0], np.log(gaps)]

    def _quantiles(self, y, weight):
        """Those of y alone."""
        return np.array([weighted_quantile(y[:, :1], weight, level)[0] for level in self.levels])

    def output_scale(self, y, weight):
        return 1.0

    def score(self, y, prediction, weight):
        """The share of the mean pinball loss that is explained, over all levels."""
        if not np.isfinite(prediction).all():
            return float("nan")
        y = y.astype(np.float64)
        levels, constant = np.array(self.levels), self._quantiles(y, weight)
        sums = [
            (weight * pinball(np, p, y, levels)[0]).sum()
            for p in (prediction, np.broadcast_to(constant, y.shape))
        ]
        return explained(*np.array(sums))

    def deviance(self, y, output, unit):
        return self.value_and_derivative(np, output, y)[0]


def on_lowest(offset: np.ndarray, n_levels: int) -> np.ndarray:
    """What moves all predictions by ``offset`` (n, 1), added to the outputs (n, q)."""
    columns = np.zeros((len(offset), n_levels))
    columns[:, 0] = offset[:, 0]
    return columns


def ordered(xp, output):
    """Predictions (..., q) in order, from the lowest and the logarithms of the gaps."""
    gaps, columns = xp.exp(output), [output[..., 0]]
    for k in range(1, output.shape[-1]):
        columns.append(columns[-1] + gaps[..., k])
    return xp.stack(columns, -1)
