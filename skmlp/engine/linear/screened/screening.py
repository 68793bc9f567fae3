"""One output's coefficients where features outnumber rows: a few columns at a time.

A problem is solved on a working set: the columns in use, and those whose gradient comes near its
threshold if it changes as fast as that (the sequential strong rule: Tibshirani et al. 2012). All
others are checked afterwards and come in where they violate their condition, so that nothing is
lost by the rule. The next strength goes on from there.
"""

from __future__ import annotations

import numpy as np

from ...penalty.prox import PenaltyNumbers
from ...task import Task
from ..compiled_steps import serves, solved
from ..gram import Columns
from ..quadratic import GRADIENT_ROUNDING, OPTIMALITY_ROUNDING, Quadratic
from .working_columns import WorkingColumns

LARGEST_WORKING_SET = 3000
MAX_WORKING_SETS = 100


class Screened:
    """Coefficients ``b`` (p,) in scaled columns, what is ``left`` of y (n,), and the gradient."""

    def __init__(self, columns: Columns, cross: np.ndarray, y: np.ndarray, rank: int) -> None:
        self._gram, self._cross, self._y, self._rank = columns, cross, y, rank
        self._threshold, self._free = None, None
        self._size = max(float(np.abs(cross).max(initial=0.0)), np.finfo(float).tiny)
        self.left, self.gradient = y, -cross
        self.start_from(np.zeros_like(cross))

    def start_from(self, b: np.ndarray) -> None:
        """Let these coefficients be the ones to start from, and their columns be in alone."""
        self.b = b.copy()
        self._columns = WorkingColumns(self._gram, b.size)
        if b.any():
            self._columns.admit(np.flatnonzero(b))

    def solve(self, penalty: PenaltyNumbers, task: Task) -> tuple[bool, int] | None:
        """(whether ``b`` is optimal now, iterations); None where too many columns come in."""
        problem = Quadratic(self._gram, self._cross, penalty, self._rank)
        likely, n_iter = self._likely(problem), 1
        is_optimal = True
        for _ in range(MAX_WORKING_SETS):
            if self._columns.size + likely.size > LARGEST_WORKING_SET:
                self.start_from(self.b)
                likely = likely[self._columns.place[likely] < 0]
                if self._columns.size + likely.size > LARGEST_WORKING_SET:
                    return None
            if likely.size:
                self._columns.admit(likely)
            is_optimal, iterations = self._solve_on_members(problem, task)
            n_iter += iterations - 1
            likely = self._worst(problem, self._rounding())
            if not (is_optimal and likely.size):
                break
        self._threshold = penalty.l1
        return is_optimal, n_iter

    def _likely(self, problem: Quadratic) -> np.ndarray:
        """Columns to begin with beside those that are in already."""
        penalty = problem.penalty
        if self._free is None:
            self._free = np.flatnonzero(penalty.is_free)
            self._is_served = serves(penalty)
            falls, rises = penalty.lower < 0, penalty.upper > 0
            self._fixed, self._is_bounded = np.flatnonzero(~(falls | rises)), (falls != rises).any()
        likely = self._free[self._columns.place[self._free] < 0]
        slack = 0.0
        if self._threshold is not None:
            slack = np.minimum(penalty.l1 - self._threshold, 0.0)
        worst = self._worst(problem, slack)
        return np.union1d(likely, worst) if likely.size else worst

    def _worst(self, problem: Quadratic, slack: np.ndarray | float) -> np.ndarray:
        """Columns outside whose excess is above ``slack``, the worst ones; a set may treble."""
        if self._is_bounded:
            excess = problem.excess(self.gradient)
        else:
            excess = np.abs(self.gradient) - problem.penalty.l1
            excess[self._fixed] = -np.inf
        return self._columns.worst_outside(excess, slack)

    def _rounding(self) -> float:
        """As ``Quadratic.rounding``."""
        return OPTIMALITY_ROUNDING * self._size + GRADIENT_ROUNDING * float(np.abs(self.b).sum())

    def _solve_on_members(self, problem: Quadratic, task: Task) -> tuple[bool, int]:
        columns = self._columns
        members, start = columns.members, self.b[columns.members]
        own = Quadratic(
            columns.gram,
            self._cross[members],
            problem.penalty.of(members),
            min(members.size, self._rank),
        )
        found, is_optimal, n_iter = solved(
            own, start, task, self._is_served, self._rounding(), columns.matrix
        )
        self.b = np.zeros_like(self.b)
        self.b[members] = found
        places = found.nonzero()[0]
        self.left = self._y - columns.image(places, found[places])
        self.gradient = self._gram.times_rows(self.left)
        self.gradient *= -1
        used = members[places]
        self.gradient[used] += problem.penalty.l2[used] * self.b[used]
        return is_optimal, n_iter
