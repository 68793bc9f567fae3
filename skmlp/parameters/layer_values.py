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
