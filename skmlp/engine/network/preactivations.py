"""Statistics of the training data before an activation, and what is built on them.

Batch normalisation is folded into plain weights after training, and unfolded again to go on;
non-negative layers are initialised so that each pre-activation has standard deviation one, and
units of signed weights so that they bend at places all over the data.
"""

from __future__ import annotations

import numpy as np
import torch

from ..runtime import finest_dtype
from ..task import Task, Weights
from .layout import Layout
from .normalization import EPSILON
from .perceptron import output_blocks
from .rows import RowLoader

LEAST_DEVIATION = 0.5  # of what a unit whose weights have one sign starts from


def moments(task: Task, weights: Weights, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and variance (n_units,) over the training rows of layer ``layer``'s product.

    Counted from one; the layers before it are taken as plain, or layer-normalised.
    """
    program = task.program.folded
    if program.normalization is None:
        weights = weights._replace(gains=[], shifts=[])
    device = torch.device(program.device)
    layout, dtype = Layout(program), finest_dtype(device)
    flat = torch.tensor(layout.pack(weights)[None], dtype=dtype, device=device)
    rows = RowLoader([task.train], dtype, device)
    total = np.zeros((2, program.layer_sizes[layer]))
    origin = None
    for batch, z in output_blocks(program, layout.views(flat), rows, n_layers=layer):
        origin = z[:, :1].clone() if origin is None else origin
        z = z - origin
        weight = 1.0 if batch.weight is None else batch.weight
        total += torch.stack([(z * weight).sum((0, 1)), (z * z * weight).sum((0, 1))]).cpu().numpy()
    mean, square = total / program.n_samples
    return mean + origin[0, 0].cpu().numpy(), np.maximum(square - mean**2, 0.0)


def fold(task: Task, weights: Weights) -> Weights:
    """The plain network that equals a batch-normalised one with the training rows' statistics."""
    plain = Weights([*weights.coefs], [*weights.intercepts], [], [])
    for k, (gain, shift) in enumerate(zip(weights.gains, weights.shifts, strict=True)):
        mean, variance = moments(task, plain, k + 1)
        scale = gain / np.sqrt(variance + EPSILON)
        plain.coefs[k] = plain.coefs[k] * scale
        plain.intercepts[k] = (plain.intercepts[k] - mean) * scale + shift
    return plain


def unfold(task: Task, plain: Weights) -> Weights:
    """Batch normalisation around plain weights that changes nothing on the training rows."""
    gains, shifts = [], []
    for k in range(task.program.n_layers - 1):
        mean, variance = moments(task, plain, k + 1)
        gains.append(np.sqrt(variance + EPSILON))
        shifts.append(mean)
    return plain._replace(gains=gains, shifts=shifts)


def standardize_layers(task: Task, weights: Weights, rng: np.random.RandomState) -> None:
    """Scale each unit of the positive layers, in place, to standard deviation one on the data.

    W <- W / std(z), b <- -mean(z) / std(z) + U(-1, 1), without the uniform part at the output.
    Layers that layer normalisation follows are left to it.
    """
    n_layers = task.program.n_layers
    for k in range(n_layers):
        is_output = k == n_layers - 1
        if not task.positive[k] or (task.program.normalization == "layer" and not is_output):
            continue
        weights.intercepts[k] = np.zeros_like(weights.intercepts[k])
        mean, variance = moments(task, weights, k + 1)
        std = np.sqrt(variance)
        std[std <= 1e-12 * np.abs(mean)] = 1.0
        std[std == 0] = 1.0
        weights.coefs[k] = weights.coefs[k] / std
        weights.intercepts[k] = -mean / std
        if not is_output:
            weights.intercepts[k] += rng.uniform(-1, 1, std.shape)


def spread_signed_units(task: Task, weights: Weights, rng: np.random.RandomState) -> None:
    """Scale and shift the units of a first layer with signs, in place, over the data.

    Increasing units that are all but linear at the same place differ by scale alone, which weights
    of one sign in the next layer cannot undo: W <- max(1, 1/2 / std(z)) W, and b such that z is
    zero anywhere within sqrt(3) std(z) of its mean.
    """
    mean, variance = moments(task, weights, 1)
    mean, std = mean - weights.intercepts[0], np.sqrt(variance)
    is_alive = std > 1e-12 * np.abs(mean)
    scale = np.where(is_alive, np.maximum(1.0, LEAST_DEVIATION / np.where(is_alive, std, 1.0)), 1.0)
    weights.coefs[0] = weights.coefs[0] * scale
    places = mean + std * np.sqrt(3.0) * rng.uniform(-1, 1, std.shape)
    weights.intercepts[0] = np.where(is_alive, -places * scale, weights.intercepts[0])
