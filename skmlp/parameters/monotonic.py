"""Features in which the function is to be monotone: signs of weights that make it so.

The marked rows of the first layer have their sign and later layers are non-negative: what a feature
changes goes through increasing activations alone (Sill 1997, "Monotonic networks").
"""

import warnings

import numpy as np

from .feature_values import one_a_feature
from .loss_values import estimator_loss


def monotone_signs(estimator, n_features, feature_names):
    """-1, 0 or 1 for each feature (n_features,), None where all are free.

    ValueError for other values, and for networks that are monotone in nothing.
    """
    given = estimator.monotonic_cst
    if given is None:
        return None
    signs = one_a_feature("monotonic_cst", given, n_features, feature_names, 0.0)
    if not np.isin(signs, (-1, 0, 1)).all():
        raise ValueError(
            f"monotonic_cst must hold -1 (decreasing), 0 (free) or 1 (increasing), got {given!r}."
        )
    if not signs.any():
        return None
    if estimator_loss(estimator).out_activation == "softmax":
        raise ValueError(
            f"monotonic_cst={given!r} is for regression and two classes: probabilities of more "
            "classes share one sum."
        )
    if np.size(estimator.hidden_layer_sizes) > 0:
        _check_network(estimator)
    return signs


def _check_network(estimator):
    """ValueError for a network that no signs make monotone; a warning for one that they bend."""
    from ..engine.network.activations import ACTIVATIONS

    activation = estimator.activation
    row = ACTIVATIONS[activation]
    if not row.increasing:
        raise ValueError(
            f"monotonic_cst={estimator.monotonic_cst!r} needs an activation that increases, and "
            f"activation={activation!r} falls in places: take 'tanh' or 'logistic'."
        )
    if estimator.normalization == "layer":
        raise ValueError(
            f"monotonic_cst={estimator.monotonic_cst!r} does not go with normalization='layer', "
            "which lowers the other units where one rises: take None or 'batch'."
        )
    if row.convex:
        warnings.warn(
            f"With monotonic_cst and activation={activation!r} the function is convex in the "
            "marked features, a strong restriction: activation='tanh' has none."
        )


def signed_limits(limits, signs):
    """Limits (2, n_features) of the first layer that leave each marked feature its sign alone."""
    if signs is None:
        return limits
    lower, upper = np.full((2, len(signs)), [[-np.inf], [np.inf]]) if limits is None else limits
    lower = np.where(signs > 0, np.maximum(lower, 0.0), lower)
    upper = np.where(signs < 0, np.minimum(upper, 0.0), upper)
    return np.stack([lower, upper])
