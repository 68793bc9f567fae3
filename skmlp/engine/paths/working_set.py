"""Deterministic fits on the features in use, checked against those that are not.

Along a path few features are left, and passes over the others would find zeros again. The network
is trained on the features of its start; where a feature outside violates its optimality condition
it comes in, and the training goes on. Each network has a working set of its own, so that its
numbers do not depend on who trains beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..descent.objective import FullObjective
from ..descent.scaling import Scaling
from ..linear.exact import is_exact
from ..network.layout import Layout
from ..penalty.prox import penalty_numbers
from ..runtime import one_fit
from ..task import Solution, Task

MAX_ROUNDS = 10  # then all features come in, of wide data all that violate their condition
SMALLEST_STEP = 50  # features of wide data that come in at once, the worst first


def solve(tasks: list[Task], train: Callable[[list[Task]], list[Solution]]) -> list[Solution]:
    """Solutions of the tasks, those with starts on working sets, each round trained together."""
    runs = [_Run(task) for task in tasks]
    while going_on := [run for run in runs if not run.finished]:
        solutions = train([run.task() for run in going_on])
        for run, solution in zip(going_on, solutions, strict=True):
            run.take(solution)
    return [run.solution for run in runs]


def has_working_set(task: Task) -> bool:
    """Whether the optimality conditions of features outside a fit can be checked."""
    program = task.program
    return (
        task.start is not None
        and program.is_deterministic
        and not is_exact(task)
        and program.normalization != "batch"
    )


class _Run:
    """The rounds of one task; ``finished`` where no feature outside violates its condition."""

    def __init__(self, task: Task) -> None:
        self._task, self._n_rounds = task, 0
        self.finished, self.solution = False, None
        self._active = np.ones(task.program.layer_sizes[0], dtype=bool)
        if has_working_set(task):
            self._active = task.start.support
            self._active[0] |= not self._active.any()  # a network has an input

    def task(self) -> Task:
        """The task of the next round."""
        task = self._task
        if self.solution is not None:
            task = replace(task, start=self.solution.weights)
        return task if self._active.all() else task.restrict(np.flatnonzero(self._active))

    def take(self, solution: Solution) -> None:
        """Keep the solution of a round, on all features, and see which of them come in."""
        self._n_rounds += 1
        self.solution, self.finished = solution, self._active.all()
        if self.finished:
            return
        weights = solution.weights.embed(np.flatnonzero(self._active), self._active.size)
        check = _Check(self._task)  # not kept: it is as large as many first layers
        self.solution, residuals = check(replace(solution, weights=weights))
        violates = (residuals > self._task.tol) & ~self._active
        self.finished = not violates.any()
        self._active |= self._entering(violates, residuals)

    def _entering(self, violates: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Those that come in: of wide data the active ones at most double, until rounds are many.

        A network that can meet all rows has no use for the others, and which come in is its choice.
        """
        if not self._task.train.is_wide:
            return violates | (self._n_rounds == MAX_ROUNDS)
        most = max(SMALLEST_STEP, int(self._active.sum()))
        if self._n_rounds >= MAX_ROUNDS or violates.sum() <= most:
            return violates
        worst = np.argsort(-np.where(violates, residuals, 0.0), kind="stable")[:most]
        return np.isin(np.arange(violates.size), worst)


class _Check:
    """The optimality conditions of one task on all features."""

    def __init__(self, task: Task) -> None:
        self._layout = Layout(task.program)
        self._penalty = penalty_numbers(task, self._layout)
        self._scaling = Scaling(task, self._layout)
        self._scaled_penalty = self._scaling.penalty(self._penalty)
        with one_fit():
            self._objective = FullObjective(task, self._penalty, self._layout)

    def __call__(self, solution: Solution) -> tuple[Solution, np.ndarray]:
        """The solution with its certificate on all features, and the residual of each.

        They are judged as the searches judge them: by the residual of standardised variables.
        """
        row = self._layout.pack(solution.weights)
        with one_fit():
            value, gradient = self._objective.value_and_gradient(row)
        objective = float(value + self._penalty.value(row))
        optimality = self._penalty.residual(row, gradient)
        return (
            replace(solution, objective=objective, optimality=optimality),
            self._residuals(row, gradient),
        )

    def _residuals(self, row: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Of each feature's weights in the scaled variables, (n_features,)."""
        scaled = self._scaling.from_original(row)
        _, gradient = self._scaling.smooth(0.0, gradient)
        residual = self._scaled_penalty.residuals(scaled, gradient)
        first = self._layout.weights[0]
        return residual[first.slice].reshape(first.shape).max(1)
