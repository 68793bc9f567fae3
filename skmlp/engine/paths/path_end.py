"""Where a path of penalty strengths ends: the strength at which the last feature leaves.

Exact without hidden layers. With them it is an estimate, from chains x_j -> one unit a layer -> y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..linear.linear_program import end_of_features
from ..network.activations import ACTIVATIONS
from ..network.columns import BLOCK_ROWS, origins_and_scales
from ..network.first_weights import output_bias
from ..penalty.group_norms import largest_of
from ..task import Task

RIDGE_RATIO = 1e-3  # whose end that of L2 alone is, by glmnet's convention
N_CHAINS = 400
N_BISECTIONS = 64
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
    cross = np.zeros((len(mean), downhill.shape[1]))
    for rows, X in samples.blocks(BLOCK_ROWS):
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


def _norms(members: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The norm of each group of values >= 0, whatever their unit."""
    unit = _or_one(largest_of(members, values))
    return unit * np.sqrt(np.bincount(members, (values / unit[members]) ** 2))


def _or_one(values: np.ndarray) -> np.ndarray:
    """Values to divide by: one instead of zero."""
    return np.where(values > 0, values, 1.0)


def _last_chain(scheme, task: Task, candidates: _Candidates) -> float:
    """The largest strength at which a chain of single weights a_1 .. a_K still has an optimum.

    A chain of slope c = prod a_k on a standardised input has the loss h c^2 / 2 - rho c, h the
    loss's curvature; its penalty is stationary where l1_k a_k + l2_k a_k^2 = t for every layer,
    with t <= c (rho - h c) as long as the chain holds. Since c grows with t, that is so for some
    t where c >= rho / (2 h) at the smallest. Bisection on the strength, over a grid of t.
    """
    loss, samples = task.program.loss, task.train
    constant = loss.constant(samples.y, samples.relative_weight(), samples.offset)
    h = float(loss.curvature(constant).mean())
    rho = (candidates.rho / candidates.std)[:, None]
    t = np.geomspace(1e-10, 0.25, N_CHAINS) * np.square(rho) / h
    low, high = np.full((2, len(rho), 1), 1 / WIDEST)
    high *= WIDEST**2
    for _ in range(N_BISECTIONS):
        middle = np.sqrt(low * high)
        with np.errstate(over="ignore"):
            c = _slope(scheme, task, candidates, middle, t)
            holds = (c * (rho - h * c) >= t).any(1, keepdims=True) | (c[:, :1] >= rho / (2 * h))
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    end = float(low.max())
    return end if end > 1 / WIDEST else 0.0


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
