"""Folds of the data, and the errors on the rows that they leave out."""

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


def mean_errors(errors, held_out):
    """Mean over the folds and its standard error sd / sqrt(K), (n_strengths,) each.

    Folds count by the total weight of the rows left out, as in cv.glmnet.
    """
    share = np.array([rows.total_weight for rows in held_out], dtype=float)
    share /= share.sum()
    mean = errors @ share
    variance = ((errors - mean[:, None]) ** 2) @ share
    n_folds = len(share)
    return mean, np.sqrt(variance / (n_folds - 1)) if n_folds > 1 else np.full(len(mean), np.nan)


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
    return [*check_cv(cv).split(X, y[:, 0] if y.shape[1] == 1 else y, groups)]
