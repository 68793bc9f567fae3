"""Networks of more features than rows, smooth by L2 alone, in a coordinate for each row.

With X = 1 m' + R C and orthonormal rows of C, R = ((X - m)(X - m)')^(1/2), the first layer acts
through C W alone, and L2 leaves nothing of W beside C' C W. So minima over W are C' V with V those
of the network on R, of the same objective: no pass over X is needed but the first and the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..descent.objective import objective_of
from ..network.first_weights import first_weights
from ..network.layout import Layout
from ..penalty.prox import penalty_numbers
from ..runtime import Draws, one_fit
from ..task import Samples, Solution, Task, Weights

LEAST_SHARE = 1e-12  # of the largest eigenvalue: beside it rounding


def train_in_row_spaces(
    tasks: list[Task], train: Callable[[list[Task]], list[Solution]]
) -> list[Solution]:
    """Solutions of the tasks, those that have one in the space of their rows."""
    spaces = [_RowSpace.of(task) if has_row_space(task) else None for task in tasks]
    pairs = list(zip(tasks, spaces, strict=True))
    solutions = train([task if space is None else space.inside(task) for task, space in pairs])
    return [
        solution if space is None else space.outside(task, solution)
        for (task, space), solution in zip(pairs, solutions, strict=True)
    ]


def has_row_space(task: Task) -> bool:
    """Whether minima lie in the row space: with one L2 for all features and nothing else."""
    program = task.program
    factor, _ = task.factors()
    return (
        task.train.is_wide
        and program.is_deterministic
        and program.normalization is None
        and program.n_layers > 1
        and not task.makes_zeros
        and not task.positive[0]
        and task.validation is None
        and task.alpha[0] > 0
        and bool((factor == 1).all())
    )


@dataclass(frozen=True)
class _RowSpace:
    """Coordinates of the rows: R (n, n), R^-1, and the mean of the rows (n_features,)."""

    root: np.ndarray
    inverse: np.ndarray
    mean: np.ndarray

    @classmethod
    def of(cls, task: Task) -> _RowSpace:
        X = task.train.matrix()
        X = X.astype(np.float64, copy=False)
        mean = np.asarray(X.mean(0)).ravel()
        size, vectors = np.linalg.eigh(_gram_of_centred(X, mean))
        kept = size > LEAST_SHARE * size[-1]
        size, vectors = np.sqrt(size[kept]), vectors[:, kept]
        return cls((vectors * size) @ vectors.T, (vectors / size) @ vectors.T, mean)

    def inside(self, task: Task) -> Task:
        """The task in these coordinates, from the same start."""
        start, program = task.start, task.program
        if start is None:
            start = first_weights(task, Draws.of(task.seed).state)
        sizes = (len(self.root), *program.layer_sizes[1:])
        samples = Samples(self.root, task.train.y, task.train.weight)
        return replace(
            task,
            program=replace(program, layer_sizes=sizes, feature_groups=None),
            train=samples,
            start=self._moved(start, self._to_rows(task, start.coefs[0]), 1),
            group_sizes=None,
            penalty_factor=None,
            adaptive_factor=None,
        )

    def outside(self, task: Task, solution: Solution) -> Solution:
        """The solution on the features, with its certificate there."""
        inner = (self.inverse @ solution.weights.coefs[0]).astype(np.float64)
        inner -= inner.mean(0)  # (X - m)' inner = X' inner
        coef = np.asarray(task.train.matrix().T @ inner)
        weights = self._moved(solution.weights, coef, -1)
        layout = Layout(task.program)
        penalty = penalty_numbers(task, layout)
        with one_fit():
            own = objective_of([task], [penalty], layout).certificates(layout.pack(weights)[None])
        return replace(solution, weights=weights, objective=own[0][0], optimality=own[0][1])

    def _to_rows(self, task: Task, coef: np.ndarray) -> np.ndarray:
        """C W = R^-1 (X - m) W."""
        centred = np.asarray(task.train.matrix() @ coef) - self.mean @ coef
        return self.inverse @ centred

    def _moved(self, weights: Weights, inner: np.ndarray, way: int) -> Weights:
        """The weights with another first layer, whose bias takes the mean of the rows or gives it.

        ``way`` is 1 into the row space, -1 out of it.
        """
        coef = weights.coefs[0] if way == 1 else inner
        bias = weights.intercepts[0] + way * (self.mean @ coef)
        dtype = weights.coefs[-1].dtype
        return weights._replace(
            coefs=[inner.astype(dtype), *weights.coefs[1:]],
            intercepts=[bias.astype(dtype), *weights.intercepts[1:]],
        )


def _gram_of_centred(X, mean: np.ndarray) -> np.ndarray:
    """(X - m)(X - m)' of dense or sparse rows, which stay as they are."""
    gram, along = X @ X.T, np.asarray(X @ mean)
    gram = gram.toarray() if sparse.issparse(gram) else gram
    return gram - along[:, None] - along + mean @ mean
