"""Folds of the data, and their rows."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array

N_FOLDS = 5


class Rows(NamedTuple):
    """Some of the rows: X, y (n, q) and weights (n,) or None."""

    X: object
    y: np.ndarray
    weight: np.ndarray | None

    @property
    def total_weight(self):
        return len(self.y) if self.weight is None else self.weight.sum()


def rows_of(arrays, rows):
    """The given rows, without those of weight zero."""
    X, y, weight = arrays
    rows = np.arange(len(y))[rows]
    if weight is not None:
        rows = rows[weight[rows] > 0]
    return Rows(_safe_indexing(X, rows), y[rows], None if weight is None else weight[rows])


def folds(cv, arrays, groups=None):
    """Pairs of row numbers (training, held-out): given, or a splitter's; by default five folds."""
    X, y, _ = arrays
    if np.iterable(cv) and not hasattr(cv, "split"):
        splits = [*cv]
    else:
        splits = [*check_cv(cv).split(X, y[:, 0] if y.shape[1] == 1 else y, groups)]
    if not splits:
        raise ValueError(f"cv yields no split; a generator is used up by one fit. Got {cv!r}.")
    return [_checked_fold(fold, len(y)) for fold in splits]


def _checked_fold(fold, n_rows):
    """Row numbers of a fold's two parts; ValueError where they are not rows of the data."""
    try:
        train, test = fold
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cv must yield pairs of training and held-out rows, got {fold!r}."
        ) from error
    return _checked_rows(train, "training", n_rows), _checked_rows(test, "held-out", n_rows)


def _checked_rows(rows, part, n_rows):
    """Row numbers (n,) from row numbers or a mask of all rows, one True or False a row."""
    rows = np.asarray(rows)
    if rows.dtype == bool and rows.shape == (n_rows,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise ValueError(
            f"cv must hold row numbers, or masks of shape ({n_rows},), got {part} rows of shape "
            f"{rows.shape} and dtype {rows.dtype}."
        )
    outside = rows[(rows < -n_rows) | (rows >= n_rows)]
    if outside.size:
        raise ValueError(
            f"cv holds the {part} row {outside[0]}, but X has n_samples={n_rows} rows, counted "
            "from 0."
        )
    return rows.astype(np.intp)


# Groups of rows


def checked_groups(groups, n_rows):
    """The group of each row (n_rows,) as a number from 0, or None; ValueError for others."""
    if groups is None:
        return None
    groups = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
    if groups.shape != (n_rows,):
        raise ValueError(
            f"groups has shape {groups.shape}, but X has {n_rows} rows: give each one."
        )
    try:
        return np.unique(groups, return_inverse=True)[1]
    except TypeError as error:
        raise ValueError(f"groups must hold labels of one type: {error}.") from error


def keeping_groups(cv, groups):
    """The splitter, which for a number of folds, or None, keeps the groups of rows whole."""
    if groups is None or not (cv is None or isinstance(cv, Integral)):
        return cv
    return GroupKFold(N_FOLDS if cv is None else cv)
