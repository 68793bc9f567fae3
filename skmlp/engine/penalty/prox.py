"""The penalty and the constraints of a stack: numbers for each weight, and one composed prox.

    g(W) = sum l1 |W| + sum_g group_g |W_1[g, :]|  subject to  lower <= W <= upper,
    smooth part  l2 / 2 ||W||^2

The prox in a metric D > 0, constant in a group, is the soft threshold by l1 / D, then the clip,
then the shrinkage of groups; this composition is exact because lower <= 0 <= upper, and because
bounds beside groups are 0 or infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..network.layout import Layout
from ..task import Task
from .group_norms import Groups, GroupStack, largest_of


class ProximalStep(NamedTuple):
    """z = prox(x - gamma gradient) and r = x - z, with what a search asks of them."""

    z: np.ndarray
    r: np.ndarray
    value: float  # of the penalty at z
    along: float  # <gradient, r>
    square: float  # <r, r>
    largest: float  # max |r|


@dataclass(frozen=True)
class PenaltyNumbers:
    """One network's penalty on its flat row: l1, l2 (n_weights,), lower and upper (size,)."""

    l1: np.ndarray
    l2: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    groups: Groups | None = None

    def of(self, weights: np.ndarray) -> PenaltyNumbers:
        """The penalty on some of the weights alone."""
        return PenaltyNumbers(
            self.l1[weights], self.l2[weights], self.lower[weights], self.upper[weights]
        )

    @property
    def is_free(self) -> np.ndarray:
        """Weights with neither L1 nor bounds (n_weights,)."""
        n_weights = self.l1.size
        bounds = self.lower[:n_weights], self.upper[:n_weights]
        return (self.l1 == 0) & np.isinf(bounds).all(0)

    @property
    def has_kinks(self) -> bool:
        """Whether there are L1 or group norms, beside bounds."""
        return self.groups is not None or bool(self.l1.any())

    @property
    def has_bounds(self) -> bool:
        """Whether any number is bounded that is not fixed."""
        is_bounded = np.isfinite(self.lower) | np.isfinite(self.upper)
        return bool((is_bounded & (self.lower < self.upper)).any())

    def value(self, row: np.ndarray) -> float:
        """g at a flat row within the bounds."""
        value = float(self.l1 @ np.abs(row[: self.l1.size]))
        return value if self.groups is None else value + self.groups.value(row)

    def step(self, x: np.ndarray, gradient: np.ndarray, gamma: float) -> ProximalStep:
        """The forward-backward step from x."""
        z = self.prox(x - gamma * gradient, gamma)
        r = x - z
        along, square = float(gradient @ r), float(r @ r)
        return ProximalStep(z, r, self.value(z), along, square, float(np.max(np.abs(r))))

    def prox(self, row: np.ndarray, step: float) -> np.ndarray:
        """argmin_u g(u) + |u - row|^2 / (2 step)."""
        n_weights = self.l1.size
        result = row.copy()
        weights = row[:n_weights]
        threshold = step * self.l1
        result[:n_weights] = weights - np.clip(weights, -threshold, threshold)
        np.clip(result, self.lower, self.upper, out=result)
        if self.groups is not None:
            self.groups.shrink_(result, step)
        return result

    def residuals(self, row: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """|w - prox(w - gradient)| (size,): zero where and only where the row is stationary."""
        return np.abs(row - self.prox(row - gradient, 1.0))

    def residual(self, row: np.ndarray, gradient: np.ndarray) -> float:
        """The largest of the residuals."""
        return self.step(row, gradient, 1.0).largest


def penalty_numbers(task: Task, layout: Layout) -> PenaltyNumbers:
    """The strengths of a task, spread over its weights.

    The penalty factor multiplies both parts of the first layer's penalty, as in glmnet; infinity
    holds the feature's weights at zero.
    """
    n_layers, total_weight = task.program.n_layers, task.train.total_weight
    factor, sparse = task.factors()
    ones = [1.0] * (n_layers - 1)
    l2 = [a * f for a, f in zip(task.alpha, [factor[:, None], *ones], strict=True)]
    l1 = [one * f for one, f in zip(task.l1, [sparse[:, None], *ones], strict=True)]
    group_l1, groups = task.group_l1 * task.group_factors(), None
    if task.program.has_group_norms:
        groups = _groups(task, group_l1)
    else:
        l1[0] = l1[0] + group_l1[:, None]
    lower, upper = _bounds(task, layout)
    return PenaltyNumbers(
        l1=layout.per_weight(l1),
        l2=layout.per_weight([one / total_weight for one in l2]),
        lower=lower,
        upper=upper,
        groups=groups,
    )


def _bounds(task: Task, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (size,): positive layers, limits, and zero for what is left out."""
    lower, upper = np.full(layout.size, -np.inf), np.full(layout.size, np.inf)
    first = layout.weights[0]
    if task.limits is not None:
        lower[first.slice], upper[first.slice] = (
            np.broadcast_to(limits, first.shape).ravel() for limits in task.limits
        )
    for piece, positive in zip(layout.weights, task.positive, strict=True):
        if positive:
            lower[piece.slice] = 0.0
    turns = [task.positive[0] or task.limits is not None, *task.positive[1:]]
    for piece, has_sign in zip(layout.gains, turns, strict=False):
        if has_sign:  # a negative gain would turn the weights round
            lower[piece.slice] = 0.0
    if not task.program.has_intercept:
        lower[layout.biases[-1].slice] = upper[layout.biases[-1].slice] = 0.0
    fixed = np.broadcast_to(task.excluded[:, None], first.shape).ravel()
    lower[first.slice][fixed] = upper[first.slice][fixed] = 0.0
    return lower, upper


def _groups(task: Task, strengths: np.ndarray) -> Groups:
    """The groups, each with the largest of its features' strengths."""
    members = np.asarray(task.program.feature_groups)
    return Groups(largest_of(members, strengths), members, task.program.layer_sizes[1])


class Penalty:
    """The penalties of a stack as tensors, (M, n_weights) or (M, size); None where nothing acts."""

    def __init__(self, numbers: list[PenaltyNumbers], dtype: torch.dtype, device) -> None:
        def stacked(name: str, inert: float) -> Tensor | None:
            rows = np.stack([getattr(n, name) for n in numbers])
            if (rows == inert).all():
                return None
            return torch.as_tensor(rows, dtype=dtype, device=device)

        self.n_weights = numbers[0].l1.size
        self.l1 = stacked("l1", 0.0)
        self.l2 = stacked("l2", 0.0)
        self.lower = stacked("lower", -np.inf)
        self.upper = stacked("upper", np.inf)
        shape = (len(numbers), self.n_weights)
        self._scratch = torch.empty(shape, dtype=dtype, device=device)
        self._threshold = torch.empty_like(self._scratch) if self.l1 is not None else None
        self._groups = None
        if numbers[0].groups is not None:
            self._groups = GroupStack([n.groups for n in numbers], dtype, device)

    def value(self, weights: Tensor) -> float | Tensor:
        """sum l1 |W| + sum group |W_1[g]| + l2 / 2 W^2, (M,), of weights (M, n_weights)."""
        value = 0.0
        if self.l1 is not None:
            value = torch.mul(self.l1, weights, out=self._scratch).abs_().sum(1)
        if self.l2 is not None:
            square = torch.mul(self.l2, weights, out=self._scratch).mul_(weights)
            value = square.sum(1).mul_(0.5).add_(value)
        if self._groups is not None:
            value = self._groups.value(weights).add_(value)
        return value

    def add_gradient_(self, gradient: Tensor, weights: Tensor) -> None:
        """gradient += l2 W, both (M, n_weights)."""
        if self.l2 is not None:
            gradient.addcmul_(weights, self.l2)

    def prox_(self, flat: Tensor, rate: float | Tensor, metric: Tensor | None) -> None:
        """The prox in place on flat rows (M, size), of rate / metric, (M, size) or None."""
        self.shrink_(flat[:, : self.n_weights], rate, metric)
        self.project_(flat)
        if self._groups is not None:
            self._groups.shrink_(flat, rate, metric)

    def shrink_(self, weights: Tensor, rate: float | Tensor, metric: Tensor | None) -> None:
        """The soft threshold in place by l1 rate / metric, with the metric (M, size) or None."""
        if self.l1 is not None:
            threshold = torch.mul(self.l1, rate, out=self._threshold)
            if metric is not None:
                threshold.div_(metric[:, : self.n_weights])
            torch.minimum(weights, threshold, out=self._scratch)
            torch.maximum(self._scratch, threshold.neg_(), out=self._scratch)
            weights.sub_(self._scratch)

    def project_(self, flat: Tensor) -> None:
        """The bounds in place, on the flat rows (M, size)."""
        if self.lower is not None:
            torch.maximum(flat, self.lower, out=flat)
        if self.upper is not None:
            torch.minimum(flat, self.upper, out=flat)
