"""Values given for single input features, by position or by column name."""

from numbers import Integral

import numpy as np


def feature_factors(penalty_factor, n_features, feature_names):
    """The multipliers (n_features,) of the first layer's penalty, or None for all ones."""
    if penalty_factor is None:
        return None
    penalty_factor = _labelled(penalty_factor)
    if isinstance(penalty_factor, dict):
        factors = _factors_by_name(penalty_factor, n_features, feature_names)
    else:
        factors = _numbers(penalty_factor)
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


def _numbers(values):
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"penalty_factor must hold numbers, got {values!r}.") from error


def _labelled(factors):
    """A Series by column name as a dict; one that only counts its entries goes by position."""
    index = getattr(factors, "index", None)
    if index is None or callable(index) or np.ndim(factors) != 1:
        return factors
    if list(index) == list(range(len(index))):
        return factors
    if len(set(index)) < len(index):
        raise ValueError(f"penalty_factor has an index with a name twice, got {list(index)}.")
    return dict(zip(index, factors, strict=True))


def _factors_by_name(penalty_factor, n_features, feature_names):
    """Multipliers from {column name: multiplier}; one for columns that are not named."""
    if feature_names is None:
        raise ValueError(
            "penalty_factor goes by column name, but X has no column names: fit on a DataFrame or "
            "give one multiplier a feature."
        )
    position = {name: j for j, name in enumerate(feature_names)}
    unknown = [name for name in penalty_factor if name not in position]
    if unknown:
        raise ValueError(f"penalty_factor names columns that X does not have: {unknown}.")
    factors = np.ones(n_features)
    factors[[position[name] for name in penalty_factor]] = _numbers(list(penalty_factor.values()))
    return factors


def feature_groups(groups, n_features, feature_names, factors):
    """The group of each feature (n_features,), numbered in the order of their first features.

    ``groups`` are lists of columns, by position or by name; a column in none is a group of its own.
    ``factors`` are the penalty factors or None: equal within a group but for infinite ones.
    """
    if groups is None:
        return tuple(range(n_features))
    members = np.full(n_features, -1)
    for group in groups:
        columns = _columns(group, n_features, feature_names)
        if (members[columns] >= 0).any() or len(set(columns)) < len(columns):
            raise ValueError(f"feature_groups holds a column twice, got {groups!r}.")
        members[columns] = min(columns)
        if factors is not None:
            finite = factors[columns][np.isfinite(factors[columns])]
            if finite.size and (finite != finite[0]).any():
                raise ValueError(
                    f"penalty_factor must be the same for all features of a group, got "
                    f"{finite.tolist()} for the group {list(group)!r} of feature_groups."
                )
    alone = members < 0
    members[alone] = np.flatnonzero(alone)
    return tuple(int(g) for g in np.unique(members, return_inverse=True)[1])


def group_sizes(members, factors):
    """How many features each one's group has (n_features,), without those that are excluded."""
    free = None if factors is None else np.isfinite(factors)
    return np.bincount(members, free).astype(np.float64)[list(members)]


def _columns(group, n_features, feature_names):
    """Positions of the columns of one group."""
    if isinstance(group, str) or not hasattr(group, "__iter__") or not len(group):
        raise ValueError(
            f"feature_groups must hold non-empty lists of columns, got {group!r} in it."
        )
    positions = {} if feature_names is None else {name: j for j, name in enumerate(feature_names)}
    columns = []
    for column in group:
        is_position = isinstance(column, Integral) and not isinstance(column, (bool, np.bool_))
        if is_position and -n_features <= column < n_features:
            columns.append(int(column) % n_features)
        elif isinstance(column, str) and column in positions:
            columns.append(positions[column])
        else:
            known = "no column names" if feature_names is None else "named columns"
            raise ValueError(
                f"feature_groups names {column!r}, but X has {n_features} features and {known}."
            )
    return columns
