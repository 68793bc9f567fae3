"""What stability selection can select or leave."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import min_max_axis


class Candidates(NamedTuple):
    """What is selected or left as one: features, or groups of them, that are not forced.

    Groups are those of a group penalty: L1 alone selects their columns one by one.

    ``group`` (n_features,) is the unit of each feature, ``is_free`` (n_features,) whether it may be
    selected or left, ``n_candidates`` the least number of units that are free in a half.
    """

    group: np.ndarray
    is_free: np.ndarray
    n_candidates: int

    @classmethod
    def of(cls, halves):
        """The units of the tasks of halves, which differ in their rows alone."""
        task = halves[0]
        is_free = task.factors()[0] > 0
        group = np.array(task.program.feature_groups or range(is_free.size))
        varies = (is_free & ~constant_columns(half.train) for half in halves)
        return cls(group, is_free, min(np.unique(group[free]).size for free in varies))

    def count(self, supports):
        """Numbers (...) of the units in supports (..., n_features)."""
        inside = supports[..., self.is_free]
        if not inside.shape[-1]:
            return np.zeros(inside.shape[:-1], dtype=int)
        order = np.argsort(self.group[self.is_free], kind="stable")
        firsts = np.unique(self.group[self.is_free][order], return_index=True)[1]
        return np.logical_or.reduceat(inside[..., order], firsts, axis=-1).sum(-1)


def constant_columns(samples):
    """Which columns have one value in the engine's samples (n_features,)."""
    X = samples.matrix()
    if sparse.issparse(X):
        least, largest = min_max_axis(X, axis=0)
    else:
        least, largest = X.min(0), X.max(0)
    return least == largest
