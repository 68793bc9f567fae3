"""The random validation split of early stopping."""

import numpy as np
from scipy import sparse

BLOCK_ROWS = 4096
MIXERS = ((32, 0xD6E8FEB86659FD93), (29, 0x9FB21C651E98DF25))


def validation_rows(X, y, weight, fraction, seed, strata=None):
    """A mask (n,) of rows for validation, at random, with ``fraction`` of the total weight.

    Equal rows (of X and y) stay on one side, and the choice depends on the distinct rows and
    their weights alone. So no repeated row leaks, and a row of weight two is the row twice. Of
    each of ``strata`` (n,), the rows' classes, that is the fraction.
    """
    if strata is not None:
        _check_members(strata)
    groups = _row_groups(X, y)
    total = np.bincount(groups, weights=weight)
    order = np.random.RandomState(seed).permutation(len(total))
    if strata is not None:
        order = order[_in_turns(total[order], strata[_first_rows(groups)][order])]
    filled = np.cumsum(total[order])
    n_groups = max(2, np.searchsorted(filled, fraction * filled[-1] * (1 - 1e-12)) + 1)
    if fraction * len(total) <= 1 or n_groups >= len(total):
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset: validation_fraction={fraction} of n_samples={len(y)} ({len(total)} "
            "distinct) leaves fewer than two rows for validation or none for training."
        )
    return np.isin(groups, order[:n_groups])


def _check_members(strata):
    """ValueError, with scikit-learn's words, where one of two classes is a single row."""
    classes, n_members = np.unique(strata, return_counts=True)
    if len(classes) == 2 and n_members.min() == 1:
        raise ValueError(
            "The least populated classes in y have only 1 member, which is too few for a "
            "validation set with a share of each class. Classes with too few members are: "
            f"{classes[n_members == 1].astype(str).tolist()}."
        )


def _first_rows(groups):
    return np.unique(groups, return_index=True)[1]


def _in_turns(weights, strata):
    """An order in which the share of each stratum that has gone by grows evenly."""
    place = np.empty(len(weights))
    for stratum in np.unique(strata):
        inside = strata == stratum
        filled = np.cumsum(weights[inside])
        place[inside] = (filled - weights[inside] / 2) / filled[-1]
    return np.argsort(place, kind="stable")


def _row_groups(X, y):
    """Each row's group (n,), equal for equal rows; groups are numbered by the rows' content.

    Rows are told apart by 64-bit hashes that zeros do not enter, so that sparse X gives the groups
    of dense X. Of y its ranks count, which do not depend on its units.
    """
    ranks = np.column_stack([np.unique(output, return_inverse=True)[1] + 1 for output in y.T])
    keys = (_mixed(ranks) * _odd_numbers(y.shape[1], seed=1)).sum(axis=1)
    odd = _odd_numbers(X.shape[1], seed=0)
    if sparse.issparse(X):
        hashes = np.cumsum(np.append(np.uint64(0), _mixed(X.data) * odd[X.indices]))
        keys += hashes[X.indptr[1:]] - hashes[X.indptr[:-1]]
    else:
        for start in range(0, len(X), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            keys[rows] += (_mixed(X[rows]) * odd).sum(axis=1)
    return np.unique(keys, return_inverse=True)[1]


def _mixed(numbers):
    """The numbers' bits as uint64, well mixed; zero (of either sign) stays zero."""
    bits = (numbers.astype(np.float64) + 0.0).view(np.uint64)
    for shift, factor in MIXERS:
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    return bits ^ (bits >> np.uint64(32))


def _odd_numbers(n, seed):
    """n random odd uint64, the same for the same seed."""
    return np.random.RandomState(seed).randint(0, 2**63, n, dtype=np.uint64) * np.uint64(2) + 1
