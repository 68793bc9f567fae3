"""Paths of penalty strengths: which penalty moves, where nothing is left, and warm starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..task import Solution, Status, Task, Weights

EXACT = 1e-9  # of the strength: a residual that is rounding


@dataclass(frozen=True)
class Scheme:
    """The penalty that moves along a path: the groups of the first layer, or L1 on every layer.

    With ``l1_ratio`` below one, 1 - l1_ratio of the strength is L2 on every layer, as in the
    elastic net; zero leaves L2 alone.
    """

    param: str
    l1_ratio: float = 1.0

    def at(self, task: Task, strength: float) -> Task:
        """The task with this strength."""
        n_layers, alpha = task.program.n_layers, task.alpha
        if self.l1_ratio < 1:
            alpha = ((1 - self.l1_ratio) * strength * task.train.total_weight,) * n_layers
        if self.param == "group_l1":
            program = task.program
            if self.l1_ratio == 0:  # norms of no strength would only make the search another one
                program = replace(program, feature_groups=None)
            share = self.l1_ratio * strength
            return replace(task, program=program, group_l1=share, alpha=alpha)
        return replace(task, l1=(self.l1_ratio * strength,) * n_layers, alpha=alpha)

    def largest(self, task: Task, offset: np.ndarray | None = None) -> float:
        """The strength at which the last feature leaves.

        Exact without hidden layers, glmnet's lambda_max (that of ``RIDGE_RATIO`` for L2 alone,
        which leaves all features); else where the last of the chains x_j -> one unit a layer -> y
        ceases to have a stationary point. ``offset`` (n, q) are the outputs, before the link, of
        the unpenalised part, by default the constant model's.
        """
        from .path_end import largest

        return largest(self, task, offset)

    def train(
        self,
        tasks: list[Task],
        strengths: Sequence[float],
        starts: list[Weights | None],
        train,
    ) -> Iterator[list[Solution]]:
        """The solutions of all tasks at each strength, each from the weights of the one before."""
        before = None
        for strength in strengths:
            moved = self._from(tasks, strength, starts)
            solutions = _train_living(moved, train)
            if before is not None:
                solutions = self._in_two_steps(moved, solutions, before, strength, train)
            before = strength
            starts = [
                s.weights if s.is_usable else start
                for s, start in zip(solutions, starts, strict=True)
            ]
            yield solutions

    def _from(self, tasks: list[Task], strength: float, starts: list[Weights | None]) -> list[Task]:
        """The tasks with a strength, each from its start."""
        return [
            replace(self.at(task, strength), start=start)
            for task, start in zip(tasks, starts, strict=True)
        ]

    def _in_two_steps(self, tasks, solutions, before: float, strength: float, train):
        """The solutions, where a network has lost all features at once of two smaller steps.

        A step that is too long, or rounding, may leave a minimum that is still there; it is kept
        if it lies below the network of zeros.
        """
        pairs = enumerate(zip(tasks, solutions, strict=True))
        fallen = [k for k, pair in pairs if _has_fallen(*pair)]
        if not fallen:
            return solutions
        own = [tasks[k] for k in fallen]
        middle = float(np.sqrt(before * strength))
        halfway = _train_living(self._from(own, middle, [task.start for task in own]), train)
        again = _train_living(self._from(own, strength, [s.weights for s in halfway]), train)
        kept = list(solutions)
        for k, solution in zip(fallen, again, strict=True):
            if solution.weights.support.any() and solution.objective < kept[k].objective:
                kept[k] = solution
        return kept


def _has_fallen(task: Task, solution: Solution) -> bool:
    """Whether a network with hidden layers has lost all of its features in one step."""
    had_features = task.start is not None and task.start.support.any()
    return task.program.n_layers > 1 and had_features and not solution.weights.support.any()


def _train_living(tasks: list[Task], train) -> list[Solution]:
    """Solutions of the tasks; those that no feature is left of are the constant ones.

    A network with hidden layers and without features stays so: the one of zeros is its optimum,
    stationary at every strength.
    """
    from .working_set import solve

    living = [k for k, task in enumerate(tasks) if _is_living(task)]
    own = [tasks[k] for k in living]
    solutions = dict(zip(living, solve(own, train), strict=True))
    return [
        _settled(task, solutions[k]) if k in solutions else constant(task)
        for k, task in enumerate(tasks)
    ]


def _is_living(task: Task) -> bool:
    """Whether training may leave the network of zeros: without hidden layers it may."""
    return task.start is None or task.start.support.any() or task.program.n_layers == 1


def _settled(task: Task, solution: Solution) -> Solution:
    """The solution, or the network of zeros where that is one.

    Without hidden layers it is one only where its residual says so: an iteration limit may leave
    nothing too, and a search within its tolerance may leave something at the end of the path.
    """
    from ..linear.exact import is_exact, is_linear_program

    program, has_converged = task.program, solution.status is Status.CONVERGED
    is_known = has_converged and is_exact(task) and program.is_deterministic
    if is_known and is_linear_program(task):
        return solution
    if is_known or program.n_layers > 1:
        if solution.weights.support.any():
            return solution
        return replace(constant(task), dual_gap=solution.dual_gap)
    zeros = constant(task)
    return zeros if zeros.optimality <= EXACT * max(task.l1[0], task.group_l1) else solution


def constant(task: Task) -> Solution:
    """The network of zeros, whose bias is the link of the mean of y."""
    from ..descent.objective import objective_of
    from ..network.first_weights import constant_weights
    from ..network.layout import Layout
    from ..penalty.prox import penalty_numbers
    from ..runtime import one_fit

    layout = Layout(task.program)
    row, penalty = layout.pack(constant_weights(task)), penalty_numbers(task, layout)
    with one_fit():
        objective, optimality = objective_of([task], [penalty], layout).certificates(row[None])[0]
    weights = layout.unpack(row, task.program.dtype)
    if task.program.normalization == "batch":
        weights = weights._replace(gains=[], shifts=[])
    return Solution(weights, Status.CONVERGED, 0, objective, optimality)


def relax(tasks: list[Task], starts: list[Weights], train) -> list[Solution]:
    """The solutions without any penalty, each on the features that its start uses and from it."""
    free = [
        replace(task, start=start).without_penalty()
        for task, start in zip(tasks, starts, strict=True)
    ]
    return solve_on(free, [np.flatnonzero(start.support) for start in starts], train)


def solve_on(tasks: list[Task], columns: list[np.ndarray | None], train) -> list[Solution]:
    """Solutions of tasks on some of their features each, None for all; the constant on none."""
    from .row_space import train_in_row_spaces

    own = zip(tasks, columns, strict=True)
    own = [task if c is None else task.restrict(c) for task, c in own if c is None or c.size]
    trained = iter(train_in_row_spaces(own, train))
    return [
        constant(task) if c is not None and not c.size else _embedded(next(trained), task, c)
        for task, c in zip(tasks, columns, strict=True)
    ]


def _embedded(solution: Solution, task: Task, columns: np.ndarray | None) -> Solution:
    """A solution on some features as one on all of the task's; as it is on all."""
    if columns is None:
        return solution
    weights = solution.weights.embed(columns, task.program.layer_sizes[0])
    return replace(solution, weights=weights, unfolded=None, optimizer={})
