"""solver='lbfgs': full-batch, deterministic, in float64; and the closing steps of adam and sgd."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..kernels.choice import serves
from ..network.activations import ACTIVATIONS
from ..network.layout import Layout
from ..network.losses import LOSSES
from ..penalty.prox import PenaltyNumbers
from ..task import Status, Task
from .kinks import Monitor, descend
from .lbfgsb import lbfgsb
from .lockstep import ScaledStack, run_together
from .panoc import Minimum, Search, run_alone
from .scaling import scaled_objective


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

    Group norms are for PANOC; L1 and bounds for L-BFGS-B, and PANOC goes on where it ends short of
    the tolerance. Each model goes by itself, but PANOC through torch, whose searches share passes.
    """
    if tasks[0].program.has_group_norms and not serves(tasks[0]):
        return _minimize_together(tasks, penalties, layout, rows)
    return [_minimize_alone(*one, layout) for one in zip(tasks, penalties, rows, strict=True)]


class _Run:
    """The searches of one task in its scaled variables, and their outcome.

    ``scaling`` has ``penalty``, ``to_original`` and ``from_original``.
    """

    def __init__(self, task: Task, penalty: PenaltyNumbers, scaling, row, layout: Layout) -> None:
        self.task, self.penalty, self._scaling, self._layout = task, penalty, scaling, layout
        self.start = penalty.prox(scaling.from_original(row), 0.0)
        self.monitor = Monitor(is_smooth(task), task.tol, task.verbose, scaling.unit)

    def descent(self, x: np.ndarray, max_iter: int, max_fun: int) -> Search:
        """PANOC from ``x``."""
        return descend(
            self.penalty, x, self.task.tol, max_iter, max_fun, self.monitor, self._layout
        )

    def split(self, problem, x: np.ndarray, max_iter: int, max_fun: int) -> Minimum:
        """L-BFGS-B on the split problem from ``x``."""
        self.monitor.begin()
        return lbfgsb(problem, x, self.task.tol, max_iter, max_fun, self.monitor)

    def left(self, end: Minimum) -> tuple[int, int]:
        """The iterations and evaluations that are left."""
        return self.task.max_iter - end.n_iter, self.task.max_fun - end.n_evaluations

    def ended(self, end: Minimum) -> bool:
        """Whether a search met the tolerance, or has used what there is."""
        return end.residual <= self.task.tol or min(self.left(end)) <= 0

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
        searches = [run.descent(run.start, run.task.max_iter, run.task.max_fun) for run in runs]
        ends = run_together(searches, stack)
    except KeyboardInterrupt:
        if len(tasks) > 1:
            raise
        return [runs[0].interrupted()]
    return [run.outcome(end) for run, end in zip(runs, ends, strict=True)]


def _minimize_alone(task: Task, penalty: PenaltyNumbers, row: np.ndarray, layout: Layout) -> End:
    """The searches of one task."""
    problem = scaled_objective(task, penalty, layout)
    run = _Run(task, problem.penalty, problem, row, layout)
    try:
        if task.program.has_group_norms:
            descent = run.descent(run.start, task.max_iter, task.max_fun)
            return run.outcome(run_alone(descent, problem))
        return run.outcome(_alternate(run, problem))
    except KeyboardInterrupt:
        return run.interrupted()


def _alternate(run: _Run, problem) -> Minimum:
    """L-BFGS-B on the split problem, and PANOC where it ends short of the tolerance.

    Where both have stalled at kinks they are begun anew, until both together gain nothing more.
    """
    end = Minimum(run.start, np.inf, 0, 0, "")
    while True:
        before = np.inf if run.monitor.best is None else run.monitor.best[0]
        end = _followed(end, run.split(problem, end.x, *run.left(end)))
        if not run.ended(end):
            end = _followed(end, run_alone(run.descent(end.x, *run.left(end)), problem))
        if run.ended(end):
            run.monitor.begin()  # a search that was cut off has not converged by having stalled
            return end
        if not (run.monitor.stalled and run.monitor.gains(before)):
            return end


def _followed(end: Minimum, then: Minimum) -> Minimum:
    """The end of the second of two searches, with what both took."""
    n_evaluations = end.n_evaluations + then.n_evaluations
    return then._replace(n_iter=end.n_iter + then.n_iter, n_evaluations=n_evaluations)
