"""The columns that a path works on: their Gram matrix, which grows as columns come in."""

from __future__ import annotations

import numpy as np

from ..gram import Columns, Gram

FIRST_ROOM = 64
SMALLEST_WORKING_SET = 16


class WorkingColumns:
    """Some columns of ``Columns`` in the order in which they came in, and their Gram matrix.

    ``place`` (p,) is where each column is, -1 where it is not; ``matrix`` has room for more.
    """

    def __init__(self, columns: Columns, n_features: int) -> None:
        self._columns, self.size = columns, 0
        self.members, self.place = np.zeros(0, dtype=np.int64), np.full(n_features, -1)
        self._taken = np.zeros((0, columns.n_rows))
        self.matrix = np.zeros((0, 0))

    @property
    def gram(self) -> Gram:
        """That of the columns alone."""
        return Gram(self.matrix[: self.size, : self.size])

    def admit(self, entering: np.ndarray) -> None:
        """Let columns come in that are not members."""
        before, self.size = self.size, self.size + entering.size
        self._make_room(before)
        self.members = np.append(self.members, entering)
        self.place[entering] = np.arange(before, self.size)
        own = slice(before, self.size)
        self._taken[own] = self._columns.take(entering).T
        block = self._taken[own] @ self._taken[: self.size].T
        self.matrix[own, : self.size] = block
        self.matrix[:before, own] = block[:, :before].T

    def worst_outside(self, excess: np.ndarray, slack: np.ndarray | float) -> np.ndarray:
        """Columns that are not in whose excess is above ``slack``, the worst; a set may treble.

        Overwrites ``excess``.
        """
        excess[self.members] = -np.inf
        over = (excess > slack).nonzero()[0]
        n_most = max(SMALLEST_WORKING_SET, 2 * self.size)
        if over.size <= n_most:
            return over
        return over[np.argpartition(-excess[over], n_most)[:n_most]]

    def _make_room(self, before: int) -> None:
        room = len(self._taken)
        if self.size <= room:
            return
        room = max(2 * room, self.size, FIRST_ROOM)
        taken, matrix = np.empty((room, self._taken.shape[1])), np.empty((room, room))
        taken[:before] = self._taken[:before]
        matrix[:before, :before] = self.matrix[:before, :before]
        self._taken, self.matrix = taken, matrix

    def image(self, places: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The columns at some places, combined: (n,), or (q, n) of b (q, n_places)."""
        return b @ self._taken[places]
