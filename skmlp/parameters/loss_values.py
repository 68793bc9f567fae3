"""The loss of an estimator, from its name and the parameters that go with it."""

from numbers import Real

import numpy as np

from ..engine.losses.base import Loss
from ..engine.losses.table import loss_of


def estimator_loss(estimator) -> Loss:
    """The engine's loss; ValueError for numbers that it has no meaning for.

    That of a classifier is its labels', which are known where y is.
    """
    labels = getattr(estimator, "_labels", None)
    if labels is not None:
        return labels.loss
    return loss_of(
        estimator.loss,
        quantile=_levels(estimator),
        power=_power(estimator),
        delta=float(estimator.huber_delta),
    )


def _levels(estimator):
    """The level of a quantile, or a tuple of several."""
    if estimator.loss != "quantile" or isinstance(estimator.quantile, Real):
        return estimator.quantile
    levels = np.asarray(estimator.quantile)
    is_list = levels.ndim == 1 and levels.size and levels.dtype.kind in "iuf"
    if not is_list or not ((levels > 0) & (levels < 1)).all() or not (np.diff(levels) > 0).all():
        raise ValueError(
            f"quantile must hold rising numbers between 0 and 1, got {estimator.quantile!r}."
        )
    return tuple(levels.astype(float).tolist())


def _power(estimator):
    """The power of the variance; ValueError where no distribution has it."""
    power = float(estimator.power)
    if estimator.loss == "tweedie" and 0 < power < 1:
        raise ValueError(f"power must be 0 or at least 1, got power={estimator.power!r}.")
    return power
