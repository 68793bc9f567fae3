"""Paths of penalty strengths: which penalty moves, where nothing is left, and warm starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .task import Samples, Solution, Status, Task, Weights

N_CHAINS = 400
N_BISECTIONS = 60


@dataclass(frozen=True)
class Scheme:
    """The penalty that moves along a path: the groups of the first layer, or L1 on every layer.

    With ``l1_ratio`` below one, 1 - l1_ratio of the strength is L2 on every layer, as in the
    elastic net.
    """

    param: str
    l1_ratio: float = 1.0

    def at(self, task: Task, strength: float) -> Task:
        """The task with this strength."""
        n_layers, alpha = task.program.n_layers, task.alpha
        if self.l1_ratio < 1:
            alpha = ((1 - self.l1_ratio) * strength * task.train.total_weight,) * n_layers
        if self.param == "group_l1":
            return replace(task, group_l1=self.l1_ratio * strength, alpha=alpha)
        return replace(task, l1=(self.l1_ratio * strength,) * n_layers, alpha=alpha)

    def largest(self, task: Task, offset: np.ndarray | None = None) -> float:
        """The strength at which the last feature leaves.

        Exact without hidden layers, glmnet's lambda_max; else where the last of the chains
        x_j -> one unit a layer -> y ceases to have a stationary point. ``offset`` (n, q) are the
        predictions of the unpenalised part, by default the mean of y.
        """
        cross, std = null_moments(task.train, offset)
        if task.positive[0] and task.program.n_layers == 1:
            cross = np.maximum(cross, 0.0)
        factor = np.ones(len(std)) if task.penalty_factor is None else task.penalty_factor
        adaptive = 1.0 if task.adaptive_factor is None else task.adaptive_factor
        free, factor = np.isfinite(factor), factor * adaptive
        if self.param == "group_l1":
            members = np.asarray(task.program.feature_groups)
            size = np.bincount(members, free)
            cross = np.where(free[:, None], cross, 0.0)
            rho = np.sqrt(np.bincount(members, (cross**2).sum(1)))[members]
            factor = factor * np.sqrt(np.maximum(size, 1))[members]
        else:
            rho = np.abs(cross).max(1)
        moves = (factor > 0) & free & (std > 0) & (rho > 0)
        if not moves.any():
            return 0.0
        rho, std, factor = rho[moves], std[moves], factor[moves]
        if task.program.n_layers == 1:
            return float((rho / factor).max()) / self.l1_ratio
        return float(self._last_chain(task, rho / std, factor / std))

    def _last_chain(self, task: Task, rho: np.ndarray, factor: np.ndarray) -> float:
        """The largest strength at which a chain of single weights a_1 .. a_K still has an optimum.

        A chain of slope c = prod a_k on a standardised input has the loss c^2 / 2 - rho c; its
        penalty is stationary where l1_k a_k + l2_k a_k^2 = t for every layer, with t <= c (rho - c)
        as long as the chain holds. Bisection on the strength, over a grid of t.
        """
        t = np.geomspace(1e-10, 0.25, N_CHAINS) * np.square(rho)[:, None]
        low, high = np.full((2, len(rho), 1), 0.0)
        high += 1e8 * max(1.0, float(rho.max()) ** 2)
        low += 1e-16 * high
        for _ in range(N_BISECTIONS):
            middle = np.sqrt(low * high)
            c = self._slope(task, middle, factor[:, None], t)
            holds = (c * (rho[:, None] - c) >= t).any(1, keepdims=True)
            low, high = np.where(holds, middle, low), np.where(holds, high, middle)
        return low.max()

    def _slope(self, task: Task, strength, factor, t) -> np.ndarray:
        """The slope of chains whose layers each have the marginal penalty t."""
        from .activations import ACTIVATIONS

        slope = ACTIVATIONS[task.program.activation].slope ** (task.program.n_layers - 1)
        for k in range(task.program.n_layers):
            of_feature = factor if k == 0 else 1.0
            l1, l2 = task.l1[k], task.alpha[k] / task.train.total_weight * of_feature
            if k == 0 or self.param != "group_l1":
                l1 = self.l1_ratio * strength * of_feature
            if self.l1_ratio < 1:
                l2 = (1 - self.l1_ratio) * strength * of_feature
            slope = slope * 2 * t / (l1 + np.sqrt(l1**2 + 4 * l2 * t))
        return slope

    def train(
        self,
        tasks: list[Task],
        strengths: Sequence[float],
        starts: list[Weights | None],
        train,
    ) -> Iterator[list[Solution]]:
        """The solutions of all tasks at each strength, each from the weights of the one before."""
        for strength in strengths:
            moved = [
                replace(self.at(task, strength), start=start)
                for task, start in zip(tasks, starts, strict=True)
            ]
            solutions = _train_living(moved, train)
            starts = [
                s.weights if _is_finite(s.weights) else start
                for s, start in zip(solutions, starts, strict=True)
            ]
            yield solutions


def _train_living(tasks: list[Task], train) -> list[Solution]:
    """Solutions of the tasks; those that no feature is left of are the constant ones.

    A network without features stays so: the one of zeros is its optimum, stationary at every
    strength.
    """
    from .working_set import solve

    living = [k for k, task in enumerate(tasks) if task.start is None or has_features(task.start)]
    own = [tasks[k] for k in living]
    trained = solve(own, train) if own and _has_working_set(own) else train(own)
    solutions = dict(zip(living, trained, strict=True))
    return [
        solutions[k] if k in solutions and has_features(solutions[k].weights) else constant(task)
        for k, task in enumerate(tasks)
    ]


def has_features(weights: Weights) -> bool:
    """Whether any feature is left in the network."""
    return bool(weights.coefs[0].any())


def constant(task: Task) -> Solution:
    """The network of zeros, whose bias is the link of the mean of y."""
    from .initialization import constant_weights
    from .layout import Layout
    from .objective import StackObjective
    from .penalties import penalty_numbers
    from .runtime import one_fit

    layout = Layout(task.program)
    row, penalty = layout.pack(constant_weights(task)), penalty_numbers(task, layout)
    with one_fit():
        objective, optimality = StackObjective([task], [penalty], layout).certificates(row[None])[0]
    weights = layout.unpack(row, task.program.dtype)
    if task.program.normalization == "batch":
        weights = weights._replace(gains=[], shifts=[])
    return Solution(weights, Status.CONVERGED, 0, objective, optimality)


def _is_finite(weights: Weights) -> bool:
    return all(np.isfinite(array).all() for arrays in weights for array in arrays)


def _has_working_set(tasks: list[Task]) -> bool:
    """Whether the optimality conditions of features outside a fit can be checked."""
    program = tasks[0].program
    return (
        program.solver == "lbfgs"
        and not program.is_linear_regression
        and program.normalization != "batch"
        and all(task.start is not None for task in tasks)
    )


def null_moments(samples: Samples, offset: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of X with the residual of y (n_features, q), and X's deviations (n_features,)."""
    from .scaling import BLOCK_ROWS, column_moments

    mean, std = column_moments(samples)
    share = samples.relative_weight() / samples.n_rows
    y = samples.y.astype(np.float64)
    residual = share * (y - ((share * y).sum(0) if offset is None else offset))
    cross = np.zeros((len(mean), y.shape[1]))
    for rows, X in samples.blocks(BLOCK_ROWS):
        cross += (X - mean).T @ residual[rows]
    return cross, std


def relax(tasks: list[Task], starts: list[Weights], train) -> list[Solution]:
    """The solutions without any penalty, each on the features that its start uses and from it."""
    from .working_set import embedded, restricted

    supports = [np.flatnonzero(start.coefs[0].any(1)) for start in starts]
    free = []
    for task, start, support in zip(tasks, starts, supports, strict=True):
        small, none = restricted(task, support, start), (0.0,) * task.program.n_layers
        program = replace(small.program, feature_groups=None)
        factors = {"penalty_factor": None, "adaptive_factor": None}
        free.append(replace(small, program=program, l1=none, alpha=none, group_l1=0.0, **factors))
    return [
        replace(s, weights=embedded(s.weights, support, task.program.layer_sizes[0]))
        for task, support, s in zip(tasks, supports, train(free), strict=True)
    ]
