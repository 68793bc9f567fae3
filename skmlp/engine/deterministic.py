"""solver='lbfgs': full-batch, deterministic, in float64; and the closing steps of adam and sgd."""

from __future__ import annotations

import numpy as np

from .activations import ACTIVATIONS
from .layout import Layout
from .lbfgsb import lbfgsb
from .lockstep import ScaledStack, run_together
from .losses import LOSSES
from .objective import FullObjective
from .panoc import Minimum, panoc, search
from .penalties import PenaltyNumbers
from .runtime import raise_if_cancelled
from .scaling import ScaledObjective
from .task import Status, Task

STALL_ITERATIONS = 10
STALL_DECREASE = 100.0


class Monitor:
    """Remembers the best iterate, and stops where the objective has stalled at kinks.

    Minimisers of networks with ReLU lie on kinks, where no residual goes to zero. There a relative
    decrease below ``STALL_DECREASE * tol**2`` over 10 iterations ends the search: where it is
    smooth, what is left to gain from a residual is of the order of its square.
    """

    def __init__(self, smooth: bool, tol: float) -> None:
        self.best: tuple[float, np.ndarray] | None = None
        self.stalled = False
        self.n_iter = 0
        self._least_decrease = 0.0 if smooth else STALL_DECREASE * tol**2
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


def minimize(
    tasks: list[Task], penalties: list[PenaltyNumbers], layout: Layout, rows: list[np.ndarray]
) -> list[tuple[np.ndarray, Status, int, str]]:
    """(row, status, n_iter, message) of each task, from its row.

    Group norms are for PANOC, whose searches share the passes over their data; L1 and bounds for
    L-BFGS-B, one model after the other.
    """
    if tasks[0].program.has_group_norms:
        limits = [(task.tol, task.max_iter, task.max_fun) for task in tasks]
        return _minimize_together(tasks, penalties, layout, rows, limits)
    return [_minimize_split(*one, layout) for one in zip(tasks, penalties, rows, strict=True)]


def _minimize_together(tasks, penalties, layout, rows, limits):
    """PANOC on each task with its limits (tol, max_iter, max_fun).

    An interrupt leaves a single task with the best row it has; several are part of a larger work.
    """
    stack = ScaledStack(tasks, penalties, layout)
    monitors = [Monitor(_is_smooth(task), task.tol) for task in tasks]
    searches = [
        search(penalty, scaling.from_original(row), *limit, monitor)
        for scaling, penalty, row, limit, monitor in zip(
            stack.scalings, stack.penalties, rows, limits, monitors, strict=True
        )
    ]
    try:
        ends = run_together(searches, stack)
    except KeyboardInterrupt:
        if len(tasks) > 1:
            raise
        best = monitors[0].best
        row = penalties[0].prox(rows[0], 0.0)
        row = row if best is None else stack.scalings[0].to_original(best[1])
        return [(row, Status.INTERRUPTED, monitors[0].n_iter, "")]
    return [
        (scaling.to_original(end.x), _status(end, monitor, limit[0]), end.n_iter, end.message)
        for scaling, end, monitor, limit in zip(stack.scalings, ends, monitors, limits, strict=True)
    ]


def _is_smooth(task: Task) -> bool:
    program = task.program
    return ACTIVATIONS[program.activation].smooth and LOSSES[program.loss].smooth


def _minimize_split(task: Task, penalty: PenaltyNumbers, row: np.ndarray, layout: Layout):
    """L-BFGS-B on the split problem, finished by PANOC."""
    problem = ScaledObjective(FullObjective(task, penalty, layout), task, layout)
    monitor = Monitor(_is_smooth(task), task.tol)
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


def settle(task: Task, penalty: PenaltyNumbers, layout: Layout, row: np.ndarray, n_iter: int):
    """The row after at most ``n_iter`` deterministic steps, which settle what is zero.

    L-BFGS-B, since PANOC's first steps, small, would release more zeros than they settle; a group
    is settled by PANOC.
    """
    if task.program.has_group_norms:
        limit = (0.0, n_iter, 4 * n_iter)
        end, status, *_ = _minimize_together([task], [penalty], layout, [row], [limit])[0]
        if status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return end if np.isfinite(end).all() else row
    problem = ScaledObjective(FullObjective(task, penalty, layout), task, layout)
    monitor = Monitor(True, task.tol)
    end = lbfgsb(problem, problem.from_original(row), 0.0, n_iter, 4 * n_iter, monitor)
    return problem.to_original(end.x) if np.isfinite(end.residual) else row
