"""What the estimators hand to the engine, and what the engine hands back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple, Protocol

import numpy as np
from scipy import sparse

from .losses.base import Loss

WIDE = 200  # columns
FEW_NUMBERS = 2**20  # of a part of sparse data that is made dense


@dataclass(frozen=True)
class Program:
    """What must be equal for networks to be trained as one stack.

    ``feature_groups`` is the group of each input feature where there is a group penalty, numbered
    from zero, else None. Only linear models go without ``has_intercept``.
    """

    layer_sizes: tuple[int, ...]
    activation: str
    loss: Loss
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
    has_intercept: bool = True

    @property
    def n_layers(self) -> int:
        """Number of weight matrices."""
        return len(self.layer_sizes) - 1

    @property
    def is_deterministic(self) -> bool:
        """Whether the solver searches on all rows, without epochs."""
        return self.solver == "lbfgs"

    @property
    def without_dropout(self) -> Program:
        """The program of prediction."""
        return replace(self, dropout=(0.0,) * len(self.dropout))

    @property
    def folded(self) -> Program:
        """The program of a network into whose weights batch normalisation is folded."""
        return replace(self, normalization=None) if self.normalization == "batch" else self

    def restrict(self, columns: np.ndarray) -> Program:
        """The program on some of its input features."""
        groups = self.feature_groups
        if groups is not None:
            groups = tuple(np.unique(np.asarray(groups)[columns], return_inverse=True)[1].tolist())
        sizes = (len(columns), *self.layer_sizes[1:])
        return replace(self, layer_sizes=sizes, feature_groups=groups)

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

    @property
    def support(self) -> np.ndarray:
        """Which input features are used (n_features,) of bool."""
        return self.coefs[0].any(1)

    def restrict(self, columns: np.ndarray) -> Weights:
        """The weights of some input features alone."""
        first, *others = self.coefs
        return self._replace(coefs=[first[columns], *others])

    def embed(self, columns: np.ndarray, n_features: int) -> Weights:
        """Weights of some features as weights of all, zero for the others."""
        inner, *others = self.coefs
        first = np.zeros((n_features, inner.shape[1]), inner.dtype)
        first[columns] = inner
        return self._replace(coefs=[first, *others])


def is_wide(n_rows: int, n_features: int) -> bool:
    """Whether there are many columns, more than rows."""
    return n_features > max(WIDE, n_rows)


@dataclass(frozen=True)
class Samples:
    """Rows of X dense or CSR, y (n, q), and weights (n,) or None for equal ones.

    ``offset`` (n, q) is added to the outputs, None for nothing.

    ``rows`` (n,) are the rows of X meant, None for all: a part of X is not copied.
    """

    X: object
    y: np.ndarray
    weight: np.ndarray | None = None
    rows: np.ndarray | None = None
    offset: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        return self.y.shape[0]

    @property
    def n_features(self) -> int:
        return self.X.shape[1]

    @property
    def total_weight(self) -> float:
        return float(self.n_rows if self.weight is None else self.weight.sum(dtype=np.float64))

    def matrix(self, columns: np.ndarray | None = None):
        """X of the rows meant, dense in C order or CSR, with all columns or some of them."""
        X = self.X if self.rows is None else self.X[self.rows]
        X = X if columns is None else X[:, columns]
        return X if sparse.issparse(X) else np.ascontiguousarray(X)

    @property
    def is_wide(self) -> bool:
        """Whether there are many columns, more than rows."""
        return is_wide(self.n_rows, self.n_features)

    def restrict(self, columns: np.ndarray) -> Samples:
        """The rows with some of their columns alone; few of many sparse ones are dense."""
        X = self.matrix(columns)
        if sparse.issparse(X) and self.is_wide and X.shape[0] * X.shape[1] <= FEW_NUMBERS:
            X = X.toarray()
        return replace(self, X=X, rows=None)

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

    @property
    def shift(self) -> np.ndarray:
        """The offset (n, q), zeros where there is none."""
        return np.zeros_like(self.y) if self.offset is None else self.offset


class Watch(Protocol):
    """Who is told of each epoch of a training, or iteration of a search, in the thread that trains.

    An exception is the watch's own to keep: the training may be that of other tasks as well.
    """

    def begin(self) -> None:
        """Before an epoch."""

    def end(self, so_far: Callable[[], Solution]) -> bool:
        """After it: True to stop. ``so_far`` is what the fit would be if it did."""


@dataclass(frozen=True)
class Task:
    """One network to train: its program, its data and its numbers.

    ``l1``, ``alpha`` and ``positive`` have one entry a layer; ``penalty_factor`` (n_features,) or
    None multiplies the penalty of the first layer, infinity excludes a feature; ``adaptive_factor``
    likewise, but not its L2, whose curvature it would spread. ``limits`` (2, n_features, n_units or
    1) are lower and upper bounds of the first layer. ``group_l1`` acts on the program's
    feature groups, times the root of ``group_sizes`` (n_features,), the number of features in each
    one's group, without the excluded: a number, since a part of a group is penalised as the whole.
    ``tol`` is relative to the loss of the best constant model; for R2, the score of early stopping,
    it is absolute. Where it is given, a deterministic search has come far enough when ten
    iterations lower F by less than ``least_gain`` of it. ``incremental`` asks for one epoch that
    goes on from ``optimizer``.
    """

    program: Program
    train: Samples
    l1: tuple[float, ...]
    alpha: tuple[float, ...]
    positive: tuple[bool, ...]
    seed: int
    group_l1: float = 0.0
    group_sizes: np.ndarray | None = None
    penalty_factor: np.ndarray | None = None
    adaptive_factor: np.ndarray | None = None
    limits: np.ndarray | None = None
    validation: Samples | None = None
    early_stopping: bool = False
    learning_rate_init: float = 1e-3
    tol: float = 1e-4
    max_iter: int = 200
    max_fun: int = 15000
    least_gain: float = 0.0
    n_iter_no_change: float = 10
    samples_seen: int = 0
    start: Weights | None = None
    optimizer: dict | None = None
    incremental: bool = False
    verbose: bool = False
    watch: Watch | None = field(default=None, compare=False, repr=False)

    @property
    def makes_zeros(self) -> bool:
        """Whether a penalty makes weights exactly zero."""
        return any(self.l1) or self.group_l1 > 0

    @property
    def may_have_zeros(self) -> bool:
        """Whether anything holds weights at zero."""
        is_bounded = any(self.positive) or self.limits is not None
        return self.makes_zeros or is_bounded or bool(self.excluded.any())

    @property
    def is_unpenalised(self) -> bool:
        """Whether there is no penalty at all."""
        return not (self.makes_zeros or any(self.alpha))

    @property
    def signs(self) -> np.ndarray:
        """The least and largest of (-inf, 0, inf) that a slope in each feature can have.

        Shape
            (2, n_features)
        """
        least, largest = np.full((2, self.program.layer_sizes[0]), [[-np.inf], [np.inf]])
        if all(self.positive):
            least[:] = 0.0
        if self.limits is not None and all(self.positive[1:]):
            least[(self.limits[0] == 0).all(1)] = 0.0
            largest[(self.limits[1] == 0).all(1)] = 0.0
        return np.stack([least, largest])

    @property
    def excluded(self) -> np.ndarray:
        """Which features are held out of the network (n_features,)."""
        if self.penalty_factor is None:
            return np.zeros(self.program.layer_sizes[0], dtype=bool)
        return np.isinf(self.penalty_factor)

    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """What multiplies the L2, and the L1 and group norm, of each feature, 0 for the excluded.

        Shape
            both (n_features,).
        """
        factor = np.ones(self.program.layer_sizes[0])
        if self.penalty_factor is not None:
            factor = np.where(self.excluded, 0.0, self.penalty_factor)
        sparse_factor = factor if self.adaptive_factor is None else factor * self.adaptive_factor
        return factor, sparse_factor

    def group_factors(self) -> np.ndarray:
        """What multiplies ``group_l1`` for each feature's group, (n_features,)."""
        _, factor = self.factors()
        return factor if self.group_sizes is None else factor * np.sqrt(self.group_sizes)

    def restrict(self, columns: np.ndarray) -> Task:
        """The task on some of its features, with the penalties and the rows that they have here."""
        program, validation = self.program.restrict(columns), self.validation
        parts = {
            name: None if getattr(self, name) is None else getattr(self, name)[columns]
            for name in ("group_sizes", "penalty_factor", "adaptive_factor")
        }
        return replace(
            self,
            program=program,
            train=self.train.restrict(columns),
            validation=None if validation is None else validation.restrict(columns),
            limits=None if self.limits is None else self.limits[:, columns],
            start=None if self.start is None else self.start.restrict(columns),
            **parts,
        )

    def without_hidden_layers(self) -> Task:
        """The linear model of these rows, without a penalty yet."""
        program = replace(
            self.program,
            layer_sizes=(self.program.layer_sizes[0], self.program.layer_sizes[-1]),
            solver="lbfgs",
            normalization=None,
            dropout=(),
            batch_size=self.program.n_samples,
            feature_groups=None,
        )
        none = {"l1": (0.0,), "alpha": (0.0,), "group_l1": 0.0, "group_sizes": None}
        limits = self.limits if all(self.positive[1:]) else None
        none |= {"positive": (all(self.positive),), "limits": limits, "start": None}
        return replace(self, program=program, early_stopping=False, **none)

    def without_penalty(self) -> Task:
        """The task without L1, L2 and group norms; excluded features stay out, bounds hold."""
        none = (0.0,) * self.program.n_layers
        program = replace(self.program, feature_groups=None)
        return replace(self, program=program, l1=none, alpha=none, group_l1=0.0)


class Status(Enum):
    """How a training ended; it is stopped where its watch asks for that."""

    CONVERGED = "converged"
    MAX_ITER = "max_iter"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    DIVERGED = "diverged"


@dataclass
class Solution:
    """A trained network and the record of its training.

    ``objective`` and ``optimality`` are those of the full objective at ``weights``.
    ``dual_gap`` (q,), or (1,) for all outputs, is that of linear regression with L1, L2 or norms.
    ``loss_curve`` is None for solvers without epochs, the validation records None without
    validation data. ``validation_score`` is that of ``weights``, with early stopping, and
    ``unfolded`` the network as trained, where batch normalisation is folded into ``weights``.
    ``idle_units`` are the hidden units of each layer that no training row's loss moves, such as
    those of ReLU that are zero on all rows; None where that was not looked at.
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
    dual_gap: np.ndarray | None = None
    idle_units: list[np.ndarray] | None = None

    @property
    def support(self) -> np.ndarray:
        """Which input features are used (n_features,) of bool."""
        return self.weights.support

    @property
    def is_usable(self) -> bool:
        """Whether the weights are numbers; of a training that diverged, of a finite score."""
        is_finite = all(np.isfinite(array).all() for arrays in self.weights for array in arrays)
        is_kept = self.validation_score is not None and np.isfinite(self.validation_score)
        return is_finite and bool(is_kept or self.status is not Status.DIVERGED)
