"""Values given for all layers at once or one by one: what users may write, made uniform."""

from numbers import Integral, Real

import numpy as np


def _as_list(value):
    """The entries of a sequence, or None for a single value."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return list(value) if hasattr(value, "__iter__") else None


def hidden_sizes(hidden_layer_sizes):
    """The numbers of units of the hidden layers, a tuple of int."""
    sizes = _as_list(hidden_layer_sizes)
    sizes = [hidden_layer_sizes] if sizes is None else sizes
    if not all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must be an integer or a sequence of integers, one a hidden layer, "
            f"got {hidden_layer_sizes!r}."
        )
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return tuple(int(size) for size in sizes)


def per_layer(name, value, n_layers, *, layers="layers (the hidden layers, then the output)"):
    """One entry a layer, from one value for all or a sequence with one value a layer."""
    values = _as_list(value)
    if values is None:
        return (value,) * n_layers
    if len(values) != n_layers:
        raise ValueError(
            f"{name} has {len(values)} values but the network has {n_layers} {layers}: "
            f"give one value for all or {n_layers} values. Got {value!r}."
        )
    return tuple(values)


def strengths(name, value, n_layers):
    """Non-negative finite numbers, one a layer."""
    values = per_layer(name, value, n_layers)
    for entry in values:
        if not isinstance(entry, Real) or not 0 <= entry < np.inf:
            raise ValueError(f"{name} must hold finite numbers >= 0, got {value!r}.")
    return tuple(float(entry) for entry in values)


def flags(name, value, n_layers):
    """Bools, one a layer."""
    values = per_layer(name, value, n_layers)
    for entry in values:
        if not isinstance(entry, (bool, np.bool_)):
            raise ValueError(f"{name} must hold bools, got {value!r}.")
    return tuple(bool(entry) for entry in values)


def rates(name, value, n_hidden):
    """Rates in [0, 1), one a hidden layer."""
    values = per_layer(name, value, n_hidden, layers="hidden layers")
    for entry in values:
        if not isinstance(entry, Real) or not 0 <= entry < 1:
            raise ValueError(f"{name} must hold numbers in [0, 1), got {value!r}.")
    return tuple(float(entry) for entry in values)


def feature_factors(penalty_factor, n_features, feature_names):
    """The multipliers (n_features,) of the first layer's penalty, or None for all ones."""
    if penalty_factor is None:
        return None
    if isinstance(penalty_factor, dict):
        factors = _factors_by_name(penalty_factor, n_features, feature_names)
    else:
        factors = np.asarray(penalty_factor, dtype=np.float64)
    if factors.shape != (n_features,):
        raise ValueError(
            f"penalty_factor has shape {factors.shape} but X has {n_features} features: give one "
            "multiplier a feature."
        )
    if np.isnan(factors).any() or (factors < 0).any():
        raise ValueError(
            f"penalty_factor must hold numbers >= 0 (infinity excludes a feature), got "
            f"{penalty_factor!r}."
        )
    return factors


def _factors_by_name(penalty_factor, n_features, feature_names):
    """Multipliers from {column name: multiplier}; one for columns that are not named."""
    if feature_names is None:
        raise ValueError(
            "penalty_factor is a dict by column name, but X has no column names: fit on a "
            "DataFrame or give one multiplier a feature."
        )
    position = {name: j for j, name in enumerate(feature_names)}
    unknown = [name for name in penalty_factor if name not in position]
    if unknown:
        raise ValueError(f"penalty_factor names columns that X does not have: {unknown}.")
    factors = np.ones(n_features)
    for name, factor in penalty_factor.items():
        factors[position[name]] = factor
    return factors
