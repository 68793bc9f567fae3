"""First weights: Glorot's, and those fitted to the data of layers whose weights have signs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..task import Program, Samples, Task, Weights
from .activations import ACTIVATIONS
from .columns import origins_and_scales
from .preactivations import spread_signed_units, standardize_layers, unfold

SMALLEST_POSITIVE = 1e-4


def glorot(task: Task, rng: np.random.RandomState) -> Weights:
    """Uniform weights and biases within sqrt(6 / (n_in + n_out)), 2 in place of 6 for 'logistic'.

    The draws are those of scikit-learn's MLP for the same seed (Glorot & Bengio, 2010).
    """
    program = task.program
    factor = ACTIVATIONS[program.activation].spread
    coefs, intercepts = [], []
    for n_in, n_out in pairwise(program.layer_sizes):
        bound = np.sqrt(factor / (n_in + n_out))
        coefs.append(rng.uniform(-bound, bound, (n_in, n_out)))
        intercepts.append(rng.uniform(-bound, bound, n_out))
    return _with_gains(program, coefs, intercepts)


def _with_gains(program: Program, coefs: list, intercepts: list) -> Weights:
    """The weights, with gains one and shifts zero where layers are normalised."""
    hidden = program.layer_sizes[1:-1] if program.normalization else ()
    return Weights(coefs, intercepts, [np.ones(u) for u in hidden], [np.zeros(u) for u in hidden])


def output_bias(program: Program, train: Samples) -> np.ndarray:
    """The output (q,) of the best constant model, zero without an intercept."""
    if not program.has_intercept:
        return np.zeros(train.y.shape[1])
    return program.loss.constant(train.y, train.relative_weight(), train.offset)


def constant_weights(task: Task) -> Weights:
    """The network of zeros with the link of the mean of y as its output's bias."""
    program = task.program
    shapes = [*pairwise(program.layer_sizes)]
    coefs = [np.zeros(shape) for shape in shapes]
    intercepts = [np.zeros(n_out) for _, n_out in shapes]
    intercepts[-1] = output_bias(program, task.train)
    return _with_gains(program, coefs, intercepts)


def first_weights(task: Task, rng: np.random.RandomState) -> Weights:
    """Initial weights of a network, with its output centred at the mean of y.

    The first piece of a stream need not have its classes' shares: there biases are as drawn.
    Deterministic solvers work on standardised X and scaled y, for which theirs are drawn.
    """
    weights, has_signed_units = glorot(task, rng), _has_signed_units(task)
    for k, positive in enumerate(task.positive):
        if positive:
            coef = weights.coefs[k]
            coef = np.abs(coef) if has_signed_units else np.maximum(coef, 0.0)
            weights.coefs[k] = coef + SMALLEST_POSITIVE
    weights.coefs[0] = _within_signs(weights.coefs[0], task.limits)
    weights.coefs[0][task.excluded] = 0.0
    drawn = weights.intercepts[-1]
    weights.intercepts[-1] = np.zeros_like(weights.intercepts[-1])
    is_scaled = task.program.is_deterministic
    if is_scaled:
        moments = origins_and_scales(task.train, task.program.has_intercept)
        _unscale_first_layer(weights, *moments)
    if has_signed_units:
        spread_signed_units(task, weights, rng)
    standardize_layers(task, weights, rng)
    if is_scaled:
        _unscale_output(weights, _scale_of_y(task))
    is_piece = task.incremental and task.program.loss.scaling == "none"
    is_drawn = is_piece and task.program.has_intercept
    centre = drawn if is_drawn else output_bias(task.program, task.train)
    weights.intercepts[-1] = weights.intercepts[-1] + centre
    if task.program.normalization == "batch" and any(task.positive):
        return unfold(task, weights._replace(gains=[], shifts=[]))
    return weights


def _within_signs(coef: np.ndarray, limits: np.ndarray | None) -> np.ndarray:
    """The first layer with weights turned round that have the other sign of what limits allow."""
    if limits is None:
        return coef
    lower, upper = limits
    coef = np.where(lower == 0, np.abs(coef), coef)
    return np.where(upper == 0, -np.abs(coef), coef)


def _has_signed_units(task: Task) -> bool:
    """Whether hidden units have signs in some features for a function monotone in them."""
    program, is_monotone = task.program, bool(np.isfinite(task.signs).any())
    is_plain = program.n_layers > 1 and program.normalization != "layer"
    return is_monotone and is_plain and not task.positive[0]


def _unscale_first_layer(weights: Weights, mean: np.ndarray, std: np.ndarray) -> None:
    """From standardised inputs to inputs of this mean and standard deviation, in place."""
    coef = weights.coefs[0] / np.where(std > 0, std, 1.0)[:, None]
    weights.coefs[0] = coef
    weights.intercepts[0] = weights.intercepts[0] - mean @ coef


def _scale_of_y(task: Task) -> float:
    """What an output is multiplied by where y is."""
    samples = task.train
    return task.program.loss.output_scale(samples.y.astype(np.float64), samples.relative_weight())


def _unscale_output(weights: Weights, scale: float) -> None:
    """From outputs of size one to outputs of size ``scale``, in place."""
    weights.coefs[-1] = weights.coefs[-1] * scale
    weights.intercepts[-1] = weights.intercepts[-1] * scale
