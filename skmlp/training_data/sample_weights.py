"""What sample weights mean for alpha, which is divided by their sum."""

import warnings

import numpy as np

from ..parameters.layer_values import strengths
from ..parameters.task_builder import NEGLIGIBLE_ALPHA

SMALL_WEIGHT = 0.1


def mean_weight(weight):
    """The mean of the weights > 0, of rows that are not left out; one without weights."""
    return 1.0 if weight is None else float(weight[weight > 0].mean())


def heed_weights(estimator, weight, l1_ratio):
    """Warn where alpha, given for rows that count one, acts on rows that count next to nothing.

    ValueError where they count so much that it is no penalty any more, and a path of ``group_l1``
    has no minimiser. With an ``l1_ratio`` below one its place is taken by a share of the strength.
    """
    mean = mean_weight(weight)
    if l1_ratio < 1:
        return
    if mean < SMALL_WEIGHT and np.max(estimator.alpha) > NEGLIGIBLE_ALPHA:
        warnings.warn(
            f"The mean of sample_weight is {mean:.2g}, and alpha={estimator.alpha!r} is divided by "
            "the sum of the weights: it acts many times as strongly as with weights of mean one. "
            "Divide sample_weight by its mean, or give a smaller alpha."
        )
    if mean > 1 and _is_free(estimator, mean):
        raise ValueError(
            f"The mean of sample_weight is {mean:.2g}, and alpha={estimator.alpha!r} is divided by "
            "the sum of the weights: what is left of it is no penalty of the later layers, and a "
            "path of group_l1 has no minimiser. Divide sample_weight by its mean, or give alpha "
            "times that."
        )


def _is_free(estimator, mean):
    """Whether a later layer has no L1, and an L2 that is nothing for rows that count one."""
    n_layers = 1 + np.size(estimator.hidden_layer_sizes)
    l1 = strengths("l1_per_layer", estimator.l1_per_layer, n_layers)
    alpha = strengths("alpha", estimator.alpha, n_layers)
    return any(l1[k] == 0 and alpha[k] / mean <= NEGLIGIBLE_ALPHA for k in range(1, n_layers))
