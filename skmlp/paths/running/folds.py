"""Folds of the data, and their rows."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array

from ...training_data.row_order import drawn_folds, row_ranks

N_FOLDS = 5


class Rows(NamedTuple):
    """Some of the rows: X, y (n, q), weights (n,) and offset (n, q), each of these or None."""

    X: object
    y: np.ndarray
    weight: np.ndarray | None
    offset: np.ndarray | None = None

    @property
    def total_weight(self):
        return len(self.y) if self.weight is None else self.weight.sum()


def rows_of(arrays, rows):
    """The given rows, without those of weight zero."""
    X, *others = arrays
    _, weight, _ = others
    rows = np.arange(X.shape[0])[rows]
    if weight is not None:
        rows = rows[weight[rows] > 0]
    others = [None if array is None else array[rows] for array in others]
    return Rows(_safe_indexing(X, rows), *others)


class Split(NamedTuple):
    """Folds, pairs of row numbers (training, held-out), and all rows in an order.

    ``chosen`` are the rows that the folds split, the same object where these are all.
    """

    order: object
    folds: list
    chosen: object


def folds(cv, arrays, seed, groups=None, most_rows=None, strata=None):
    """How the rows are split.

    For None (five) and for a number the folds are drawn from ``seed``, of at most ``most_rows``
    rows drawn from all, and rows are in an order of their own, so that the one they come in does
    not matter; equal rows, and ``groups``, stay together, and each fold has its share of each of
    ``strata``, the rows' classes (n_rows,) or labels (n_rows, n_labels) of bool. What else is given
    splits the rows as they are.
    """
    X, y, _, offset = arrays
    if cv is None or isinstance(cv, Integral):
        n_folds = N_FOLDS if cv is None else check_cv(cv).n_splits
        outputs, rng = [y] if offset is None else [y, offset], np.random.RandomState(seed)
        return _drawn(n_folds, X, outputs, rng, groups, most_rows, strata)
    if np.iterable(cv) and not hasattr(cv, "split"):
        splits = [*cv]
    else:
        target = y[:, 0] if y.shape[1] == 1 else y
        if strata is not None and strata.ndim == 1:
            target = strata
        splits = [*check_cv(cv).split(X, target, groups)]
    if not splits:
        raise ValueError(f"cv yields no split; a generator is used up by one fit. Got {cv!r}.")
    whole = slice(None)
    return Split(whole, [_checked_fold(fold, len(y)) for fold in splits], whole)


def _drawn(n_folds, X, outputs, rng, groups, most_rows, strata):
    ranks = row_ranks(X)
    order = np.argsort(row_ranks(*outputs, ranks=ranks), kind="stable")
    unit, name = (ranks, "samples") if groups is None else (groups, "groups")
    chosen = order
    if most_rows is not None and most_rows < len(order):
        chosen = order[np.sort(rng.permutation(len(order))[:most_rows])]
    n_units = len(np.unique(unit[chosen]))
    if groups is None and n_units < n_folds:
        unit, n_units = np.argsort(order), len(chosen)
    if n_units < n_folds:
        raise ValueError(f"cv={n_folds} folds need as many {name}, got n_{name}={n_units}.")
    strata = None if strata is None else strata[chosen]
    fold = drawn_folds(n_folds, unit[chosen], rng, strata)
    pairs = [(chosen[fold != k], chosen[fold == k]) for k in range(n_folds)]
    return Split(order, pairs, chosen)


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
