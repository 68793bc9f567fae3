"""The random validation split of early stopping."""

from hashlib import blake2b

import numpy as np
from scipy import sparse


def validation_rows(X, y, weight, fraction, seed):
    """A mask (n,) of rows for validation, at random, with ``fraction`` of the total weight.

    Equal rows (of X and y) stay on one side, and the choice depends on the distinct rows and
    their weights alone. So no repeated row leaks, and a row of weight two is the row twice.
    """
    groups = _row_groups(X, y)
    total = np.bincount(groups, weights=weight)
    order = np.random.RandomState(seed).permutation(len(total))
    filled = np.cumsum(total[order])
    n_groups = max(2, np.searchsorted(filled, fraction * filled[-1] * (1 - 1e-12)) + 1)
    if fraction * len(total) <= 1 or n_groups >= len(total):
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset: validation_fraction={fraction} of n_samples={len(y)} ({len(total)} "
            "distinct) leaves fewer than two rows for validation or none for training."
        )
    return np.isin(groups, order[:n_groups])


def _row_groups(X, y):
    """Each row's group (n,), equal for equal rows; groups are numbered by the rows' content."""
    keys = np.empty(len(y), dtype=np.uint64)
    ranks = np.column_stack([np.unique(output, return_inverse=True)[1] for output in y.T])
    for i, row in enumerate(ranks):  # the ranks of y do not depend on its units
        columns, values = _non_zeros(X, i)
        digest = blake2b(row.tobytes(), digest_size=8)
        digest.update(columns.astype(np.int64).tobytes())
        digest.update(values.tobytes())
        keys[i] = int.from_bytes(digest.digest(), "little")
    return np.unique(keys, return_inverse=True)[1]


def _non_zeros(X, i):
    """Columns and values of the non-zeros of row i, the same for dense and sparse X."""
    if not sparse.issparse(X):
        columns = np.flatnonzero(X[i])
        return columns, X[i][columns]
    piece = slice(X.indptr[i], X.indptr[i + 1])
    columns, values = X.indices[piece], X.data[piece]
    order = np.argsort(columns)
    order = order[values[order] != 0]
    return columns[order], values[order]
