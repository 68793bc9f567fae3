"""The scale of y: what normalize_y does before training and undoes in the published weights."""

from dataclasses import dataclass

import numpy as np

from ..engine.losses.ordered import middle_of
from ..engine.task import Weights

GRID = 2.0**24  # steps a unit of y in training
WEIGHT_GRID = 2.0**30


@dataclass(frozen=True)
class TargetScale:
    """y = mean + scale * y_scaled, each (n_outputs,), and weights of an output without a link.

    y_scaled is snapped to a grid, where ``snapped_mean`` is its mean there, or not, where that is
    None. Rounding differs between units of y, and the hundreds of steps that train a network
    amplify it; on the grid y has the same bits in practically all units, and so has the network.
    ``unit`` (n_outputs,) is that of an output's coefficients: what they change with where y does,
    also where y is trained on as it is.
    """

    mean: np.ndarray
    scale: np.ndarray
    snapped_mean: np.ndarray | None = None
    unit: np.ndarray | float = 1.0

    @classmethod
    def of(cls, y, weight, normalize, snap=False):
        """The scale of y (n, n_outputs), in units of its moments, or y as it is."""
        size = np.abs(y).max(axis=0)
        size = np.where(size > 0, size, 1.0)  # squares of huge or tiny values stay finite
        mean, scale = cls._moments(y / size, weight)
        mean, scale = size * mean, np.where(scale > 0, size * scale, 1.0)
        unit = cls._unit(scale)
        if not normalize:
            return cls(np.zeros_like(mean), np.ones_like(scale), unit=unit)
        if not snap:
            return cls(mean, scale, unit=unit)
        snapped_mean = np.average(_snapped((y - mean) / scale, GRID), 0, weight)
        return cls(mean, scale, snapped_mean, unit)

    @staticmethod
    def _unit(scale):
        """Coefficients are in the standard deviations of y."""
        return scale

    @staticmethod
    def _moments(y, weight):
        """Weighted mean and standard deviation, nought for a constant output."""
        mean = np.average(y, axis=0, weights=weight)
        std = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        return mean, np.where(std > 10 * np.finfo(np.float64).eps * np.abs(mean), std, 0.0)

    def transform(self, y):
        """y in the units of training."""
        scaled = (y - self.mean) / self.scale
        return scaled if self.snapped_mean is None else _snapped(scaled, GRID)

    def to_units(self, weights: Weights) -> Weights:
        """Weights that predict in the units of y, from weights in those of training."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        return _with_output(weights, coef * self.scale, intercept * self.scale + self._origin)

    def from_units(self, weights: Weights) -> Weights:
        """The inverse of ``to_units``; to thirty bits where y is snapped, for the same reason."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        return self._rounded(weights, coef / self.scale, (intercept - self._origin) / self.scale)

    @property
    def _origin(self):
        """What an output of zero is in the units of y, so that the mean of y stays its mean."""
        if self.snapped_mean is None:
            return self.mean
        return self.mean - self.scale * self.snapped_mean

    def _rounded(self, weights, coef, intercept):
        if self.snapped_mean is not None:
            fraction, exponent = np.frexp(coef)
            coef = np.ldexp(_snapped(fraction, WEIGHT_GRID), exponent)
            intercept = _snapped(intercept, WEIGHT_GRID)
        return _with_output(weights, coef, intercept)

    def is_same(self, other):
        """Whether both turn y into the same numbers."""
        names = ("mean", "scale", "snapped_mean")
        pairs = [(getattr(self, name), getattr(other, name)) for name in names]
        return type(self) is type(other) and all(np.array_equal(a, b) for a, b in pairs)


class LogTargetScale(TargetScale):
    """y = scale * y_scaled, for a log link: a factor of y is a summand of the output."""

    @staticmethod
    def _unit(scale):
        """A summand leaves coefficients as they are."""
        return np.ones_like(scale)

    @staticmethod
    def _moments(y, weight):
        """No shift, and the weighted mean."""
        mean = np.average(y, axis=0, weights=weight)
        return np.zeros_like(mean), mean

    def to_units(self, weights: Weights) -> Weights:
        intercept = weights.intercepts[-1] + self._origin
        return _with_output(weights, weights.coefs[-1], intercept)

    def from_units(self, weights: Weights) -> Weights:
        intercept = weights.intercepts[-1] - self._origin
        return self._rounded(weights, weights.coefs[-1], intercept)

    @property
    def _origin(self):
        if self.snapped_mean is None:
            return np.log(self.scale)
        return np.log(self.scale / np.where(self.snapped_mean > 0, self.snapped_mean, 1.0))


class OrderedTargetScale(TargetScale):
    """y in units of its moments, for outputs of which all but the middle are logarithms of gaps."""

    def to_units(self, weights: Weights) -> Weights:
        coef, intercept = weights.coefs[-1].copy(), weights.intercepts[-1] + np.log(self.scale)
        k = middle_of(len(intercept))
        coef[:, k] *= self.scale[k]
        intercept[k] = weights.intercepts[-1][k] * self.scale[k] + self._origin[k]
        return _with_output(weights, coef, intercept)

    def from_units(self, weights: Weights) -> Weights:
        coef, intercept = weights.coefs[-1].copy(), weights.intercepts[-1] - np.log(self.scale)
        k = middle_of(len(intercept))
        coef[:, k] /= self.scale[k]
        intercept[k] = (weights.intercepts[-1][k] - self._origin[k]) / self.scale[k]
        return self._rounded(weights, coef, intercept)


class ClassScale(TargetScale):
    """y as it is, zeros and ones."""

    @classmethod
    def of(cls, y, weight, normalize=False, snap=False):
        zeros, ones = np.zeros(y.shape[1]), np.ones(y.shape[1])
        return cls(zeros, ones, unit=ones)


# by what a loss calls its scaling
TARGET_SCALES = {
    "standard": TargetScale,
    "factor": LogTargetScale,
    "ordered": OrderedTargetScale,
    "none": ClassScale,
}


def _snapped(values, steps):
    """The values on a grid of so many steps a unit."""
    return np.rint(values * steps) / steps


def _with_output(weights, coef, intercept):
    return weights._replace(
        coefs=[*weights.coefs[:-1], coef], intercepts=[*weights.intercepts[:-1], intercept]
    )
