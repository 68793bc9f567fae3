"""Warnings where columns are in other units than the network can do with."""

import warnings

import numpy as np

from ._task import NEGLIGIBLE_ALPHA

FAR = 100.0  # between the columns of X
FAR_FROM_TRAINING = 10.0  # between the rows of validation and those of training


def warn_of_units(task, names):
    """Name the columns of X whose scale is far from that of the others, where that matters.

    A penalty acts by the units of a column, and adam and sgd learn by them; lbfgs standardises
    columns by itself. Rare dummies have a small deviation, and still a range that is not small.
    """
    from .engine.scaling import column_moments

    penalised = task.l1[0] > 0 or task.group_l1 > 0 or task.alpha[0] > NEGLIGIBLE_ALPHA
    if task.program.solver == "lbfgs" and not penalised:
        return
    mean, std = column_moments(task.train)
    moves = std > 0
    if task.penalty_factor is not None:
        moves &= np.isfinite(task.penalty_factor)
    if moves.sum() < 2:
        return
    typical = np.median(std[moves])
    far = moves & ((std > FAR * typical) | (_reach(task.train, mean) < typical / FAR))
    if far.any():
        columns = np.flatnonzero(far) if names is None else names[far]
        warnings.warn(
            f"The scale of the columns {_some(columns)} of X is more than {FAR:g} times larger or "
            "smaller than that of the others: penalties act, and networks learn, by the units of "
            "the columns. Put a StandardScaler before the network in a Pipeline."
        )


def warn_of_validation(train, validation, names):
    """Name the columns of the validation rows that lie far from those of the training rows."""
    from .engine.scaling import column_moments

    (mean, std), (other_mean, other_std) = map(column_moments, (train, validation))
    known = std > 0
    shifted = np.abs(other_mean - mean) > FAR_FROM_TRAINING * std
    wider = other_std > FAR_FROM_TRAINING * std
    narrower = (other_std > 0) & (FAR_FROM_TRAINING * other_std < std)
    far = known & (shifted | wider)
    if 2 * (known & narrower).sum() > known.sum():
        far |= known & narrower
    if far.any():
        columns = np.flatnonzero(far) if names is None else names[far]
        warnings.warn(
            f"The columns {_some(columns)} of X_val lie more than {FAR_FROM_TRAINING:g} standard "
            "deviations from those of X, or have more than that many times another scale. A "
            "Pipeline transforms X_val only if it is told to: Pipeline(..., "
            'transform_input=["X_val"]), with set_config(enable_metadata_routing=True) and the '
            "network's set_fit_request(X_val=True, y_val=True)."
        )


def _reach(samples, mean):
    """The largest distance of a value of each column from its mean (n_features,)."""
    from .engine.scaling import BLOCK_ROWS

    reach = np.zeros_like(mean)
    for _, X in samples.blocks(BLOCK_ROWS):
        np.maximum(reach, np.abs(X - mean).max(axis=0), out=reach)
    return reach


def _some(columns, most=5):
    """The first few of the columns, by name or position."""
    shown = [repr(column) for column in columns[:most].tolist()]
    return f"[{', '.join([*shown, '...'] if len(columns) > most else shown)}]"
