"""What each layer's penalties come to, from the task that was trained, in numpy."""

from __future__ import annotations

import numpy as np

from ..task import Task, Weights
from .group_norms import largest_of


def penalty_by_layer(task: Task, weights: Weights) -> np.ndarray:
    """The value of the penalties of each layer (n_layers,), which F has beside the mean loss."""
    factors, total_weight = task.factors(), task.train.total_weight
    values = np.zeros(task.program.n_layers)
    for k, coef in enumerate(weights.coefs):
        W = coef.astype(np.float64, copy=False)
        l2, sparse = (factor[:, None] for factor in factors) if k == 0 else (1.0, 1.0)
        if task.l1[k]:
            values[k] += task.l1[k] * (sparse * np.abs(W)).sum()
        if task.alpha[k]:
            values[k] += task.alpha[k] / (2 * total_weight) * (l2 * W**2).sum()
    if task.group_l1:
        values[0] += task.group_l1 * _sum_of_norms(task, weights.coefs[0])
    return values


def _sum_of_norms(task: Task, coef: np.ndarray) -> float:
    """sum_g sqrt(|g|) P_g ||W_1[g, :]||_2."""
    members = np.asarray(task.program.feature_groups)
    squares = np.bincount(members, np.square(coef, dtype=np.float64).sum(1))
    return float(largest_of(members, task.group_factors()) @ np.sqrt(squares))
