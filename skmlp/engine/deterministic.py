"""solver='lbfgs': full-batch, deterministic, in float64; and the closing steps of adam and sgd."""

from __future__ import annotations

import numpy as np

from .activations import ACTIVATIONS
from .layout import Layout
from .lbfgsb import lbfgsb
from .objective import FullObjective
from .panoc import Minimum, panoc
from .runtime import raise_if_cancelled
from .scaling import ScaledObjective
from .task import Status, Task

STALL_ITERATIONS = 20
STALL_SHARE_OF_TOL = 1e-3


class Monitor:
    """Remembers the best iterate, and stops where the objective has stalled at kinks.

    Minimisers of networks with ReLU lie on kinks, where no residual goes to zero: there a relative
    decrease below ``STALL_SHARE_OF_TOL * tol`` over 20 iterations ends the search.
    """

    def __init__(self, smooth: bool, tol: float) -> None:
        self.best: tuple[float, np.ndarray] | None = None
        self.stalled = False
        self.n_iter = 0
        self._least_decrease = 0.0 if smooth else STALL_SHARE_OF_TOL * tol
        self._values: list[float] = []

    def __call__(self, x: np.ndarray, value: float) -> bool:
        raise_if_cancelled()
        if self.best is None or value < self.best[0]:
            self.best = (value, x.copy())
        self.n_iter += 1
        self._values.append(value)
        if self._least_decrease > 0 and len(self._values) > STALL_ITERATIONS:
            before = self._values[-1 - STALL_ITERATIONS]
            self.stalled = before - value < self._least_decrease * abs(before)
        return self.stalled


def minimize(task: Task, layout: Layout, objective: FullObjective, row: np.ndarray):
    """(row, status, n_iter, message) of L-BFGS-B on the split problem, finished by PANOC."""
    problem = ScaledObjective(objective, task, layout)
    monitor = Monitor(ACTIVATIONS[task.program.activation].smooth, task.tol)
    x, n_iter, message = problem.from_original(row), 0, ""
    try:
        end = lbfgsb(problem, x, task.tol, task.max_iter, task.max_fun, monitor)
        x, n_iter, message = end.x, end.n_iter, end.message
        left = task.max_iter - n_iter, task.max_fun - end.n_evaluations
        if end.residual > task.tol and not monitor.stalled and min(left) > 0:
            end = panoc(problem, x, task.tol, *left, monitor)
            x, n_iter, message = end.x, n_iter + end.n_iter, end.message
    except KeyboardInterrupt:
        best = monitor.best[1] if monitor.best else problem.penalty.prox(x, 0.0)
        return problem.to_original(best), Status.INTERRUPTED, monitor.n_iter, ""
    return problem.to_original(x), _status(end, monitor, task.tol), n_iter, message


def _status(end: Minimum, monitor: Monitor, tol: float) -> Status:
    if not np.isfinite(end.x).all() or not np.isfinite(end.residual):
        return Status.DIVERGED
    return Status.CONVERGED if end.residual <= tol or monitor.stalled else Status.MAX_ITER


def settle(task: Task, layout: Layout, objective: FullObjective, row: np.ndarray, n_iter: int):
    """The row after at most ``n_iter`` steps of L-BFGS-B: settles which weights are zero.

    PANOC's first steps, small, would release more zeros than they settle.
    """
    problem = ScaledObjective(objective, task, layout)
    monitor = Monitor(True, task.tol)
    end = lbfgsb(problem, problem.from_original(row), 0.0, n_iter, 4 * n_iter, monitor)
    return problem.to_original(end.x) if np.isfinite(end.residual) else row
