"""Means and standard deviations of the columns of X, or zeros and root mean squares."""

from __future__ import annotations

import numpy as np

from ..task import Samples

BLOCK_ROWS = 4096
UNUSABLE = (
    "{name} has values {range} for its variance to be a number in float64: scale {name}, such as "
    "by StandardScaler."
)


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
    mean, variance = np.zeros((2, samples.n_features))
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, X in samples.blocks(BLOCK_ROWS):
            mean += share[rows] @ X
        for rows, X in samples.blocks(BLOCK_ROWS):
            variance += share[rows] @ (X - mean) ** 2
    if not np.isfinite(variance).all():
        raise ValueError(UNUSABLE.format(name="X", range="too large"))
    std = np.sqrt(np.maximum(variance, 0.0))
    tiny = np.flatnonzero(variance < np.finfo(float).tiny)
    if tiny.size and _vary(samples, tiny, mean[tiny], share):
        raise ValueError(UNUSABLE.format(name="X", range="too small"))
    return mean, np.where(std > 1e-12 * np.abs(mean), std, 0.0)


def _vary(samples: Samples, columns: np.ndarray, mean: np.ndarray, share: np.ndarray) -> bool:
    """Whether any of some columns is not constant over the rows with weight."""
    return any(
        (np.abs(X[:, columns] - mean)[share[rows] > 0] > 1e-12 * np.abs(mean)).any()
        for rows, X in samples.blocks(BLOCK_ROWS)
    )


def pooled(std: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The root mean square in each group."""
    square = np.bincount(members, std**2) / np.maximum(np.bincount(members), 1)
    return np.sqrt(square)[members]
