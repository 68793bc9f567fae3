"""Deterministic fits on the features in use, checked against those that are not.

Along a path few features are left, and passes over the others would find zeros again. The network
is trained on the features of its start; where a feature outside violates its optimality condition
it comes in, and the training goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from .layout import Layout
from .objective import FullObjective
from .penalties import penalty_numbers
from .runtime import one_fit
from .task import Samples, Solution, Task, Weights

MAX_ROUNDS = 10


def solve(tasks: list[Task], train: Callable[[list[Task]], list[Solution]]) -> list[Solution]:
    """Solutions of tasks with starts, trained together on the features that any of them uses."""
    checks = [_Check(task) for task in tasks]
    weights = [task.start for task in tasks]
    active = np.any([w.coefs[0].any(1) for w in weights], axis=0)
    active[0] |= not active.any()  # a network has an input
    for _ in range(MAX_ROUNDS):
        if active.all():
            return train([replace(t, start=w) for t, w in zip(tasks, weights, strict=True)])
        columns = np.flatnonzero(active)
        solutions = train([restricted(t, columns, w) for t, w in zip(tasks, weights, strict=True)])
        solutions = [
            check.complete(replace(s, weights=embedded(s.weights, columns, active.size)), active)
            for check, s in zip(checks, solutions, strict=True)
        ]
        weights = [solution.weights for solution in solutions]
        entering = np.any([check.entering for check in checks], axis=0)
        if not entering.any():
            break
        active |= entering
    return solutions


class _Check:
    """The optimality conditions of one task on all features."""

    def __init__(self, task: Task) -> None:
        self._task, self._layout = task, Layout(task.program)
        self._penalty = penalty_numbers(task, self._layout)
        with one_fit():
            self._objective = FullObjective(task, self._penalty, self._layout)
        self.entering = np.zeros(task.program.layer_sizes[0], dtype=bool)

    def complete(self, solution: Solution, active: np.ndarray) -> Solution:
        """The solution with its certificate on all features; ``entering`` are those to take in."""
        row = self._layout.pack(solution.weights)
        with one_fit():
            value, gradient = self._objective.value_and_gradient(row)
        residual = np.abs(row - self._penalty.prox(row - gradient, 1.0))
        first = self._layout.weights[0]
        by_feature = residual[first.slice].reshape(first.shape).max(1)
        self.entering = (by_feature > max(self._task.tol, solution.optimality)) & ~active
        objective = float(value + self._penalty.value(row))
        return replace(solution, objective=objective, optimality=float(residual.max()))


def restricted(task: Task, columns: np.ndarray, start: Weights) -> Task:
    """The task on some of its features, from weights on all of them."""
    program = task.program
    groups = program.feature_groups
    if groups is not None:
        groups = tuple(np.unique(np.asarray(groups)[columns], return_inverse=True)[1].tolist())
    return replace(
        task,
        program=replace(
            program,
            layer_sizes=(columns.size, *program.layer_sizes[1:]),
            feature_groups=groups,
        ),
        train=_restricted_samples(task.train, columns),
        penalty_factor=_part(task.penalty_factor, columns),
        adaptive_factor=_part(task.adaptive_factor, columns),
        start=start._replace(coefs=[start.coefs[0][columns], *start.coefs[1:]]),
    )


def _part(factor: np.ndarray | None, columns: np.ndarray) -> np.ndarray | None:
    return None if factor is None else factor[columns]


def _restricted_samples(samples: Samples, columns: np.ndarray) -> Samples:
    X = samples.X if samples.rows is None else samples.X[samples.rows]
    X = X[:, columns]
    return replace(samples, X=X if sparse.issparse(X) else np.ascontiguousarray(X), rows=None)


def embedded(weights: Weights, columns: np.ndarray, n_features: int) -> Weights:
    """Weights on some features as weights on all, zero for the others."""
    first = np.zeros((n_features, weights.coefs[0].shape[1]), weights.coefs[0].dtype)
    first[columns] = weights.coefs[0]
    return weights._replace(coefs=[first, *weights.coefs[1:]])
