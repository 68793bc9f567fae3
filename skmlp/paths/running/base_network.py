"""The network that a path takes: its default, and the penalty that it needs beside the moving one.

alpha is divided by the sum of sample weights, which may leave nothing of it, or too much.
"""

import warnings
from numbers import Real

import numpy as np

from ...estimators.regressor import RegularizedMLPRegressor
from ...parameters.layer_values import strengths
from ...parameters.task_builder import NEGLIGIBLE_ALPHA

DEFAULT_ALPHA = 7  # for sample weights of mean one
DEFAULT_PARAMETERS = {"solver": "lbfgs", "alpha": DEFAULT_ALPHA, "tol": 3e-3, "random_state": 0}
DEFAULT_AS_CODE = "RegularizedMLPRegressor({})".format(
    ", ".join(f"{name}={value!r}" for name, value in DEFAULT_PARAMETERS.items())
)
SMALL_WEIGHT = 0.1  # the mean of weights below which alpha acts as nobody means it


def with_penalty(estimator, param, l1_ratio):
    """The estimator with some strength of the penalty that will move; ValueError if it cannot.

    Its own parameters are checked here, as its ``fit`` would.

    A penalty of the first layer alone has no minimiser, since scale can move into later layers.
    """
    if not hasattr(estimator, "l1_per_layer"):
        raise ValueError(
            f"estimator must be a RegularizedMLPRegressor, got {type(estimator).__name__}: put "
            "transformers in a Pipeline around the path's estimator, or transform X before."
        )
    estimator._validate_params()
    if param == "l1_per_layer":
        return estimator.set_params(l1_per_layer=1.0)
    estimator.set_params(group_l1=1.0)
    if l1_ratio < 1:
        return estimator.set_params(alpha=1.0)
    free = _free_layers(estimator)
    if free:
        raise ValueError(
            "A path of group_l1 needs a penalty on every later layer, or scale moves into them and "
            f"there is no minimiser: layers {free} (counted from 0) have none with "
            f"alpha={estimator.alpha!r}, l1_per_layer={estimator.l1_per_layer!r}. Give the network "
            f"alpha={DEFAULT_ALPHA}, which RegularizedMLPRegressorCV takes by default (for sample "
            f"weights of mean one): estimator.set_params(alpha={DEFAULT_ALPHA}), or "
            f"{DEFAULT_AS_CODE}. Or give l1_ratio=0.9: a tenth of the strength is then L2 on "
            "every layer."
        )
    return estimator


def default_network():
    """The network of cross-validation where none is given."""
    return RegularizedMLPRegressor(**DEFAULT_PARAMETERS)


def is_plain(estimator):
    """Whether a network with hidden layers has no penalty but the small default alpha."""
    given = [getattr(estimator, name, None) for name in ("alpha", "l1_per_layer")]
    has_scalars = all(isinstance(value, Real) for value in given)
    return has_scalars and given == [1e-4, 0.0] and np.size(estimator.hidden_layer_sizes) > 0


def mean_weight(weight):
    """The mean of the weights > 0, of rows that are not left out; one without weights."""
    return 1.0 if weight is None else float(weight[weight > 0].mean())


def heed_weights(estimator, weight, l1_ratio):
    """Warn where alpha, given for rows that count one, acts on rows that count next to nothing.

    ValueError where they count so much that it is no penalty any more, and a path of ``group_l1``
    has no minimiser. With an ``l1_ratio`` below one its place is taken by a share of the strength.
    """
    if l1_ratio < 1:
        return
    mean = mean_weight(weight)
    if mean < SMALL_WEIGHT and np.max(estimator.alpha) > NEGLIGIBLE_ALPHA:
        warnings.warn(
            f"The mean of sample_weight is {mean:.2g}, and alpha={estimator.alpha!r} is divided by "
            "the sum of the weights: it acts many times as strongly as with weights of mean one. "
            "Divide sample_weight by its mean, or give a smaller alpha."
        )
    if mean > 1 and _free_layers(estimator, mean):
        raise ValueError(
            f"The mean of sample_weight is {mean:.2g}, and alpha={estimator.alpha!r} is divided by "
            "the sum of the weights: what is left of it is no penalty of the later layers, and a "
            "path of group_l1 has no minimiser. Divide sample_weight by its mean, or give alpha "
            "times that."
        )


def _free_layers(estimator, mean_weight=1.0):
    """Later layers without L1, and with an L2 that is nothing for rows that count one."""
    n_layers = 1 + np.size(estimator.hidden_layer_sizes)
    l1 = strengths("l1_per_layer", estimator.l1_per_layer, n_layers)
    alpha = strengths("alpha", estimator.alpha, n_layers)
    layers = range(1, n_layers)
    return [k for k in layers if l1[k] == 0 and alpha[k] / mean_weight <= NEGLIGIBLE_ALPHA]
