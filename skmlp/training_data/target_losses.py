"""What a loss asks of y, and how predictions are judged by it: beside the engine's table of losses.

A row here says how y is scaled and linked, and what the error of rows left out is.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from .target_scale import LogTargetScale, TargetScale


class Loss(NamedTuple):
    """A loss, its link, and all that the estimators ask of them.

    ``target`` is the scale of y, ``out_activation`` the inverse of the link. ``deviance(y,
    output)``, elementwise and from outputs before the link, so that a mean may underflow, is
    multiplied by ``unit ** degree`` where y is multiplied by a unit; ``error_name`` is its mean.
    y is at least ``lowest_y``.
    """

    target: type[TargetScale]
    out_activation: str
    deviance: Callable[[np.ndarray, np.ndarray], np.ndarray]
    degree: int
    error_name: str
    lowest_y: float = -np.inf

    def error(self, y, output, weight, units):
        """The mean deviance of rows, and over the outputs with each in its unit; NaN if infinite.

        Shape
            y and output (n, q), weight (n,) or None, units (q,).
        """
        return float(self.errors(y, output[:, None], weight, units)[0])

    def errors(self, y, outputs, weight, units):
        """That of several models (n_models,), whose outputs are (n, n_models, q)."""
        with np.errstate(over="ignore", invalid="ignore"):
            deviance = self.deviance(y[:, None], outputs.astype(np.float64, copy=False))
            each = np.average(deviance, axis=0, weights=weight)
            errors = np.mean(each / units**self.degree, axis=-1)
        return np.where(np.isfinite(errors), errors, np.nan)


LOSSES = {
    "squared_error": Loss(
        TargetScale,
        out_activation="identity",
        deviance=lambda y, output: (y - output) ** 2,
        degree=2,
        error_name="Mean squared error",
    ),
    "poisson": Loss(
        LogTargetScale,
        out_activation="exp",
        deviance=lambda y, output: 2 * (xlogy(y, y) - y * output + np.exp(output) - y),
        degree=1,
        error_name="Mean Poisson deviance",
        lowest_y=0.0,
    ),
}


def check_range(y, loss, name):
    """ValueError for values of y, called ``name``, that the loss of this name has no value for."""
    lowest = LOSSES[loss].lowest_y
    if (y < lowest).any():
        raise ValueError(
            f"loss={loss!r} needs {name} >= {lowest:g}, got a smallest {name} of {y.min():g}."
        )
