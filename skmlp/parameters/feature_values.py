"""Values given for single input features, by position or by column name."""

import numpy as np


def feature_factors(penalty_factor, n_features, feature_names):
    """The multipliers (n_features,) of the first layer's penalty, or None for all ones."""
    if penalty_factor is None:
        return None
    penalty_factor = by_name("penalty_factor", penalty_factor)
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
