"""PANOC on one network by its compiled passes, in the scaled variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..kernels.loops import Loops
from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers
from ..task import Task
from .kinks import Monitor
from .panoc import LIMIT_MESSAGE, NOT_FINITE_MESSAGE, Minimum, Search
from .scaling import Scaling

NUMBERS = (
    "tol",
    "max_iter",
    "max_evaluations",
    "least_decrease",
    "best_before",
    "best",
    "residual",
    "n_iter",
    "n_evaluations",
    "end",
)
ENDS = ("", LIMIT_MESSAGE, NOT_FINITE_MESSAGE, "")  # tolerance, limit, start, monitor
STALLED = 3


class CompiledProblem:
    """A task's objective in the scaled variables: columns are scaled as they are read."""

    def __init__(self, task: Task, penalty: PenaltyNumbers, layout: Layout) -> None:
        self.scaling = Scaling(task, layout)
        self.penalty = self.scaling.penalty(penalty)
        samples = replace(task.train, y=self.scaling.outputs(task.train.y))
        columns = self.scaling.columns
        self._loops = Loops(task.program, layout, samples, self.penalty, "float64", columns)

    def value(self, scaled: np.ndarray) -> float:
        """The smooth part."""
        return self._loops.objective(scaled, None)

    def value_and_gradient(self, scaled: np.ndarray) -> tuple[float, np.ndarray]:
        """The smooth part and its gradient."""
        gradient = np.empty_like(scaled)
        return self._loops.objective(scaled, gradient), gradient

    def search(
        self, x: np.ndarray, tol: float, max_iter: int, max_fun: int, monitor: Monitor
    ) -> Search:
        """``panoc.search``, which asks nobody."""
        yield from ()
        row = x.copy()
        limits = [tol, max_iter, max_fun, monitor.least_decrease, monitor.least]
        numbers = np.array([*limits, np.inf, np.inf, 0, 0, 0], dtype=float)
        try:
            self._loops.search(row, numbers, monitor.reporter(row))
        finally:
            *_, best, residual, n_iter, n_evaluations, end = numbers.tolist()
            monitor.take(row, best, int(n_iter), is_stalled=end == STALLED)
        return Minimum(row, residual, int(n_iter), int(n_evaluations), ENDS[int(end)])
