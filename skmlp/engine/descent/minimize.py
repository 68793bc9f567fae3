"""solver='lbfgs': full-batch, deterministic, in float64; and the closing steps of adam and sgd."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ..kernels.choice import serves
from ..network.activations import ACTIVATIONS
from ..network.layout import Layout, words_of_zeros
from ..penalty.prox import PenaltyNumbers
from ..task import Status, Task
from .compiled_search import CompiledProblem
from .kinks import Monitor, descend, least_decrease
from .lockstep import ScaledStack, run_together
from .panoc import Minimum, Search, run_alone, search
from .scaling import Scaling

PRINTED_ITERATIONS = 10


class End(NamedTuple):
    """Where the search of a task ended; the residual is that of the scaled variables."""

    row: np.ndarray
    status: Status
    n_iter: int
    message: str
    residual: float = np.inf


def minimize(
    tasks: list[Task], penalties: list[PenaltyNumbers], layout: Layout, rows: list[np.ndarray]
) -> list[End]:
    """Where the search of each task ends, from its row.

    Compiled, each model goes by itself; through torch the searches share passes.
    """
    if not serves(tasks[0]):
        return _minimize_together(tasks, penalties, layout, rows)
    return [_minimize_alone(*one, layout) for one in zip(tasks, penalties, rows, strict=True)]


class _Stopped(Exception):
    """Ends a search whose watch asks for that."""


class _Run:
    """The search of one task in its scaled variables, and its outcome."""

    def __init__(self, task: Task, penalty: PenaltyNumbers, scaling: Scaling, row, layout) -> None:
        self._task, self._penalty, self._layout = task, penalty, layout
        self._scaling = scaling
        self._start = penalty.prox(scaling.from_original(row), 0.0)
        at_kinks = 0.0 if is_smooth(task) else least_decrease(task.tol)
        is_told = task.verbose or task.watch is not None
        self.monitor = Monitor(at_kinks, task.least_gain, self._told if is_told else None)

    def descent(self, begin) -> Search:
        """PANOC by ``begin``, which is ``panoc.search`` but for the penalty."""
        task = self._task
        limits = task.tol, task.max_iter, task.max_fun
        if task.watch is not None:
            task.watch.begin()
        try:
            return (
                yield from descend(
                    begin, self._penalty, self._start, *limits, self.monitor, self._layout
                )
            )
        except _Stopped:
            return None

    def _told(self, monitor: Monitor) -> None:
        """Pass on that an iteration is over."""
        task = self._task
        if task.verbose and monitor.n_told % PRINTED_ITERATIONS == 0:
            print(self._line())
        if task.watch is None:
            return
        if task.watch.end(lambda: self._best(Status.MAX_ITER)):
            raise _Stopped
        if monitor.n_told < task.max_iter:
            task.watch.begin()

    def _line(self) -> str:
        least, row = self.monitor.best
        line = f"Iteration {self.monitor.n_told}, loss = {least * self._scaling.unit:.8f}"
        zeros = self._layout.zeros(row) if self._task.may_have_zeros else None
        return line + words_of_zeros(zeros)

    def _best(self, status: Status) -> End:
        """The best row that was seen, or the start."""
        x = self._start if self.monitor.best is None else self.monitor.best[1]
        n_iter = max(self.monitor.n_iter, self.monitor.n_told)
        return End(self._scaling.to_original(x), status, n_iter, "")

    def outcome(self, end: Minimum | None) -> End:
        """Of a search that ended, or None of one that its watch has stopped."""
        if end is None:
            return self._best(Status.STOPPED)
        status = Status.MAX_ITER
        if not np.isfinite(end.x).all() or not np.isfinite(end.residual):
            status = Status.DIVERGED
        elif end.residual <= self._task.tol or self.monitor.stalled:
            status = Status.CONVERGED
        row = self._scaling.to_original(end.x)
        return End(row, status, end.n_iter, end.message, end.residual)

    def interrupted(self) -> End:
        """The best row that was seen."""
        return self._best(Status.INTERRUPTED)


def is_smooth(task: Task) -> bool:
    """Whether the objective has no kinks but those of its penalty."""
    program = task.program
    is_linear = program.n_layers == 1
    return program.loss.smooth and (is_linear or ACTIVATIONS[program.activation].smooth)


def _minimize_together(tasks, penalties, layout, rows) -> list[End]:
    """The searches of tasks that share passes.

    An interrupt leaves a single task with the best row it has; several are part of a larger work.
    """
    stack = ScaledStack(tasks, penalties, layout)
    runs = [
        _Run(*one, layout) for one in zip(tasks, stack.penalties, stack.scalings, rows, strict=True)
    ]
    try:
        own = zip(runs, stack.penalties, strict=True)
        searches = [
            run.descent(partial(search, penalty, see=run.monitor.see)) for run, penalty in own
        ]
        ends = run_together(searches, stack)
    except KeyboardInterrupt:
        if len(tasks) > 1:
            raise
        return [runs[0].interrupted()]
    return [run.outcome(end) for run, end in zip(runs, ends, strict=True)]


def _minimize_alone(task: Task, penalty: PenaltyNumbers, row: np.ndarray, layout: Layout) -> End:
    """The compiled search of one task."""
    problem = CompiledProblem(task, penalty, layout)
    run = _Run(task, problem.penalty, problem.scaling, row, layout)
    try:
        return run.outcome(run_alone(run.descent(problem.search), problem))
    except KeyboardInterrupt:
        return run.interrupted()
