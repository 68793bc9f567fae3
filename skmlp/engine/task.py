"""What the estimators hand to the engine, and what the engine hands back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Program:
    """What must be equal for networks to be trained as one stack.

    ``feature_groups`` is the group of each input feature where there is a group penalty, numbered
    from zero, else None.
    """

    layer_sizes: tuple[int, ...]
    activation: str
    loss: str
    solver: str
    normalization: str | None
    dropout: tuple[float, ...]
    n_samples: int
    n_validation: int
    weighted: bool
    dtype: str
    device: str
    batch_size: int
    shuffle: bool
    learning_rate: str
    power_t: float
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    feature_groups: tuple[int, ...] | None = None

    @property
    def n_layers(self) -> int:
        """Number of weight matrices."""
        return len(self.layer_sizes) - 1

    @property
    def without_dropout(self) -> Program:
        """The program of prediction."""
        return replace(self, dropout=(0.0,) * len(self.dropout))

    @property
    def is_linear_regression(self) -> bool:
        """Whether the objective is a quadratic plus a penalty: no hidden layer."""
        from .losses import LOSSES

        return self.n_layers == 1 and LOSSES[self.loss].quadratic

    @property
    def has_group_norms(self) -> bool:
        """Whether groups of more than one weight are penalised; a single weight's norm is L1."""
        if self.feature_groups is None:
            return False
        return self.layer_sizes[1] > 1 or max(self.feature_groups) + 1 < self.layer_sizes[0]


class Weights(NamedTuple):
    """The numbers of one network. ``gains`` and ``shifts`` are empty without normalisation."""

    coefs: list[np.ndarray]
    intercepts: list[np.ndarray]
    gains: list[np.ndarray]
    shifts: list[np.ndarray]


@dataclass(frozen=True)
class Samples:
    """Rows of X dense or CSR, y (n, q), and weights (n,) or None for equal ones.

    ``rows`` (n,) are the rows of X meant, None for all: a part of X is not copied.
    """

    X: object
    y: np.ndarray
    weight: np.ndarray | None = None
    rows: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        return self.y.shape[0]

    @property
    def total_weight(self) -> float:
        return float(self.n_rows if self.weight is None else self.weight.sum(dtype=np.float64))

    def blocks(self, n_rows: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Which rows, and X of them as a dense array, block by block."""
        for start in range(0, self.n_rows, n_rows):
            piece = slice(start, start + n_rows)
            block = self.X[piece if self.rows is None else self.rows[piece]]
            yield piece, block.toarray() if sparse.issparse(block) else block

    def relative_weight(self) -> np.ndarray:
        """Weights with mean one, (n, 1)."""
        if self.weight is None:
            return np.ones((self.n_rows, 1))
        return (self.weight * (self.n_rows / self.total_weight))[:, None]


@dataclass(frozen=True)
class Task:
    """One network to train: its program, its data and its numbers.

    ``l1``, ``alpha`` and ``positive`` have one entry a layer; ``penalty_factor`` (n_features,) or
    None multiplies the penalty of the first layer, infinity excludes a feature; ``adaptive_factor``
    likewise, but not its L2, whose curvature it would spread. ``group_l1`` acts
    on the program's feature groups, times the root of their numbers of features. ``tol`` is
    relative to the loss of the best constant model; for R2, the score of early stopping, it is
    absolute. ``incremental`` asks for one epoch that goes on from ``optimizer``.
    """

    program: Program
    train: Samples
    l1: tuple[float, ...]
    alpha: tuple[float, ...]
    positive: tuple[bool, ...]
    seed: int
    group_l1: float = 0.0
    penalty_factor: np.ndarray | None = None
    adaptive_factor: np.ndarray | None = None
    validation: Samples | None = None
    early_stopping: bool = False
    learning_rate_init: float = 1e-3
    tol: float = 1e-4
    max_iter: int = 200
    max_fun: int = 15000
    n_iter_no_change: float = 10
    samples_seen: int = 0
    start: Weights | None = None
    optimizer: dict | None = None
    incremental: bool = False
    verbose: bool = False


class Status(Enum):
    """How a training ended."""

    CONVERGED = "converged"
    MAX_ITER = "max_iter"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"


@dataclass
class Solution:
    """A trained network and the record of its training.

    ``objective`` and ``optimality`` are those of the full objective at ``weights``.
    ``loss_curve`` is None for solvers without epochs, the validation records None without
    validation data. ``validation_score`` is that of ``weights``, with early stopping, and
    ``unfolded`` the network as trained, where batch normalisation is folded into ``weights``.
    """

    weights: Weights
    status: Status
    n_iter: int
    objective: float = np.nan
    optimality: float = np.nan
    loss_curve: list[float] | None = None
    validation_losses: list[float] | None = None
    validation_scores: list[float] | None = None
    validation_score: float | None = None
    unfolded: Weights | None = None
    optimizer: dict = field(default_factory=dict)
    message: str = ""
