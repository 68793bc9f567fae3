"""Losses of a mean > 0 whose logarithm is the output: half the deviances of scikit-learn's GLMs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Loss

MEAN_OF_NOTHING = 4e-16  # for a mean of zero, whose logarithm is infinite


@dataclass(frozen=True)
class _LogLink(Loss):
    """exp(f) predicts the mean of y."""

    out_activation: ClassVar[str] = "exp"
    scaling: ClassVar[str] = "factor"
    lowest_y: ClassVar[float] = 0.0

    def mean(self, xp, output):
        return xp.exp(output)

    @property
    def variance_power(self) -> float:
        """The power of the mean that the variance of y is proportional to."""
        return 1.0

    def constant(self, y, weight, offset=None):
        y = y.astype(np.float64)
        if offset is None:
            return self.link((weight * y).mean(0))
        one, two = 1 - self.variance_power, 2 - self.variance_power
        share = weight * np.exp(one * offset) * y, weight * np.exp(two * offset)
        return self.link(share[0].mean(0) / share[1].mean(0))

    @staticmethod
    def link(mean: np.ndarray) -> np.ndarray:
        """The output of a mean."""
        return np.log(np.where(mean > 0, mean, MEAN_OF_NOTHING))


@dataclass(frozen=True)
class Poisson(_LogLink):
    """exp(f) - y f + y log(y) - y."""

    name: ClassVar[str] = "poisson"
    scores_r2: ClassVar[bool] = True
    error_name: ClassVar[str] = "Mean Poisson deviance"

    def value_and_derivative(self, xp, output, y):
        mean = xp.exp(output)
        entropy = y * xp.log(xp.where(y > 0, y, 1.0 + 0.0 * y))
        return mean - y * output + entropy - y, mean - y

    def curvature(self, output):
        return np.exp(output)

    def scale(self, y, weight, offset=None):
        return float((weight * y).mean(0).sum())


@dataclass(frozen=True)
class Gamma(_LogLink):
    """y exp(-f) + f - log(y) - 1."""

    name: ClassVar[str] = "gamma"
    error_name: ClassVar[str] = "Mean gamma deviance"
    excludes_lowest: ClassVar[bool] = True

    @property
    def variance_power(self) -> float:
        return 2.0

    @property
    def degree(self) -> float:
        return 0.0

    def value_and_derivative(self, xp, output, y):
        ratio = y * xp.exp(-output)
        return ratio + output - xp.log(y) - 1, 1 - ratio


@dataclass(frozen=True)
class Tweedie(_LogLink):
    """exp((2 - p) f) / (2 - p) - y exp((1 - p) f) / (1 - p) + y^(2 - p) / ((1 - p) (2 - p))."""

    power: float

    name: ClassVar[str] = "tweedie"
    error_name: ClassVar[str] = "Mean Tweedie deviance"

    @property
    def variance_power(self) -> float:
        return self.power

    @property
    def degree(self) -> float:
        return 2.0 - self.power

    @property
    def excludes_lowest(self) -> bool:
        """Above a power of two y = 0 has no density."""
        return self.power > 2

    def value_and_derivative(self, xp, output, y):
        one, two = 1 - self.power, 2 - self.power
        of_mean, of_y = xp.exp(two * output), y * xp.exp(one * output)
        return of_mean / two - of_y / one + y**two / (one * two), of_mean - of_y

    def curvature(self, output):
        return np.exp((2 - self.power) * output)
