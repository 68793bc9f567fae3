"""The network inside other estimators, such as pipelines and searches."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

FITTED_PARTS = ("best_estimator_", "regressor_", "estimator_")
WRAPPERS = "a Pipeline, a search that refits, TransformedTargetRegressor or SelectFromModel"


def fitted(estimator, attribute, wanted, taker="A display of this kind"):
    """The outermost estimator that has the attribute, of the given one and those inside it.

    NotFittedError where that is not fitted; TypeError, which says what is ``wanted``, where it is
    another kind of estimator.
    """
    innermost = layers(estimator, lambda layer: hasattr(layer, attribute))[-1]
    is_estimator = hasattr(innermost, "fit") and not isinstance(innermost, type)
    if not (is_estimator and hasattr(innermost, attribute)):
        if is_estimator:
            check_is_fitted(innermost)
        raise TypeError(
            f"{taker} takes {wanted}, alone or inside {WRAPPERS}; got "
            f"{_described(estimator, innermost)}."
        )
    return innermost


def fitted_cv(estimator):
    """The fitted RegularizedMLPRegressorCV, as ``fitted``."""
    return fitted(estimator, "mse_mean_", "a RegularizedMLPRegressorCV")


def layers(estimator, is_last):
    """The estimator, the one inside it, and so on to the first that ``is_last``, if any."""
    found = [estimator]
    while not is_last(found[-1]):
        inner = _inside(found[-1])
        if inner is None:
            break
        found.append(inner)
    return found


def _inside(estimator):
    """The estimator that this one hands its predictions over to, or None."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if isinstance(estimator, Pipeline):
        return estimator[-1]
    if hasattr(estimator, "estimators_"):  # an ensemble's estimator_ is what it has cloned
        return None
    return next((getattr(estimator, p) for p in FITTED_PARTS if hasattr(estimator, p)), None)


def _described(estimator, innermost):
    is_class = isinstance(innermost, type)
    name = f"the class {innermost.__name__}" if is_class else type(innermost).__name__
    if innermost is not estimator:
        name += f" inside {type(estimator).__name__}"
    if hasattr(innermost, "estimators_"):
        name += ", which holds several: give one of its estimators_"
    elif hasattr(innermost, "calibrated_classifiers_"):
        name += ", which puts curves of its own on several classifiers: give the estimator of one"
    elif getattr(innermost, "refit", True) is False:
        name += " with refit=False"
    return name


def names_of_features(estimator, network):
    """The names of the features that ``network``, inside the estimator, sees, or None.

    In a pipeline they are those that the steps before it give out.
    """
    outer = layers(estimator, lambda layer: layer is network)[:-1]
    names = getattr(network, "feature_names_in_", None)
    if names is not None or not outer:
        return names
    names = getattr(estimator, "feature_names_in_", None)
    try:
        for layer in outer:
            if isinstance(layer, Pipeline) and len(layer) > 1:
                names = layer[:-1].get_feature_names_out(names)
    except (AttributeError, ValueError):
        return None
    is_whole = names is not None and len(names) == getattr(network, "n_features_in_", None)
    return names if is_whole else None
