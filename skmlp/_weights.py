"""What sample weights mean for alpha, which is divided by their sum."""

import warnings

import numpy as np

from ._task import NEGLIGIBLE_ALPHA

SMALL_WEIGHT = 0.1


def mean_weight(weight):
    """The mean of the weights > 0, of rows that are not left out; one without weights."""
    return 1.0 if weight is None else float(weight[weight > 0].mean())


def warn_of_small_weights(estimator, weight, l1_ratio):
    """Warn where alpha, given for rows that count one, acts on rows that count next to nothing.

    With an ``l1_ratio`` below one its place is taken by a share of the strength.
    """
    mean = mean_weight(weight)
    if l1_ratio == 1 and mean < SMALL_WEIGHT and np.max(estimator.alpha) > NEGLIGIBLE_ALPHA:
        warnings.warn(
            f"The mean of sample_weight is {mean:.2g}, and alpha={estimator.alpha!r} is divided by "
            "the sum of the weights: it acts many times as strongly as with weights of mean one. "
            "Divide sample_weight by its mean, or give a smaller alpha."
        )
