"""The scale of y: what normalize_y does before training and undoes in the published weights."""

from typing import NamedTuple

import numpy as np

from .engine.task import Weights


class TargetScale(NamedTuple):
    """y = mean + scale * y_scaled, each (n_outputs,); with a log link mean is zero."""

    mean: np.ndarray
    scale: np.ndarray
    log_link: bool

    @classmethod
    def of(cls, y, weight, loss, normalize):
        """The weighted mean and standard deviation of y (n, n_outputs), or nought and one.

        With a log link y is divided by its mean. A constant output keeps its scale.
        """
        log_link = loss == "poisson"
        if not normalize:
            return cls(np.zeros(y.shape[1]), np.ones(y.shape[1]), log_link)
        size = np.abs(y).max(axis=0)
        size = np.where(size > 0, size, 1.0)
        unit = y / size  # squares of huge or tiny values stay finite
        mean = np.average(unit, axis=0, weights=weight)
        if log_link:
            scale = size * mean
            return cls(np.zeros_like(mean), np.where(scale > 0, scale, 1.0), log_link)
        std = np.sqrt(np.average((unit - mean) ** 2, axis=0, weights=weight))
        constant = std <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        return cls(size * mean, np.where(constant, 1.0, size * std), log_link)

    def transform(self, y):
        """y in the units of training."""
        return (y - self.mean) / self.scale

    def inverse(self, y):
        """y in its own units."""
        return self.mean + self.scale * y

    def to_units(self, weights: Weights) -> Weights:
        """Weights that predict in the units of y, from weights in those of training."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        if self.log_link:
            return _with_output(weights, coef, intercept + np.log(self.scale))
        return _with_output(weights, coef * self.scale, intercept * self.scale + self.mean)

    def from_units(self, weights: Weights) -> Weights:
        """The inverse of ``to_units``."""
        coef, intercept = weights.coefs[-1], weights.intercepts[-1]
        if self.log_link:
            return _with_output(weights, coef, intercept - np.log(self.scale))
        return _with_output(weights, coef / self.scale, (intercept - self.mean) / self.scale)


def _with_output(weights, coef, intercept):
    return weights._replace(
        coefs=[*weights.coefs[:-1], coef], intercepts=[*weights.intercepts[:-1], intercept]
    )
