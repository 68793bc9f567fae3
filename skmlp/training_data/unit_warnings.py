"""Warnings where columns are in other units than the network can do with."""

import warnings
from statistics import median

import numpy as np

from ..parameters.task_builder import NEGLIGIBLE_ALPHA

FEW_ROWS = 10  # fewer say little of the scale of a column
FAR = 100.0  # between the columns of X, and in deviations of one from zero
FAR_FROM_TRAINING = 10.0  # between the rows of validation and those of training
OTHER_SCALE = (
    f"The scale of the columns {{columns}} of X is more than {FAR:g} times larger or smaller than "
    "that of the others: penalties act, and networks learn, by the units of the columns. Put a "
    "StandardScaler before the network in a Pipeline."
)
FAR_ORIGIN = (
    f"The columns {{columns}} of X lie more than {FAR:g} of their standard deviations from zero: "
    "adam learns slowly from such columns, and sgd may diverge. Put a StandardScaler before the "
    "network in a Pipeline."
)
FAR_VALIDATION = (
    f"The columns {{columns}} of X_val lie more than {FAR_FROM_TRAINING:g} standard deviations "
    "from those of X, or have more than that many times another scale. A Pipeline transforms X_val "
    'only if it is told to: Pipeline(..., transform_input=["X_val"]), with '
    "set_config(enable_metadata_routing=True)."
)


def unit_notes(task, names):
    """Words on the columns of X whose scale or origin is far from the others', where that matters.

    A penalty acts by the units of a column, and adam and sgd learn by them and by its origin; lbfgs
    standardises columns by itself. Rare dummies have a small deviation, and still a range that is
    not small.
    """
    from ..engine.network.columns import column_moments, largest_distances

    penalised = task.l1[0] > 0 or task.group_l1 > 0 or task.alpha[0] > NEGLIGIBLE_ALPHA
    if task.train.n_rows < FEW_ROWS or (task.program.is_deterministic and not penalised):
        return []
    mean, std = column_moments(task.train)
    moves, notes = (std > 0) & ~task.excluded, []
    if moves.sum() > 1:
        typical = median(std[moves].tolist())
        large, small = moves & (std > FAR * typical), moves & (std < typical / FAR)
        if small.any():
            small &= largest_distances(task.train, mean) < typical / FAR
        notes += _on_columns(large | small, names, OTHER_SCALE)
    if not task.program.is_deterministic:
        notes += _on_columns(moves & (np.abs(mean) > FAR * std), names, FAR_ORIGIN)
    return notes


def _on_columns(far, names, message):
    """The message with these columns by name or position, as a list, empty where there are none."""
    if not far.any():
        return []
    columns = np.flatnonzero(far) if names is None else names[far]
    return [message.format(columns=_some(columns))]


def warn_of_validation(train, validation, names):
    """Name the columns of the validation rows that lie far from those of the training rows."""
    from ..engine.network.columns import column_moments

    if train.n_rows < FEW_ROWS:
        return
    (mean, std), (other_mean, other_std) = map(column_moments, (train, validation))
    known = std > 0
    shifted = np.abs(other_mean - mean) > FAR_FROM_TRAINING * std
    wider = other_std > FAR_FROM_TRAINING * std
    narrower = (other_std > 0) & (FAR_FROM_TRAINING * other_std < std)
    far = known & (shifted | wider)
    if 2 * (known & narrower).sum() > known.sum():
        far |= known & narrower
    for note in _on_columns(far, names, FAR_VALIDATION):
        warnings.warn(note)


def _some(columns, most=5):
    """The first few of the columns, by name or position."""
    shown = [repr(column) for column in columns[:most].tolist()]
    return f"[{', '.join([*shown, '...'] if len(columns) > most else shown)}]"
