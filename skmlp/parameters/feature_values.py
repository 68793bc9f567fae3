"""Values given for single input features, by position or by column name."""

from numbers import Real

import numpy as np


def feature_factors(penalty_factor, n_features, feature_names):
    """The multipliers (n_features,) of the first layer's penalty, or None for all ones."""
    if penalty_factor is None:
        return None
    factors = one_a_feature("penalty_factor", penalty_factor, n_features, feature_names, 1.0)
    if np.isnan(factors).any() or (factors < 0).any():
        raise ValueError(
            f"penalty_factor must hold numbers >= 0 (infinity excludes a feature), got "
            f"{penalty_factor!r}."
        )
    return factors


def coefficient_limits(lower_limits, upper_limits, n_features, feature_names):
    """Lower and upper limits (2, n_features) of what leaves each feature, None without any."""
    given = {"lower_limits": lower_limits, "upper_limits": upper_limits}
    if all(values is None for values in given.values()):
        return None
    sides = zip(given.items(), (-np.inf, np.inf), strict=True)
    return np.stack([_limits(*one, n_features, feature_names, none) for one, none in sides])


def _limits(parameter, values, n_features, feature_names, none):
    """The limits of one side, ``none`` where there is none."""
    values = none if values is None else values
    if isinstance(values, Real):
        limits = np.full(n_features, float(values))
    else:
        limits = one_a_feature(parameter, values, n_features, feature_names, none)
    if not (limits * np.sign(none) >= 0).all():
        side = "<=" if none < 0 else ">="
        raise ValueError(
            f"{parameter} must hold numbers {side} 0, since zero has to be allowed, got {values!r}."
        )
    return limits


def one_a_feature(parameter, values, n_features, feature_names, default):
    """Numbers (n_features,) from a sequence of them, a dict or a Series by column name."""
    values = by_name(parameter, values)
    if isinstance(values, dict):
        numbers = _numbers_by_name(parameter, values, n_features, feature_names, default)
    else:
        numbers = _numbers(parameter, values)
    if numbers.shape != (n_features,):
        raise ValueError(
            f"{parameter} has shape {numbers.shape} but X has {n_features} features: give one "
            "number a feature."
        )
    return numbers


def _numbers(parameter, values):
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{parameter} must hold numbers, got {values!r}.") from error


def by_name(parameter, values):
    """A Series by column name as a dict; one that only counts its entries goes by position."""
    index = getattr(values, "index", None)
    if index is None or callable(index) or np.ndim(values) != 1:
        return values
    if list(index) == list(range(len(index))):
        return values
    if len(set(index)) < len(index):
        raise ValueError(f"{parameter} has an index with a name twice, got {list(index)}.")
    return dict(zip(index, values, strict=True))


def _numbers_by_name(parameter, values, n_features, feature_names, default):
    """Numbers from {column name: number}; the default for columns that are not named."""
    if feature_names is None:
        raise ValueError(
            f"{parameter} goes by column name, but X has no column names: fit on a DataFrame or "
            "give one number a feature."
        )
    position = {name: j for j, name in enumerate(feature_names)}
    unknown = [name for name in values if name not in position]
    if unknown:
        raise ValueError(f"{parameter} names columns that X does not have: {unknown}.")
    numbers = np.full(n_features, default)
    given = _numbers(parameter, list(values.values()))
    numbers[[position[name] for name in values]] = given
    return numbers
