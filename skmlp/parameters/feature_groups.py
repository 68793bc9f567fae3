"""Columns that go together: the forms in which users write them, made one."""

from numbers import Integral, Real

import numpy as np

from .feature_values import by_name

FORMS = (
    "lists of columns, strings 'prefix*', one label a column, or a callable that returns one of "
    "these"
)


def feature_groups(groups, n_features, feature_names, factors):
    """The group of each feature (n_features,), numbered in the order of their first features.

    ``factors`` are the penalty factors or None: equal within a group but for infinite ones.
    """
    if groups is None:
        return tuple(range(n_features))
    firsts = _first_members(groups, n_features, feature_names)
    members = np.unique(firsts, return_inverse=True)[1]
    if factors is not None:
        _check_factors(members, factors, feature_names)
    return tuple(int(g) for g in members)


def group_sizes(members, factors):
    """How many features each one's group has (n_features,), without those that are excluded."""
    free = None if factors is None else np.isfinite(factors)
    return np.bincount(members, free).astype(np.float64)[list(members)]


def _first_members(groups, n_features, feature_names):
    """The first feature of each one's group (n_features,); a column in none is its own."""
    if callable(groups):
        groups = groups(n_features if feature_names is None else np.array(feature_names))
        if groups is None:
            return np.arange(n_features)
    groups = by_name("feature_groups", groups)
    if isinstance(groups, dict):
        return _firsts_of_labels(_labels_by_name(groups, n_features, feature_names))
    if callable(groups) or isinstance(groups, str) or not np.iterable(groups):
        raise ValueError(f"feature_groups must be {FORMS}, got {groups!r}.")
    groups = [*groups]
    if groups and not any(_is_prefix(group) or _is_list(group) for group in groups):
        return _firsts_of_labels(_checked_labels(groups, n_features))
    return _firsts_of_lists(groups, n_features, feature_names)


def _check_factors(members, factors, feature_names):
    for group in np.flatnonzero(np.bincount(members) > 1):
        columns = np.flatnonzero(members == group)
        finite = factors[columns][np.isfinite(factors[columns])]
        if finite.size and (finite != finite[0]).any():
            named = columns if feature_names is None else np.asarray(feature_names)[columns]
            raise ValueError(
                f"penalty_factor must be the same for all features of a group, got "
                f"{finite.tolist()} for the group {named.tolist()} of feature_groups."
            )


# Labels


def _checked_labels(labels, n_features):
    if len(labels) != n_features:
        raise ValueError(
            f"feature_groups holds {len(labels)} labels, but X has {n_features} features: give one "
            f"label a column, or non-empty lists of columns such as [[0, 1]]; got {labels!r}."
        )
    return [_checked_label(label) for label in labels]


def _labels_by_name(labels, n_features, feature_names):
    """Labels from {column name: label}; None for columns that are not named."""
    if feature_names is None:
        raise ValueError(
            f"feature_groups goes by column name, but X has no column names: fit on a DataFrame or "
            f"give one label a column; got {labels!r}."
        )
    positions = {name: j for j, name in enumerate(feature_names)}
    found = [None] * n_features
    for name, label in labels.items():
        if name not in positions:
            raise ValueError(f"feature_groups names {name!r}, a column that X does not have.")
        found[positions[name]] = _checked_label(label)
    return found


def _checked_label(label):
    if not isinstance(label, str | Real) or label != label:
        raise ValueError(f"feature_groups must have strings or numbers as labels, got {label!r}.")
    return label


def _firsts_of_labels(labels):
    firsts = {}
    return [j if label is None else firsts.setdefault(label, j) for j, label in enumerate(labels)]


# Lists of columns


def _is_prefix(group):
    return isinstance(group, str) and group.endswith("*")


def _is_list(group):
    return np.iterable(group) and not isinstance(group, str)


def _firsts_of_lists(groups, n_features, feature_names):
    firsts = np.full(n_features, -1)
    for group in groups:
        if _is_prefix(group):
            columns = _columns_by_prefix(group, n_features, feature_names)
        else:
            columns = _columns(group, n_features, feature_names)
        if (firsts[columns] >= 0).any() or len(set(columns)) < len(columns):
            raise ValueError(f"feature_groups holds a column twice, got {groups!r}.")
        firsts[columns] = min(columns)
    alone = firsts < 0
    firsts[alone] = np.flatnonzero(alone)
    return firsts


def _columns_by_prefix(pattern, n_features, feature_names):
    """Positions of the columns whose names begin with the pattern, up to its star."""
    prefix, names = pattern[:-1], () if feature_names is None else feature_names
    columns = [j for j, name in enumerate(names) if name.startswith(prefix)]
    if not columns:
        known = "no column names" if feature_names is None else "none whose name begins so"
        raise ValueError(
            f"feature_groups names {pattern!r}, but X has {n_features} features and {known}."
        )
    return columns


def _columns(group, n_features, feature_names):
    """Positions of the columns of one group."""
    if not _is_list(group) or not len(group):
        raise ValueError(
            f"feature_groups must hold non-empty lists of columns, or strings 'prefix*', got "
            f"{group!r} in it."
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
