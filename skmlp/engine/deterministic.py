"""solver='lbfgs': full-batch, deterministic, in float64; and the closing steps of adam and sgd."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .activations import ACTIVATIONS
from .kinks import Monitor, descend
from .layout import Layout
from .lbfgsb import lbfgsb
from .lockstep import ScaledStack, run_together
from .losses import LOSSES
from .objective import FullObjective
from .panoc import Minimum, Search, run_alone
from .penalties import PenaltyNumbers
from .scaling import ScaledObjective
from .task import Status, Task


class End(NamedTuple):
    """Where the searches of a task ended; the residual is that of the scaled variables."""

    row: np.ndarray
    status: Status
    n_iter: int
    message: str
    residual: float = np.inf


def minimize(
    tasks: list[Task], penalties: list[PenaltyNumbers], layout: Layout, rows: list[np.ndarray]
) -> list[End]:
    """Where the searches of each task end, from its row.

    Group norms are for PANOC, whose searches share the passes over their data; L1 and bounds for
    L-BFGS-B, one model after the other, and PANOC goes on where it ends short of the tolerance.
    """
    if tasks[0].program.has_group_norms:
        return _minimize_together(tasks, penalties, layout, rows)
    return [_minimize_split(*one, layout) for one in zip(tasks, penalties, rows, strict=True)]


class _Run:
    """The searches of one task in its scaled variables, and their outcome.

    ``scaling`` has ``penalty``, ``to_original`` and ``from_original``.
    """

    def __init__(self, task: Task, penalty: PenaltyNumbers, scaling, row, layout: Layout) -> None:
        self.task, self.penalty, self._scaling, self._layout = task, penalty, scaling, layout
        self.start = penalty.prox(scaling.from_original(row), 0.0)
        self.monitor = Monitor(is_smooth(task), task.tol, task.verbose, scaling.unit)

    def descent(self, x: np.ndarray, n_iter: int = 0, n_evaluations: int = 0) -> Search:
        """PANOC within what earlier searches have left of the limits."""
        left = self.task.max_iter - n_iter, self.task.max_fun - n_evaluations
        return descend(self.penalty, x, self.task.tol, *left, self.monitor, self._layout)

    def ended(self, end: Minimum) -> bool:
        """Whether a search met the tolerance, or has used what there is."""
        exhausted = end.n_iter >= self.task.max_iter or end.n_evaluations >= self.task.max_fun
        return end.residual <= self.task.tol or exhausted

    def outcome(self, end: Minimum) -> End:
        status = Status.MAX_ITER
        if not np.isfinite(end.x).all() or not np.isfinite(end.residual):
            status = Status.DIVERGED
        elif end.residual <= self.task.tol or self.monitor.stalled:
            status = Status.CONVERGED
        row = self._scaling.to_original(end.x)
        return End(row, status, end.n_iter, end.message, end.residual)

    def interrupted(self) -> End:
        """The best row that was seen."""
        x = self.start if self.monitor.best is None else self.monitor.best[1]
        return End(self._scaling.to_original(x), Status.INTERRUPTED, self.monitor.n_iter, "")


def is_smooth(task: Task) -> bool:
    """Whether the objective has no kinks but those of its penalty."""
    program = task.program
    is_linear = program.n_layers == 1
    return LOSSES[program.loss].smooth and (is_linear or ACTIVATIONS[program.activation].smooth)


def _minimize_together(tasks, penalties, layout, rows) -> list[End]:
    """PANOC on each task.

    An interrupt leaves a single task with the best row it has; several are part of a larger work.
    """
    stack = ScaledStack(tasks, penalties, layout)
    runs = [
        _Run(*one, layout) for one in zip(tasks, stack.penalties, stack.scalings, rows, strict=True)
    ]
    try:
        ends = run_together([run.descent(run.start) for run in runs], stack)
    except KeyboardInterrupt:
        if len(tasks) > 1:
            raise
        return [runs[0].interrupted()]
    return [run.outcome(end) for run, end in zip(runs, ends, strict=True)]


def _minimize_split(task: Task, penalty: PenaltyNumbers, row: np.ndarray, layout: Layout) -> End:
    """L-BFGS-B on the split problem, finished by PANOC."""
    problem = ScaledObjective(FullObjective(task, penalty, layout), task, layout)
    run = _Run(task, problem.penalty, problem, row, layout)
    try:
        end = lbfgsb(problem, run.start, task.tol, task.max_iter, task.max_fun, run.monitor)
        if not run.ended(end):
            finish = run_alone(run.descent(end.x, end.n_iter, end.n_evaluations), problem)
            end = finish._replace(n_iter=end.n_iter + finish.n_iter)
    except KeyboardInterrupt:
        return run.interrupted()
    return run.outcome(end)
