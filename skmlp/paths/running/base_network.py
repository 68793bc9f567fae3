"""The network that a path takes: its default, and the penalty that it needs beside the moving one.

alpha is divided by the sum of sample weights, which may leave nothing of it, or too much.
"""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import clone

from ...callbacks.support import without_callbacks
from ...estimators.classifier import RegularizedMLPClassifier
from ...estimators.regressor import RegularizedMLPRegressor
from ...parameters.layer_values import strengths
from ...parameters.task_builder import NEGLIGIBLE_ALPHA

DEFAULT_ALPHA = 7  # for sample weights of mean one
DEFAULT_PARAMETERS = {
    "hidden_layer_sizes": 50,
    "solver": "lbfgs",
    "alpha": DEFAULT_ALPHA,
    "tol": 3e-3,
    "random_state": 0,
}
CLASS_ALPHA = 2  # log losses are less curved than squared errors
OF_CLASSES = {**DEFAULT_PARAMETERS, "alpha": CLASS_ALPHA}
SMALL_WEIGHT = 0.1  # the mean of weights below which alpha acts as nobody means it


def default_network(**params):
    """The network that paths, cross-validation and stability selection take where none is given.

    It is ``RegularizedMLPRegressor(hidden_layer_sizes=50, solver="lbfgs", alpha=7, tol=3e-3,
    random_state=0)``.

    Parameters
    ----------
    **params : dict
        Parameters of :class:`RegularizedMLPRegressor` to have beside these, or in their place.

    Returns
    -------
    network : RegularizedMLPRegressor

    Notes
    -----
    ``alpha`` is for sample weights of mean one. Where paths take the default network themselves it
    is multiplied by their mean; ``default_network()`` that is given to them keeps its own.

    Examples
    --------
    >>> from skmlp import RegularizedMLPRegressorCV, default_network
    >>> RegularizedMLPRegressorCV(default_network(feature_groups=["hood_*"], activation="tanh"))
    RegularizedMLPRegressorCV(estimator=RegularizedMLPRegressor(activation='tanh',
                                                                alpha=7,
                                                                feature_groups=['hood_*'],
                                                                hidden_layer_sizes=50,
                                                                random_state=0,
                                                                solver='lbfgs',
                                                                tol=0.003))
    """
    return RegularizedMLPRegressor(**DEFAULT_PARAMETERS | params)


def default_classifier(**params):
    """The network that :class:`RegularizedMLPClassifierCV` takes where none is given.

    It is ``RegularizedMLPClassifier(hidden_layer_sizes=50, solver="lbfgs", alpha=2, tol=3e-3,
    random_state=0)``; see :func:`default_network`.

    Parameters
    ----------
    **params : dict
        Parameters of :class:`RegularizedMLPClassifier` to have beside these, or in their place.

    Returns
    -------
    network : RegularizedMLPClassifier

    Examples
    --------
    >>> from skmlp import default_classifier
    >>> default_classifier(class_weight="balanced").alpha
    2
    """
    return RegularizedMLPClassifier(**OF_CLASSES | params)


def default_alpha(network):
    """The alpha of the default network of its kind."""
    return CLASS_ALPHA if network._takes_labels else DEFAULT_ALPHA


def base_network(estimator, param, l1_ratio, default=default_network):
    """The network that a path starts from: the one given, or the default one for None.

    Where it was given no penalty but its small default alpha, and the path needs more on the later
    layers, it has the alpha of the default network.
    """
    network = default() if estimator is None else without_callbacks(clone(estimator))
    if _lacks_l2(estimator, param, l1_ratio):
        network.set_params(alpha=default_alpha(network))
    return with_penalty(network, param, l1_ratio)


def settle_alpha(network, estimator, weight, param, l1_ratio):
    """Let the default alpha count for weights of mean one, and warn where it was not asked for."""
    lacks_l2 = _lacks_l2(estimator, param, l1_ratio)
    if estimator is not None and not lacks_l2:
        heed_weights(network, weight, l1_ratio)
    elif l1_ratio == 1:
        network.set_params(alpha=default_alpha(network) * mean_weight(weight))
    if lacks_l2:
        warnings.warn(
            "The path of group_l1 needs a penalty on the later layers, and the estimator has only "
            f"its default alpha={estimator.alpha}: alpha={network.alpha:.4g} is taken. Give alpha, "
            "or an l1_ratio below one, to choose it; default_network() has what goes with it."
        )


def _lacks_l2(estimator, param, l1_ratio):
    """Whether a network given has only the small default alpha, and the path needs more."""
    moves_first_layer_alone = param == "group_l1" and l1_ratio == 1
    return estimator is not None and moves_first_layer_alone and is_plain(estimator)


def with_penalty(estimator, param, l1_ratio):
    """The estimator with some strength of the penalty that will move; ValueError if it cannot.

    Its own parameters are checked here, as its ``fit`` would.

    A penalty of the first layer alone has no minimiser, since scale can move into later layers.
    """
    if not hasattr(estimator, "l1_per_layer"):
        raise ValueError(
            f"estimator must be a RegularizedMLPRegressor or RegularizedMLPClassifier, got "
            f"{type(estimator).__name__}: put "
            "transformers in a Pipeline around the path's estimator, or transform X before."
        )
    estimator._validate_params()
    if l1_ratio == 0 and np.size(estimator.hidden_layer_sizes) > 0:
        raise ValueError(
            "l1_ratio=0 is a path of L2 alone, for linear models (hidden_layer_sizes=()), got "
            f"hidden_layer_sizes={estimator.hidden_layer_sizes!r}: with hidden layers compare "
            "alpha by GridSearchCV."
        )
    if param == "l1_per_layer":
        return estimator.set_params(l1_per_layer=1.0)
    estimator.set_params(group_l1=1.0)
    if l1_ratio < 1:
        return estimator.set_params(alpha=1.0)
    free = _free_layers(estimator)
    if free:
        least = f"alpha={default_alpha(estimator)}"
        name = (default_classifier if estimator._takes_labels else default_network).__name__
        raise ValueError(
            "A path of group_l1 needs a penalty on every later layer, or scale moves into them and "
            f"there is no minimiser: layers {free} (counted from 0) have none with "
            f"alpha={estimator.alpha!r}, l1_per_layer={estimator.l1_per_layer!r}. Give the network "
            f"{least}, which {type(estimator).__name__}CV takes by default (for sample weights of "
            f"mean one): estimator.set_params({least}), or {name}(), which is "
            f"{default_as_code(estimator)}. Or give l1_ratio=0.9: a tenth of the strength is then "
            "L2 on every layer."
        )
    return estimator


def default_as_code(network):
    """The default network of its kind, written out."""
    parameters = OF_CLASSES if network._takes_labels else DEFAULT_PARAMETERS
    text = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
    return f"{type(network).__name__}({text})"


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
