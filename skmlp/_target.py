"""The scale of y: what normalize_y does before training and undoes in the published weights."""

from dataclasses import dataclass

import numpy as np

from .engine.task import Weights

GRID = 2.0**24  # steps a unit of y in training
WEIGHT_BITS = 30


@dataclass(frozen=True)
class TargetScale:
    """y = mean + scale * y_scaled, each (n_outputs,), and weights of an output without a link.

    ``snapped`` values of y_scaled lie on a grid: rounding, which differs between units of y, would
    be amplified by the hundreds of steps that train a network. On the grid y has the same bits in
    practically all units, and so has the network.
    """

    mean: np.ndarray
    scale: np.ndarray
    snapped: bool = False

    @classmethod
    def of(cls, y, weight, normalize, snapped=False):
        """The scale of y (n, n_outputs), in units of its moments, or y as it is."""
        if not normalize:
            return cls(np.zeros(y.shape[1]), np.ones(y.shape[1]))
        size = np.abs(y).max(axis=0)
        size = np.where(size > 0, size, 1.0)  # squares of huge or tiny values stay finite
        mean, scale = cls._moments(y / size, weight)
        return cls(size * mean, np.where(scale > 0, size * scale, 1.0), snapped)

    @staticmethod
    def _moments(y, weight):
        """Weighted mean and standard deviation, nought for a constant output."""
        mean = np.average(y, axis=0, weights=weight)
        std = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        return mean, np.where(std > 10 * np.finfo(np.float64).eps * np.abs(mean), std, 0.0)

    def transform(self, y):
        """y in the units of training."""
        scaled = (y - self.mean) / self.scale
        return np.rint(scaled * GRID) / GRID if self.snapped else scaled

    def inverse(self, y):
        """y in its own units."""
        return self.mean + self.scale * y

    def to_units(self, weights: Weights) -> Weights:
        """Weights that predict in the units of y, from weights in those of training."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        return _with_output(weights, coef * self.scale, intercept * self.scale + self.mean)

    def from_units(self, weights: Weights) -> Weights:
        """The inverse of ``to_units``; to thirty bits where y is snapped, for the same reason."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        coef, intercept = coef / self.scale, (intercept - self.mean) / self.scale
        return _with_output(weights, *self._rounded(coef, intercept))

    def _rounded(self, coef, intercept):
        if not self.snapped:
            return coef, intercept
        fraction, exponent = np.frexp(coef)
        steps = 2.0**WEIGHT_BITS
        coef = np.ldexp(np.rint(fraction * steps) / steps, exponent)
        return coef, np.rint(intercept * steps) / steps

    def is_same(self, other):
        """Whether y has the same values in both."""
        pairs = (self.mean, other.mean), (self.scale, other.scale)
        is_alike = type(self) is type(other) and self.snapped == other.snapped
        return is_alike and all(np.array_equal(a, b) for a, b in pairs)


class LogTargetScale(TargetScale):
    """y = scale * y_scaled, for a log link: a factor of y is a summand of the output."""

    @staticmethod
    def _moments(y, weight):
        """No shift, and the weighted mean."""
        mean = np.average(y, axis=0, weights=weight)
        return np.zeros_like(mean), mean

    def to_units(self, weights: Weights) -> Weights:
        intercept = weights.intercepts[-1] + np.log(self.scale)
        return _with_output(weights, weights.coefs[-1], intercept)

    def from_units(self, weights: Weights) -> Weights:
        intercept = weights.intercepts[-1] - np.log(self.scale)
        return _with_output(weights, *self._rounded(weights.coefs[-1], intercept))


def _with_output(weights, coef, intercept):
    return weights._replace(
        coefs=[*weights.coefs[:-1], coef], intercepts=[*weights.intercepts[:-1], intercept]
    )
