"""Means and standard deviations of the columns of X, or zeros and root mean squares."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..task import Samples

BLOCK_ROWS, BLOCK_NUMBERS = 4096, 2**22  # 32 MB at the most
UNUSABLE = (
    "{name} has values {range} for its variance to be a number in float64: scale {name}, such as "
    "by StandardScaler."
)


def rows_a_block(n_features: int) -> int:
    """Rows that are looked at together, so that what is made of them stays small."""
    return max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // n_features))


def column_moments(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation (n_features,) of X, float64; 0 for constant columns.

    ValueError where squares of X overflow, or those of columns that vary vanish. Computed once for
    each object.
    """
    if "column_moments" not in vars(samples):
        moments = _computed_moments(samples)
        for array in moments:
            array.setflags(write=False)
        vars(samples)["column_moments"] = moments
    return vars(samples)["column_moments"]


def origins_and_scales(samples: Samples, has_intercept: bool) -> tuple[np.ndarray, np.ndarray]:
    """What columns are centred at and divided by (n_features,): mean and standard deviation.

    Without an intercept they are zero and the root mean square, 0 for columns of zeros alone.
    """
    mean, std = column_moments(samples)
    return (mean, std) if has_intercept else (np.zeros_like(mean), np.hypot(mean, std))


def _computed_moments(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    share = samples.relative_weight()[:, 0] / samples.n_rows
    with np.errstate(over="ignore", invalid="ignore"):
        moments = _of_entries if sparse.issparse(samples.X) else _of_rows
        mean, variance = moments(samples, share)
    if not np.isfinite(variance).all():
        raise ValueError(UNUSABLE.format(name="X", range="too large"))
    std = np.sqrt(np.maximum(variance, 0.0))
    tiny = np.flatnonzero(variance < np.finfo(float).tiny)
    if tiny.size and _vary(samples, tiny, mean[tiny], share):
        raise ValueError(UNUSABLE.format(name="X", range="too small"))
    return mean, np.where(std > 1e-12 * np.abs(mean), std, 0.0)


def _of_rows(samples: Samples, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance, in blocks of rows."""
    mean, variance = np.zeros((2, samples.n_features))
    for rows, X in samples.blocks(rows_a_block(samples.n_features)):
        mean += share[rows] @ X
    for rows, X in samples.blocks(rows_a_block(samples.n_features)):
        variance += share[rows] @ (X - mean) ** 2
    return mean, variance


def _of_entries(samples: Samples, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of a sparse X from its entries: rows without one are the mean's square away."""
    X = sparse.csc_matrix(samples.matrix(), dtype=np.float64)
    X.sum_duplicates()
    counts = np.diff(X.indptr)
    column = np.repeat(np.arange(X.shape[1]), counts)

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(column, share[X.indices] * values, X.shape[1])

    mean = summed(X.data)
    elsewhere = np.where(counts < X.shape[0], np.maximum(1 - summed(np.ones_like(X.data)), 0), 0)
    return mean, summed((X.data - mean[column]) ** 2) + elsewhere * mean**2


def _vary(samples: Samples, columns: np.ndarray, mean: np.ndarray, share: np.ndarray) -> bool:
    """Whether any of some columns is not constant over the rows with weight."""
    with_weight = np.flatnonzero(share > 0)
    rows = with_weight if samples.rows is None else samples.rows[with_weight]
    some = Samples(samples.X[:, columns], samples.y[with_weight], rows=rows)
    return bool((largest_distances(some, mean) > 1e-12 * np.abs(mean)).any())


def largest_distances(samples: Samples, mean: np.ndarray) -> np.ndarray:
    """The largest distance of a value of each column from its mean (n_features,)."""
    if sparse.issparse(samples.X):
        X = samples.matrix()
        ends = (X.max(axis=0).toarray().ravel(), X.min(axis=0).toarray().ravel())
        return np.maximum(*(np.abs(end - mean) for end in ends))
    reach = np.zeros_like(mean)
    for _, X in samples.blocks(rows_a_block(samples.n_features)):
        np.maximum(reach, np.abs(X - mean).max(axis=0), out=reach)
    return reach


def pooled(std: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The root mean square in each group."""
    square = np.bincount(members, std**2) / np.maximum(np.bincount(members), 1)
    return np.sqrt(square)[members]
