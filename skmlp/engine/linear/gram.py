"""X'X of scaled columns: formed once, or kept as its columns where they outnumber the rows.

Both kinds have ``times(b)``, ``of(members)``, ``block(rows, columns)`` and ``solve(support, l2,
target)``, the solution of (G + diag(l2)) b = target on a support, with one step of iterative
refinement; and ``ridge``, that of all columns in a metric, of least norm where there are many.
``slope(rows, image(columns, B))`` is G[rows, columns] B: the part that changes with few columns,
and what few rows need of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

SIZEABLE_L2 = 1e-3
RANK_ROUNDING = 1e-15


def is_sizeable(l2: np.ndarray) -> bool:
    """Whether l2 makes G + diag(l2) well conditioned, in columns of standard deviation one."""
    return bool((l2 > SIZEABLE_L2).all())


class Gram:
    """G as a matrix (p, p)."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix

    def times(self, b: np.ndarray) -> np.ndarray:
        """G b."""
        return self.matrix @ b

    def of(self, members: np.ndarray) -> Gram:
        """That of some columns."""
        if members.size == len(self.matrix):
            return self
        return Gram(self.matrix[np.ix_(members, members)])

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """G[rows, columns], a copy."""
        return self.matrix[np.ix_(rows, columns)]

    def image(self, columns: np.ndarray, B: np.ndarray) -> np.ndarray:
        return self.matrix[:, columns] @ B

    def slope(self, rows: np.ndarray, image: np.ndarray) -> np.ndarray:
        return image[rows]

    def ridge(self, l2: np.ndarray, target: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """(G + diag(l2)) b = target with the least |b / unit|."""
        matrix = self.matrix * unit * unit[:, None]
        matrix[np.diag_indices_from(matrix)] += l2 * unit**2
        values, vectors = linalg.eigh(matrix, check_finite=False)
        kept = values > RANK_ROUNDING * len(values) * values[-1:].max(initial=0.0)
        vectors = vectors[:, kept]
        return _refined(
            lambda v: unit * (vectors @ ((vectors.T @ (unit * v)) / values[kept])),
            lambda b: self.matrix @ b + l2 * b,
            target,
        )

    def solve(self, support: np.ndarray, l2: np.ndarray, target: np.ndarray) -> np.ndarray:
        return _solve(self.matrix[np.ix_(support, support)], l2, target)


class Columns:
    """G as X'X of columns (n, p)."""

    def __init__(self, columns: np.ndarray) -> None:
        self.columns = np.asfortranarray(columns)  # columns are taken out again and again

    @property
    def n_rows(self) -> int:
        return len(self.columns)

    def take(self, members: np.ndarray) -> np.ndarray:
        """Some columns (n, k)."""
        return self.columns[:, members]

    def times_rows(self, v: np.ndarray) -> np.ndarray:
        """X'v of v (n,) or (n, q)."""
        return self.columns.T @ v

    def times(self, b: np.ndarray) -> np.ndarray:
        """G b."""
        return self.columns.T @ (self.columns @ b)

    def of(self, members: np.ndarray) -> Columns:
        """That of some columns."""
        return Columns(self.columns[:, members])

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """G[rows, columns]."""
        return self.columns[:, rows].T @ self.columns[:, columns]

    def image(self, columns: np.ndarray, B: np.ndarray) -> np.ndarray:
        return self.columns[:, columns] @ B

    def slope(self, rows: np.ndarray, image: np.ndarray) -> np.ndarray:
        return self.columns[:, rows].T @ image

    def ridge(self, l2: np.ndarray, target: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """(G + diag(l2)) b = target = X'v with the least |b / unit|.

        By the singular values of X, below which a tiny l2 does not vanish as in those of X'X. With
        l2 of one strength in the units given these are all that is needed.
        """
        X, strength = self.columns * unit, l2 * unit**2
        largest = strength.max(initial=0.0)
        if strength.min(initial=np.inf) < (1 - 1e-12) * largest:
            return self._mixed_ridge(X, strength, target * unit) * unit
        _, s, V = linalg.svd(X, full_matrices=False, check_finite=False)
        kept = s > np.finfo(float).eps * max(X.shape) * s.max(initial=0.0)
        V, s = V[kept], s[kept]
        return unit * (V.T @ ((V @ (target * unit)) / (s**2 + largest)))

    @staticmethod
    def _mixed_ridge(X: np.ndarray, strength: np.ndarray, target: np.ndarray) -> np.ndarray:
        tall = np.vstack([X, np.diag(np.sqrt(strength))])
        _, s, V = linalg.svd(tall, full_matrices=False, check_finite=False)
        kept = s > np.finfo(float).eps * max(tall.shape) * s.max(initial=0.0)
        return V[kept].T @ ((V[kept] @ target) / s[kept] ** 2)

    def solve(self, support: np.ndarray, l2: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Through the n x n system (Woodbury) where the support outnumbers the rows."""
        X = self.columns[:, support]
        n_rows, size = X.shape
        if size <= n_rows or not is_sizeable(l2):
            return _solve(X.T @ X, l2, target)
        root = np.sqrt(l2)
        scaled = X / root
        kernel = scaled @ scaled.T
        kernel[np.diag_indices(n_rows)] += 1.0
        try:
            factor = linalg.cho_factor(kernel, check_finite=False)
        except linalg.LinAlgError:
            return _solve(X.T @ X, l2, target)
        return _refined(
            lambda v: (
                (
                    v / root
                    - scaled.T @ linalg.cho_solve(factor, scaled @ (v / root), check_finite=False)
                )
                / root
            ),
            lambda b: X.T @ (X @ b) + l2 * b,
            target,
        )


def _solve(matrix: np.ndarray, l2: np.ndarray, target: np.ndarray) -> np.ndarray:
    """By Cholesky; NaN where the matrix is singular. Overwrites it."""
    if not target.size:  # older versions of SciPy refuse it
        return target.copy()
    matrix[np.diag_indices_from(matrix)] += l2
    try:
        factor = linalg.cho_factor(matrix, check_finite=False)
    except linalg.LinAlgError:
        return np.full_like(target, np.nan)
    return _refined(
        lambda v: linalg.cho_solve(factor, v, check_finite=False), matrix.__matmul__, target
    )


def _refined(inverse: Callable, product: Callable, target: np.ndarray) -> np.ndarray:
    """inverse(target) with one step of iterative refinement."""
    solution = inverse(target)
    return solution + inverse(target - product(solution))
