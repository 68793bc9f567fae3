"""X'X of scaled columns of a sparse X, which is neither centred nor made dense in memory."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..gram import Columns


class SparseColumns:
    """The columns root (x - mean) factor of a sparse X (n, p), with what ``Columns`` has.

    ``root`` (n,) are the roots of the rows' shares. A few columns are taken out dense.
    """

    def __init__(self, X, root: np.ndarray, mean: np.ndarray, factor: np.ndarray) -> None:
        X = sparse.csc_matrix(X, dtype=np.float64)
        X.sum_duplicates()
        X.data *= root[X.indices]
        self._X, self._rows = X, X.T  # X.T is CSR: products with rows need no copy
        self._root, self._mean, self._factor = root, mean, factor

    @property
    def n_rows(self) -> int:
        return len(self._root)

    def take(self, members: np.ndarray) -> np.ndarray:
        """Some columns, dense (n, k)."""
        dense = np.zeros((self.n_rows, members.size), order="F")
        for place, (begin, end) in enumerate(zip(*self._ends(members), strict=True)):
            dense[self._X.indices[begin:end], place] = self._X.data[begin:end]
        dense -= self._root[:, None] * self._mean[members]
        dense *= self._factor[members]
        return dense

    def _ends(self, members: np.ndarray) -> tuple[list[int], list[int]]:
        """Where the entries of columns begin and end."""
        return self._X.indptr[members].tolist(), self._X.indptr[members + 1].tolist()

    def times_rows(self, v: np.ndarray) -> np.ndarray:
        """X'v of v (n,) or (n, q)."""
        mean, factor = (a if v.ndim == 1 else a[:, None] for a in (self._mean, self._factor))
        return (self._rows @ v - mean * (self._root @ v)) * factor

    def image_of(self, b: np.ndarray) -> np.ndarray:
        """X b of b (p,) or (p, q)."""
        b = b * (self._factor if b.ndim == 1 else self._factor[:, None])
        shift = self._mean @ b
        return self._X @ b - (self._root * shift if b.ndim == 1 else np.outer(self._root, shift))

    def times(self, b: np.ndarray) -> np.ndarray:
        """G b."""
        return self.times_rows(self.image_of(b))

    def of(self, members: np.ndarray) -> Columns:
        """That of some columns, dense."""
        return Columns(self.take(members))

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """G[rows, columns]."""
        return self.take(rows).T @ self.take(columns)

    def image(self, columns: np.ndarray, B: np.ndarray) -> np.ndarray:
        return self.take(columns) @ B

    def slope(self, rows: np.ndarray, image: np.ndarray) -> np.ndarray:
        return self.take(rows).T @ image

    def ridge(self, l2: np.ndarray, target: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """As that of ``Columns``: least squares use all columns."""
        return self.of(np.arange(target.size)).ridge(l2, target, unit)

    def solve(self, support: np.ndarray, l2: np.ndarray, target: np.ndarray) -> np.ndarray:
        return self.of(support).solve(np.arange(support.size), l2, target)
