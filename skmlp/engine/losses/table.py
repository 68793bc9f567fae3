"""The losses of regression, and of classes, by name."""

from __future__ import annotations

from collections.abc import Sequence

from .base import Loss
from .classes import BinaryLogLoss, MultinomialLogLoss
from .location import AbsoluteError, Huber, Quantile, SquaredError
from .log_link import Gamma, Poisson, Tweedie
from .ordered import OrderedQuantiles

REGRESSION = (
    "squared_error",
    "absolute_error",
    "huber",
    "quantile",
    "poisson",
    "gamma",
    "tweedie",
)
CLASSIFICATION = ("log_loss", "multinomial")


def loss_of(
    name: str, quantile: float | Sequence[float] = 0.5, power: float = 1.5, delta: float = 1.35
) -> Loss:
    """The loss of a name, with its number where it has one."""
    if name == "quantile":
        return OrderedQuantiles(tuple(quantile)) if _is_several(quantile) else Quantile(quantile)
    if name == "tweedie":
        return {0: SquaredError(), 1: Poisson(), 2: Gamma()}.get(power) or Tweedie(float(power))
    if name == "huber":
        return Huber(float(delta))
    return {
        "squared_error": SquaredError,
        "absolute_error": AbsoluteError,
        "poisson": Poisson,
        "gamma": Gamma,
        "log_loss": BinaryLogLoss,
        "multinomial": MultinomialLogLoss,
    }[name]()


def _is_several(quantile) -> bool:
    return hasattr(quantile, "__len__")
