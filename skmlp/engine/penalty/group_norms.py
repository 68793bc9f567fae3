"""Groups of first-layer weights: those of one input feature, or of features that stay together.

    sum_g strength_g |W_1[g, :]|_2

Its prox in a metric D > 0 that is constant in a group is W <- max(0, 1 - strength / (D |W|)) W
(Yuan & Lin, 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

TINY = 1e-300


def largest_of(members: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The largest value in each group (n_groups,), of values >= 0."""
    result = np.zeros(members.max() + 1)
    np.maximum.at(result, members, values)
    return result


@dataclass(frozen=True)
class Groups:
    """One network's group penalty on its flat row, of which W_1 is the beginning.

    strength (n_groups,); members (n_features,), the group of each feature; n_units columns of W_1.
    """

    strength: np.ndarray
    members: np.ndarray
    n_units: int

    def _first(self, row: np.ndarray) -> np.ndarray:
        return row[: self.members.size * self.n_units].reshape(-1, self.n_units)

    def norms(self, row: np.ndarray) -> np.ndarray:
        """|W_1[g, :]| (n_groups,)."""
        W = self._first(row)
        squares = np.einsum("ij,ij->i", W, W)
        return np.sqrt(np.bincount(self.members, squares, self.strength.size))

    def value(self, row: np.ndarray) -> float:
        """sum strength |W_1[g, :]| at a flat row."""
        return float(self.strength @ self.norms(row))

    def shrink_(self, row: np.ndarray, step: float) -> None:
        """The prox in place, with D = 1 / step."""
        threshold = step * self.strength
        kept = np.maximum(0.0, 1.0 - threshold / np.maximum(self.norms(row), TINY))
        self._first(row)[...] *= kept[self.members, None]


class GroupNorms:
    """Means and norms of the groups of a stack's first layers, on flat tensors (M, size)."""

    def __init__(self, members: Sequence[int], n_units: int, dtype: torch.dtype, device) -> None:
        members = np.asarray(members)
        self.shape = members.size, n_units
        same = members[:, None] == members  # (n_features, n_features)
        self._pool = None
        if not np.array_equal(same, np.eye(members.size)):
            self._pool = torch.as_tensor(same, device=device).to(dtype)
        self._n_weights = torch.as_tensor(same.sum(1)[:, None] * n_units, device=device).to(dtype)

    def first(self, flat: Tensor) -> Tensor:
        """W_1 (M, n_features, n_units)."""
        n_features, n_units = self.shape
        return flat[:, : n_features * n_units].unflatten(1, self.shape)

    def _sums(self, values: Tensor) -> Tensor:
        """Sums over each feature's group, (M, n_features, 1), of (M, n_features, n_units)."""
        sums = values.sum(2, keepdim=True)
        if self._pool is None:
            return sums
        return torch.stack([self._pool @ model for model in sums])

    def average_(self, flat: Tensor) -> None:
        """Replace the numbers of each group by their mean."""
        first = self.first(flat)
        first.copy_(self._sums(first).div_(self._n_weights))

    def norms(self, flat: Tensor) -> Tensor:
        """The norm of each feature's group, (M, n_features, 1)."""
        first = self.first(flat)
        return self._sums(first * first).sqrt_()


class GroupStack:
    """The group penalties of a stack, on flat tensors (M, size)."""

    def __init__(self, groups: list[Groups], dtype: torch.dtype, device) -> None:
        members = groups[0].members
        self._norms = GroupNorms(members, groups[0].n_units, dtype, device)
        strength = np.stack([g.strength[members] for g in groups])[:, :, None]
        self._strength = torch.as_tensor(strength, dtype=dtype, device=device)
        share = strength / np.bincount(members)[members, None]  # a norm counts once
        self._share = torch.as_tensor(share, dtype=dtype, device=device)

    def value(self, flat: Tensor) -> Tensor:
        """sum strength |W_1[g, :]| (M,)."""
        return (self._norms.norms(flat) * self._share).sum((1, 2))

    def shrink_(self, flat: Tensor, rate: float | Tensor, metric: Tensor | None) -> None:
        """The prox in place by strength rate / metric.

        The metric (M, size) is constant in a group, or None for one; rate is a number or (M, 1).
        """
        rate = rate if isinstance(rate, float) else rate[:, :, None]
        norms = self._norms.norms(flat)
        if metric is not None:
            norms.mul_(self._norms.first(metric)[:, :, :1])
        norms.clamp_(min=torch.finfo(norms.dtype).tiny)
        kept = (self._strength * rate).div_(norms).neg_().add_(1).clamp_(min=0)
        self._norms.first(flat).mul_(kept)
