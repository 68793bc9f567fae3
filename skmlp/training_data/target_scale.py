"""The scale of y: what normalize_y does before training and undoes in the published weights."""

from dataclasses import dataclass

import numpy as np

from ..engine.task import Weights
from .offsets import log_mean_exp

GRID = 2.0**24  # steps a unit of y in training
WEIGHT_GRID = 2.0**30


@dataclass(frozen=True)
class TargetScale:
    """y = mean + scale * y_scaled, each (n_outputs,), and weights of an output without a link.

    y_scaled is snapped to a grid, where ``snapped_mean`` is its mean there, or not, where that is
    None. Rounding differs between units of y, and the hundreds of steps that train a network
    amplify it; on the grid y has the same bits in practically all units, and so has the network.
    ``unit`` (n_outputs,) is that of an output's coefficients: what they change with where y does,
    also where y is trained on as it is. ``offset_mean`` (n_outputs,) is taken from an offset.
    """

    mean: np.ndarray
    scale: np.ndarray
    snapped_mean: np.ndarray | None = None
    unit: np.ndarray | float = 1.0
    offset_mean: np.ndarray | float = 0.0

    @classmethod
    def of(cls, y, weight, normalize, snap=False, has_intercept=True, offset=None):
        """The scale of y (n, n_outputs), in units of its moments, or y as it is.

        Without an intercept these are about zero. An offset (n, n_outputs) has its own: that of a
        log link is a factor of y in some unit.
        """
        size = np.abs(y).max(axis=0)
        size = np.where(size > 0, size, 1.0)  # squares of huge or tiny values stay finite
        mean, scale = cls._moments(y / size, weight, has_intercept)
        mean, scale = size * mean, np.where(scale > 0, size * scale, 1.0)
        unit = cls._unit(scale)
        if not normalize:
            return cls(np.zeros_like(mean), np.ones_like(scale), unit=unit)
        centre = 0.0 if offset is None else log_mean_exp(offset, weight)
        if not snap:
            return cls(mean, scale, unit=unit, offset_mean=centre)
        snapped_mean = np.average(cls._on_grid((y - mean) / scale), 0, weight)
        return cls(mean, scale, snapped_mean, unit, centre)

    @staticmethod
    def _unit(scale):
        """Coefficients are in the standard deviations of y."""
        return scale

    @staticmethod
    def _moments(y, weight, has_intercept):
        """Weighted mean and standard deviation, nought for a constant output."""
        if not has_intercept:
            return np.zeros(y.shape[1]), np.sqrt(np.average(y**2, axis=0, weights=weight))
        mean = np.average(y, axis=0, weights=weight)
        std = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        return mean, np.where(std > 10 * np.finfo(np.float64).eps * np.abs(mean), std, 0.0)

    @staticmethod
    def _on_grid(scaled):
        """The numbers on the grid."""
        return _snapped(scaled, GRID)

    def transform(self, y):
        """y in the units of training."""
        scaled = (y - self.mean) / self.scale
        return scaled if self.snapped_mean is None else self._on_grid(scaled)

    def centred(self, offset):
        """An offset in the units of training, on the grid where y is."""
        centred = offset - self.offset_mean
        return centred if self.snapped_mean is None else _snapped(centred, GRID)

    def to_units(self, weights: Weights) -> Weights:
        """Weights that predict in the units of y, from weights in those of training."""
        coef, intercept = weights.coefs[-1] * self.coef_scale, weights.intercepts[-1]
        return _with_output(weights, coef, intercept * self.scale + self._origin)

    def from_units(self, weights: Weights) -> Weights:
        """The inverse of ``to_units``; to thirty bits where y is snapped, for the same reason."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        return self._rounded(weights, coef / self.scale, (intercept - self._origin) / self.scale)

    @property
    def coef_scale(self):
        """What coefficients of training (n_outputs,) are multiplied by in the units of y."""
        return self.scale

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
        names = ("mean", "scale", "snapped_mean", "offset_mean")
        pairs = [(getattr(self, name), getattr(other, name)) for name in names]
        return type(self) is type(other) and all(np.array_equal(a, b) for a, b in pairs)


class LogTargetScale(TargetScale):
    """y = scale * y_scaled, for a log link: a factor of y is a summand of the output."""

    @staticmethod
    def _unit(scale):
        """A summand leaves coefficients as they are."""
        return np.ones_like(scale)

    @staticmethod
    def _moments(y, weight, has_intercept):
        """No shift, and the weighted mean; nothing without a summand that could take it up."""
        if not has_intercept:
            return np.zeros(y.shape[1]), np.zeros(y.shape[1])
        mean = np.average(y, axis=0, weights=weight)
        return np.zeros_like(mean), mean

    @property
    def coef_scale(self):
        return np.ones_like(self.scale)

    @staticmethod
    def _on_grid(scaled):
        """What is positive stays so: it may have a logarithm."""
        return np.maximum(_snapped(scaled, GRID), (scaled > 0) / GRID)

    def to_units(self, weights: Weights) -> Weights:
        intercept = weights.intercepts[-1] + self._origin
        return _with_output(weights, weights.coefs[-1], intercept)

    def from_units(self, weights: Weights) -> Weights:
        intercept = weights.intercepts[-1] - self._origin
        return self._rounded(weights, weights.coefs[-1], intercept)

    @property
    def _origin(self):
        snapped = 1.0 if self.snapped_mean is None else self.snapped_mean
        return np.log(self.scale / np.where(snapped > 0, snapped, 1.0)) - self.offset_mean


class OrderedTargetScale(TargetScale):
    """y in units of its moments, for outputs of which all but the first are logarithms of gaps."""

    @property
    def coef_scale(self):
        return np.r_[self.scale[0], np.ones(len(self.scale) - 1)]

    def to_units(self, weights: Weights) -> Weights:
        coef, intercept = weights.coefs[-1] * self.coef_scale, weights.intercepts[-1]
        lowest = intercept[0] * self.scale[0] + self._origin[0]
        gaps = intercept[1:] + np.log(self.scale[1:])
        return _with_output(weights, coef, np.r_[lowest, gaps])

    def from_units(self, weights: Weights) -> Weights:
        coef, intercept = weights.coefs[-1] / self.coef_scale, weights.intercepts[-1]
        lowest = (intercept[0] - self._origin[0]) / self.scale[0]
        gaps = intercept[1:] - np.log(self.scale[1:])
        return self._rounded(weights, coef, np.r_[lowest, gaps])


class ClassScale(TargetScale):
    """y as it is, zeros and ones."""

    @classmethod
    def of(cls, y, weight, normalize=False, snap=False, has_intercept=True, offset=None):
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
