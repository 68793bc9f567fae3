"""Losses of a location: the output is the prediction, in the units of y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Loss, variance

KINK = 1e-9  # a residual that is none, over the size of y


@dataclass(frozen=True)
class SquaredError(Loss):
    """(f - y)^2 / 2."""

    name: ClassVar[str] = "squared_error"
    scores_r2: ClassVar[bool] = True
    error_name: ClassVar[str] = "Mean squared error"
    quadratic: ClassVar[bool] = True
    of_difference: ClassVar[bool] = True

    @property
    def degree(self) -> float:
        return 2.0

    def value_and_derivative(self, xp, output, y):
        residual = output - y
        return 0.5 * residual * residual, residual

    def constant(self, y, weight, offset=None):
        return (weight * beyond(y, offset)).mean(0)

    def scale(self, y, weight, offset=None):
        return variance(y, weight)


@dataclass(frozen=True)
class Huber(Loss):
    """(f - y)^2 / 2 up to ``delta``, and delta (|f - y| - delta / 2) beyond."""

    delta: float

    name: ClassVar[str] = "huber"
    error_name: ClassVar[str] = "Mean Huber loss"
    of_difference: ClassVar[bool] = True

    @property
    def degree(self) -> float:
        return 2.0

    def value_and_derivative(self, xp, output, y):
        residual = output - y
        inner = xp.clip(residual, -self.delta, self.delta)
        return inner * (residual - 0.5 * inner), inner

    def constant(self, y, weight, offset=None):
        """By bisection: the mean derivative rises with the output."""
        y = beyond(y, offset)
        low, high = y.min(0), y.max(0)
        for _ in range(100):
            middle = 0.5 * (low + high)
            slope = (weight * np.clip(middle - y, -self.delta, self.delta)).mean(0)
            low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
        return 0.5 * (low + high)

    def deviance(self, y, output, unit):
        return unit**2 * super().deviance(y / unit, output / unit, unit)


@dataclass(frozen=True)
class _Kinked(Loss):
    """Losses with a kink at y."""

    smooth: ClassVar[bool] = False
    of_difference: ClassVar[bool] = True

    def curvature(self, output):
        """That of a normal y of standard deviation one at its middle."""
        return np.full_like(output, (self.slopes[1] - self.slopes[0]) / np.sqrt(2 * np.pi))

    def slope_ranges(self, output: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest derivative of each row."""
        (below, above), at_kink = self.slopes, self._at_kink(output, y)
        is_above = ~at_kink & (output > y)
        is_below = ~at_kink & ~is_above
        return np.where(is_above, above, below), np.where(is_below, below, above)

    def _at_kink(self, output, y):
        return np.abs(output - y) <= KINK * np.abs(y).max(initial=0.0)

    def gradient(self, output, y, weight):
        """At a kink what balances the others, as at the best constant model."""
        derivative = super().gradient(output, y, weight)
        at_kink = self._at_kink(output, y)
        below, above = self.slopes
        rest = (weight * np.where(at_kink, 0.0, derivative)).sum(0)
        share = (weight * at_kink).sum(0)
        balance = np.clip(-rest / np.where(share > 0, share, 1.0), below, above)
        return np.where(at_kink, balance, derivative)


@dataclass(frozen=True)
class AbsoluteError(_Kinked):
    """|f - y|."""

    name: ClassVar[str] = "absolute_error"
    error_name: ClassVar[str] = "Mean absolute error"

    def value_and_derivative(self, xp, output, y):
        residual = output - y
        return xp.abs(residual), xp.sign(residual)

    def constant(self, y, weight, offset=None):
        return weighted_quantile(beyond(y, offset), weight, 0.5)

    def deviance(self, y, output, unit):
        return np.abs(output - y)

    @property
    def slopes(self):
        return -1.0, 1.0


@dataclass(frozen=True)
class Quantile(_Kinked):
    """(f - y) times 1 - level above y and -level below: the pinball loss."""

    level: float

    name: ClassVar[str] = "quantile"
    error_name: ClassVar[str] = "Mean pinball loss"

    def value_and_derivative(self, xp, output, y):
        return pinball(xp, output, y, self.level)

    def constant(self, y, weight, offset=None):
        return weighted_quantile(beyond(y, offset), weight, self.level)

    def deviance(self, y, output, unit):
        return pinball(np, output, y, self.level)[0]

    @property
    def slopes(self):
        return -self.level, 1 - self.level


def beyond(y: np.ndarray, offset: np.ndarray | None) -> np.ndarray:
    """What an offset leaves of y, in float64."""
    y = y.astype(np.float64)
    return y if offset is None else y - offset


def pinball(xp, output, y, level):
    """The pinball loss and its derivative, zero at the kink."""
    residual = output - y
    slope = 0.5 * (1 + xp.sign(residual)) - level * xp.abs(xp.sign(residual))
    slope = xp.where(residual == 0, 0.0 * residual, slope)
    return residual * slope, slope


def weighted_quantile(y: np.ndarray, weight: np.ndarray, level: float) -> np.ndarray:
    """The minimiser (q,) of the mean pinball loss; the middle one where there are several."""
    order = np.argsort(y, axis=0, kind="stable")
    values = np.take_along_axis(y.astype(np.float64), order, 0)
    share = np.cumsum(np.take_along_axis(np.broadcast_to(weight, y.shape), order, 0), axis=0)
    share /= share[-1]
    rounding = 1e-12
    first = (share < level - rounding).sum(0)
    last = np.minimum((share <= level + rounding).sum(0), len(y) - 1)
    columns = np.arange(y.shape[1])
    return 0.5 * (values[first, columns] + values[last, columns])
