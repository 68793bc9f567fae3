"""Curvature from pairs of steps and changes of the gradient, and the steps on it (L-BFGS)."""

from __future__ import annotations

import numpy as np

MEMORY = 20
MEMORY_WITHIN_BOUNDS = 10


class InverseHessian:
    """The L-BFGS approximation from pairs of steps and changes, the oldest first.

    Its products are those of the two-loop recursion (Nocedal 1980) on the parts of the pairs that
    belong to the free parameters, from s'y / y'y of the last pair.
    """

    memory = MEMORY

    def __init__(self) -> None:
        self._pairs: list[tuple[np.ndarray, np.ndarray, float]] = []

    @property
    def is_empty(self) -> bool:
        return not self._pairs

    def add(self, step: np.ndarray, change: np.ndarray) -> None:
        """Keep the pair if its curvature is positive; the oldest of many gives way."""
        least = 1e-12 * np.sqrt((step @ step) * (change @ change))
        if step @ change > least:
            self._pairs = [*self._pairs[1 - self.memory :], (step, change, least)]

    def times(self, vector: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        """H v of the free parameters, zero elsewhere; None without a pair of positive curvature."""
        result = vector * free
        used = []
        for step, change, least in reversed(self._pairs):
            step, change = step * free, change * free
            product = step @ change
            if product > least:
                share = (step @ result) / product
                result -= share * change
                used.append((step, change, product, share))
        if not used:
            return None
        _, change, product, _ = used[0]
        result *= product / (change @ change)
        for step, change, product, share in reversed(used):
            result += (share - (change @ result) / product) * step
        return result


class InverseWithinBounds(InverseHessian):
    """The inverse of the free parameters' part of the BFGS matrix.

    Where others reach a bound or leave it, the free part of a change of the gradient is not that
    of a step of free parameters alone, so that the pairs are taken whole. With s and y their
    columns and theta = y'y / s'y of the last pair,

        B = theta I - [Y theta S] [[-D, L'], [L, theta S'S]]^-1 [Y theta S]',  S'Y = L + D + ...,

    whose free part is inverted as B is (Byrd, Lu, Nocedal, Zhu 1995, "A limited memory algorithm
    for bound constrained optimization").
    """

    memory = MEMORY_WITHIN_BOUNDS

    def times(self, vector: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        """As that of ``InverseHessian``; None where rounding leaves no positive curvature."""
        if self.is_empty:
            return None
        S, Y = (np.stack(rows) for rows in list(zip(*self._pairs, strict=True))[:2])
        theta = (Y[-1] @ Y[-1]) / (S[-1] @ Y[-1])
        products = S @ Y.T
        lower, diagonal = np.tril(products, -1), np.diag(np.diag(products))
        middle = np.block([[-diagonal, lower.T], [lower, theta * (S @ S.T)]])
        rows = np.concatenate([Y, theta * S]) * free
        vector = vector * free
        try:
            part = np.linalg.solve(middle - rows @ rows.T / theta, rows @ vector)
        except np.linalg.LinAlgError:
            return None
        result = (vector + part @ rows / theta) / theta
        return result if result @ vector > 0 else None
