"""Where a path of penalty strengths ends: the strength at which the last feature leaves.

Exact without hidden layers. With them it is an estimate, from chains x_j -> one unit a layer -> y.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import sparse

from ..linear.programming.linear_program import end_of_features
from ..network.activations import ACTIVATIONS
from ..network.columns import origins_and_scales, rows_a_block
from ..network.first_weights import constant_weights, output_bias
from ..network.layout import Layout
from ..penalty.group_norms import largest_of
from ..penalty.prox import penalty_numbers
from ..runtime import one_fit
from ..task import Task, Weights

RIDGE_RATIO = 1e-3  # whose end that of L2 alone is, by glmnet's convention
N_CHAINS = 400
N_BISECTIONS = 64
BLOCK_CHAINS = 1000  # looked at together: memory
WIDEST = 1e150
ROUNDING = 1e-14  # of a covariance, over the deviation of X times the size of y
FREE_TOL = 1e-8
FREE_ITER = 1000


def null_moments(task: Task, offset: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Covariances (n_features, q) of X with minus the loss's derivative, and deviations of X.

    The derivative is that at the outputs ``offset`` (n, q), by default the best constant model's.
    Without an intercept both are about zero.
    """
    samples, loss = task.train, task.program.loss
    mean, std = origins_and_scales(samples, task.program.has_intercept)
    weight = samples.relative_weight()
    if offset is None:
        offset = output_bias(task.program, samples) + samples.shift
    downhill = -loss.gradient(offset, samples.y, weight) * weight / samples.n_rows
    if sparse.issparse(samples.X):
        X = samples.matrix()
        return X.T @ downhill - np.outer(mean, downhill.sum(0)), std
    cross = np.zeros((len(mean), downhill.shape[1]))
    for rows, X in samples.blocks(rows_a_block(samples.n_features)):
        cross += (X - mean).T @ downhill[rows]
    return cross, std


def unpenalised(task: Task) -> Task | None:
    """The task of a linear model on its features without a penalty alone, or None if it has none.

    It is solved deterministically, whatever the solver of the path.
    """
    factor = task.penalty_factor
    if factor is None or not (factor == 0).any():
        return None
    program = replace(
        task.program, solver="lbfgs", n_validation=0, batch_size=task.program.n_samples
    )
    return replace(
        task,
        program=program,
        penalty_factor=np.where(factor == 0, 0.0, np.inf),
        validation=None,
        early_stopping=False,
        tol=min(task.tol, FREE_TOL),
        max_iter=max(task.max_iter, FREE_ITER),
    )


def largest(scheme, task: Task, offset: np.ndarray | None) -> float:
    """The largest strength of a ``Scheme`` at which a feature is left; 0 if none can leave."""
    candidates = _candidates(scheme, task, offset)
    if not candidates.rho.size:
        return 0.0
    if task.program.n_layers == 1:
        end = _end_between_kinks(scheme, task, offset)
        if not np.isfinite(end):
            end = float((candidates.rho / candidates.moving).max())
        return end / (scheme.l1_ratio or RIDGE_RATIO)
    return _last_chain(scheme, task, candidates)


def _end_between_kinks(scheme, task: Task, offset: np.ndarray | None) -> float:
    """The end of a linear model where rows at kinks leave a choice of slopes, else infinity."""
    moved, samples, loss = scheme.at(task, 1.0), task.train, task.program.loss
    is_mixed = scheme.param == "group_l1" and task.l1[0] > 0
    if loss.slopes is None or moved.program.has_group_norms or is_mixed:
        return np.inf
    if offset is None:
        constant = loss.constant(samples.y, samples.relative_weight())
        offset = np.broadcast_to(constant, samples.y.shape)
    return end_of_features(task, offset, task.factors()[1])


@dataclass(frozen=True)
class _Candidates:
    """Features, or groups of them, that the penalty can remove; one number each.

    ``rho`` is the covariance with minus the loss's derivative, ``std`` the deviation along it. The
    first layer's L1 or group norm is ``moving`` times the strength, beside a fixed ``l1``;
    its L2 is multiplied by ``factor``, the feature's penalty factor.
    """

    rho: np.ndarray
    std: np.ndarray
    moving: np.ndarray
    l1: np.ndarray
    factor: np.ndarray

    def of(self, which: np.ndarray) -> _Candidates:
        """Some of them."""
        return _Candidates(*(getattr(self, field.name)[which] for field in fields(self)))


def _candidates(scheme, task: Task, offset: np.ndarray | None) -> _Candidates:
    cross, std = null_moments(task, offset)
    free, (factor, sparse) = ~task.excluded, task.factors()
    is_rounding = np.abs(cross) <= ROUNDING * std[:, None] * np.abs(task.train.y).max(0)
    cross = np.where(free[:, None] & ~is_rounding, cross, 0.0)
    cross = np.clip(cross, *task.signs[:, :, None])
    if scheme.param == "group_l1":
        l1 = task.l1[0] * sparse
        members = np.asarray(task.program.feature_groups)
        if task.program.n_layers == 1:  # what the fixed part leaves
            cross, l1 = np.sign(cross) * np.maximum(np.abs(cross) - l1[:, None], 0), 0 * l1
        largest_of_row = _or_one(np.abs(cross).max(1))
        rho = largest_of_row * np.linalg.norm(cross / largest_of_row[:, None], axis=1)
        moving = largest_of(members, task.group_factors())
    else:
        l1, members = np.zeros(len(std)), np.arange(len(std))
        rho, moving = np.abs(cross).max(1), sparse
    norm = _norms(members, rho)
    along = _norms(members, rho / _or_one(norm)[members] * std)
    moves = (moving > 0) & (along > 0)
    numbers = norm, along, moving, largest_of(members, l1), largest_of(members, factor)
    return _Candidates(*(number[moves] for number in numbers))


def end_of_network(scheme, task: Task, weights: Weights) -> float:
    """The strength at which a network's gain in loss over the constant model is its penalty.

    What acts through squares and products alone has chains of no slope, and ends there.
    """
    from ..descent.objective import objective_of

    used = np.flatnonzero(weights.support)
    own, row = task.restrict(used), weights.restrict(used)
    layout = Layout(own.program)
    moved = [scheme.at(own, strength) for strength in (0.0, 1.0, 0.0)]
    penalties = [penalty_numbers(one, layout) for one in moved]
    rows = np.stack([layout.pack(weights) for weights in (row, row, constant_weights(own))])
    with one_fit():
        certificates = objective_of(moved, penalties, layout).certificates(rows)
    free, penalised, constant = (objective for objective, _ in certificates)
    return max(0.0, constant - free) / (penalised - free)


def _norms(members: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The norm of each group of values >= 0, whatever their unit."""
    unit = _or_one(largest_of(members, values))
    return unit * np.sqrt(np.bincount(members, (values / unit[members]) ** 2))


def _or_one(values: np.ndarray) -> np.ndarray:
    """Values to divide by: one instead of zero."""
    return np.where(values > 0, values, 1.0)


def _last_chain(scheme, task: Task, candidates: _Candidates) -> float:
    """The largest strength at which a chain of single weights a_1 .. a_K still has an optimum.

    Of many candidates few can be the last: where one is found, those whose chains are gone at its
    end are out, and the search goes on among the others.
    """
    scores = candidates.rho / candidates.std / candidates.moving
    chains = _Chains(scheme, task, candidates)
    left, end = np.argsort(-scores, kind="stable"), 0.0
    while left.size:
        low, high = chains.end_of(left[:1])
        end = max(end, low)
        left = left[1:][chains.hold(high, left[1:])]
    return end if end > 1 / WIDEST else 0.0


class _Chains:
    """Chains of single weights a_1 .. a_K from candidates to y, and up to where they hold.

    A chain of slope c = prod a_k on a standardised input has the loss h c^2 / 2 - rho c, h the
    loss's curvature; its penalty is stationary where l1_k a_k + l2_k a_k^2 = t for every layer,
    with t <= c (rho - h c) as long as the chain holds. Since c grows with t, that is so for some
    t where c >= rho / (2 h) at the smallest. Bisection on the strength, over a grid of t.
    """

    def __init__(self, scheme, task: Task, candidates: _Candidates) -> None:
        loss, samples = task.program.loss, task.train
        constant = loss.constant(samples.y, samples.relative_weight(), samples.offset)
        self._h = float(loss.curvature(constant).mean())
        self._scheme, self._task, self._candidates = scheme, task, candidates

    def end_of(self, one: np.ndarray) -> tuple[float, float]:
        """The largest strength at which the chain of one candidate holds, and the next above."""
        low, high = 1 / WIDEST, WIDEST
        for _ in range(N_BISECTIONS):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if self.hold(middle, one)[0] else (low, middle)
        return low, high

    def hold(self, strength: float, which: np.ndarray) -> np.ndarray:
        """Whether the chains of the candidates ``which`` hold at a strength, (n,) of bool."""
        pieces = np.array_split(which, 1 + len(which) // BLOCK_CHAINS)
        return np.concatenate([self._hold(strength, self._candidates.of(one)) for one in pieces])

    def _hold(self, strength: float, candidates: _Candidates) -> np.ndarray:
        rho, h = (candidates.rho / candidates.std)[:, None], self._h
        t = np.geomspace(1e-10, 0.25, N_CHAINS) * np.square(rho) / h
        with np.errstate(over="ignore"):
            c = _slope(self._scheme, self._task, candidates, strength, t)
            return (c * (rho - h * c) >= t).any(1) | (c[:, 0] >= rho[:, 0] / (2 * h))


def _slope(scheme, task: Task, candidates: _Candidates, strength, t) -> np.ndarray:
    """The slope of chains whose layers each have the marginal penalty t.

    A weight on a standardised input is std times that on the input: L1 is divided by the standard
    deviation, L2 by its square.
    """
    slope = ACTIVATIONS[task.program.activation].slope ** (task.program.n_layers - 1)
    moving = scheme.l1_ratio * strength
    for k in range(task.program.n_layers):
        l1, l2 = task.l1[k], task.alpha[k] / task.train.total_weight
        if scheme.param == "l1_per_layer":
            l1 = moving
        if scheme.l1_ratio < 1:
            l2 = (1 - scheme.l1_ratio) * strength
        if k == 0:
            std = candidates.std[:, None]
            l1 = (candidates.l1[:, None] + moving * candidates.moving[:, None]) / std
            l2 = l2 * candidates.factor[:, None] / std**2
        slope = slope * 2 * t / (l1 + np.hypot(l1, 2 * np.sqrt(l2 * t)))
    return slope
