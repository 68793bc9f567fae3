"""Folds of the data, and their rows."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing


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
    """The pairs of (training, held-out) rows of a splitter; by default five folds."""
    X, y, _ = arrays
    splits = [*check_cv(cv).split(X, y[:, 0] if y.shape[1] == 1 else y, groups)]
    if not splits:
        raise ValueError(f"cv yields no split; a generator is used up by one fit. Got {cv!r}.")
    return splits
