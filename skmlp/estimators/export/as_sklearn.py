"""A fitted network as scikit-learn's."""

from copy import deepcopy

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._base import ACTIVATIONS
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

from ...engine.losses.table import REGRESSION, loss_of

RECORDS = ("feature_names_in_", "n_features_in_", "n_layers_", "n_outputs_", "out_activation_")
RECORDS += ("n_iter_", "t_", "loss_", "loss_curve_")


def as_sklearn(estimator, network):
    """The MLPRegressor or MLPClassifier, fitted; ValueError where its predictions would differ."""
    kind = MLPRegressor if network.classes is None else MLPClassifier
    obstacle = _obstacle(kind, network)
    if obstacle is not None:
        raise ValueError(
            f"{kind.__name__} cannot predict exactly what this {type(estimator).__name__} does: "
            f"{obstacle}. to_torch() can."
        )
    model = kind(**_parameters(kind, estimator, network))
    for name in RECORDS:
        if hasattr(estimator, name):
            setattr(model, name, deepcopy(getattr(estimator, name)))
    model.coefs_ = [coef.copy() for coef in network.coefs]
    model.intercepts_ = [intercept.copy() for intercept in network.intercepts]
    if network.classes is not None:
        model._label_binarizer = deepcopy(estimator._labels.binarizer)
        model.classes_ = model._label_binarizer.classes_
    return _ready_to_go_on(model)


def _obstacle(kind, network):
    """What scikit-learn does not have, or None."""
    known = kind._parameter_constraints["activation"][0].options
    if network.has_offset:
        return "it was fitted with an offset, and predict takes none"
    if network.layer_norm:
        return "it has normalization='layer', which does not fold into weights"
    if network.hidden_sizes and network.activation not in known:
        return f"it has activation={network.activation!r}, not one of {sorted(known)}"
    if network.out_activation not in ACTIVATIONS:
        return f"it has the link {network.out_activation!r}, that of several quantiles in order"
    if network.classes is not None and len(network.classes) == 1 and not network.is_multilabel:
        return f"predict_proba has a column for a class beside the only one, {network.classes[0]!r}"
    if network.classes is None and not _losses(kind, network):
        return f"it has the link {network.out_activation!r}, of none of its losses"
    return None


def _losses(kind, network):
    """The losses of MLPRegressor, in this version, that have the network's link."""
    known = kind._parameter_constraints["loss"][0].options & set(REGRESSION)
    return [name for name in known if loss_of(name).out_activation == network.out_activation]


def _parameters(kind, estimator, network):
    """Those that scikit-learn's has and allows, as they are, and those of the network."""
    given = estimator.get_params(deep=False)
    shared = {name: deepcopy(given[name]) for name in kind().get_params() if name in given}
    allowed = {name: value for name, value in shared.items() if _allows(kind, name, value)}
    if network.classes is None:
        losses = _losses(kind, network)
        allowed["loss"] = estimator.loss if estimator.loss in losses else losses[0]
    return allowed | {"hidden_layer_sizes": network.hidden_sizes}


def _allows(kind, name, value):
    try:
        validate_parameter_constraints(kind._parameter_constraints, {name: value}, "")
    except InvalidParameterError:
        return False
    return True


def _ready_to_go_on(model):
    """With the state in which training begins to look whether it still gets better."""
    if model.solver == "lbfgs":
        return model
    stops_early = model.early_stopping
    model._no_improvement_count = 0
    model.best_loss_ = None if stops_early else np.inf
    model.validation_scores_ = [] if stops_early else None
    model.best_validation_score_ = -np.inf if stops_early else None
    return model
