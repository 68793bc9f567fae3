"""What the weights of a network prove of how its predictions follow each feature."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import validate_data

from .unwrapping import fitted, layers, names_of_features

INCREASING, DECREASING, CONSTANT, FREE = "increasing", "decreasing", "constant", "free"
SCALERS = {"StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"}
INCREASING_TRANSFORMERS = SCALERS | {"PowerTransformer", "QuantileTransformer"}
INCREASING_FUNCTIONS = {np.exp, np.expm1, np.exp2, np.sinh, np.arcsinh, np.cbrt, np.tanh}
INCREASING_FUNCTIONS |= {np.log, np.log1p, np.log2, np.log10, np.sqrt}  # where they are numbers


class Monotonicity(NamedTuple):
    """How predictions follow a feature: 'increasing', 'decreasing', 'constant' or 'free', and why.

    All but 'free' hold for every input; 'free' says that the weights do not decide it.
    ``output`` counts from 0.
    """

    feature: object
    output: int
    direction: str
    reason: str


def check_monotonic(model, X=None):
    """What the weights of a fitted network prove: where it increases, decreases, or is free.

    A feature acts on an output along paths of weights. Where the activations nowhere fall, and the
    products of weights along all paths have one sign, so has the slope, at every input.

    Parameters
    ----------
    model : fitted estimator
        A network of this package, :class:`sklearn.neural_network.MLPRegressor` or a binary
        :class:`~sklearn.neural_network.MLPClassifier`, alone or inside a Pipeline, a search that
        refits, TransformedTargetRegressor or FrozenEstimator. In a Pipeline features are those
        that the network sees, which scalers (StandardScaler, MinMaxScaler, MaxAbsScaler,
        RobustScaler) leave in their order: with other transformers the words are of what they give
        out. Where predictions go through an inverse of TransformedTargetRegressor that need not
        increase, all features are free.

    X : array-like of shape (n_samples, n_features), default=None
        Inputs of the model on which features that are free are looked at: the reason then says
        whether the network's predictions rise, fall or do both there, which proves nothing
        elsewhere.

    Returns
    -------
    features : list of Monotonicity
        (feature, output, direction, reason), by feature and then by output; features by name where
        the model knows names, else by position.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        For estimators without ``coefs_``, and for those that average or calibrate several networks.

    ValueError
        Where X has other features, or names, than the network was fitted to.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor, check_monotonic
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=10, activation="tanh", solver="lbfgs",
    ...                               monotonic_cst={"bmi": 1}, alpha=10, random_state=0)
    >>> found = check_monotonic(mlp.fit(X[["bmi", "age"]].apply(scale), y))
    >>> [(f.feature, f.direction) for f in found]
    [('bmi', 'increasing'), ('age', 'free')]
    """
    network = fitted(model, "coefs_", "a network with coefs_", "check_monotonic")
    outer = layers(model, lambda layer: layer is network)
    network = getattr(network, "estimator_", network)
    up, down = _paths(network)
    why_free = _why_free(network) or _why_target_is_free(outer)
    names = names_of_features(model, network)
    rows = None if X is None else _inputs(outer, network, X)
    found = []
    for j, name in enumerate(range(len(up)) if names is None else names):
        for output in range(up.shape[1]):
            direction, reason = _direction(up[j, output], down[j, output], why_free)
            if direction == FREE and rows is not None:
                reason += _on_data(network, rows, j, output)
            found.append(Monotonicity(name, output, direction, reason))
    return found


def keeps_columns(model):
    """Whether the network inside sees the columns of the model's X, or these scaled."""
    pipelines = [p for p in layers(model, lambda layer: False) if isinstance(p, Pipeline)]
    steps = [step for pipeline in pipelines for _, step in pipeline.steps[:-1]]
    return all(step in (None, "passthrough") or type(step).__name__ in SCALERS for step in steps)


def _inputs(outer, network, X):
    """What the network sees of rows of the model, as an array."""
    for layer in outer:
        if isinstance(layer, Pipeline) and len(layer) > 1:
            X = layer[:-1].transform(X)
    return validate_data(network, X, reset=False, dtype=np.float64)


def _why_target_is_free(outer):
    """Why what is done to predictions leaves the direction open, or None."""
    for layer in outer:
        transformer = getattr(layer, "transformer_", None)
        if transformer is not None and hasattr(layer, "regressor_") and not _rises(transformer):
            return "the inverse of TransformedTargetRegressor is not known to increase"
    return None


def _rises(transformer):
    """Whether the inverse of a transformer of y is known to increase."""
    if type(transformer).__name__ == "FunctionTransformer":
        inverse = transformer.inverse_func
        return inverse is None or any(inverse is known for known in INCREASING_FUNCTIONS)
    if isinstance(transformer, Pipeline):
        return all(_rises(step) for _, step in transformer.steps)
    return type(transformer).__name__ in INCREASING_TRANSFORMERS


def _paths(network):
    """Whether there are paths of positive and of negative products (n_features, n_outputs)."""
    up, down = network.coefs_[0] > 0, network.coefs_[0] < 0
    for coef in network.coefs_[1:]:
        rising, falling = coef > 0, coef < 0
        up, down = up @ rising | down @ falling, up @ falling | down @ rising
    if network.out_activation_ == "ordered":  # each quantile goes on from those below
        up, down = (np.logical_or.accumulate(paths, axis=1) for paths in (up, down))
    return up, down


def _why_free(network):
    """Why no weights could decide it, or None."""
    if network.out_activation_ == "softmax":
        return "probabilities of classes share one sum"
    if len(network.coefs_) == 1:
        return None
    if hasattr(network, "layer_norm_gains_"):
        return "layer normalisation lowers the other units where one rises"
    from ...engine.network.activations import ACTIVATIONS

    is_increasing = ACTIVATIONS[network.activation].increasing
    return None if is_increasing else f"{network.activation} falls in places"


def _direction(rises, falls, why_free):
    """(direction, reason) from the paths that there are."""
    if not rises and not falls:
        return CONSTANT, "no path of weights that are not zero"
    if why_free is not None:
        return FREE, why_free
    if rises and falls:
        return FREE, "paths with products of both signs"
    direction = INCREASING if rises else DECREASING
    return direction, f"all paths have {'positive' if rises else 'negative'} products"


def _on_data(network, X, feature, output):
    """What finite differences say on some rows."""
    step = np.zeros(X.shape[1])
    step[feature] = 1e-3 * (np.ptp(X[:, feature]) or 1.0)
    predict = getattr(network, "predict_proba", network.predict)
    with warnings.catch_warnings():  # names of columns
        warnings.simplefilter("ignore", UserWarning)
        change = (predict(X + step) - predict(X - step)).reshape(len(X), -1)
    change = change[:, min(output, change.shape[1] - 1)]
    word = {(True, True): "rises and falls", (True, False): "rises", (False, True): "falls"}.get(
        ((change > 0).any(), (change < 0).any()), "does not change"
    )
    return f"; on X it {word}"
