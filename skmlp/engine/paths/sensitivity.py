"""How strongly a network's function depends on each input."""

from __future__ import annotations

import numpy as np
import torch

from ..network.layout import Layout
from ..network.perceptron import Network, block_rows
from ..network.rows import RowLoader
from ..runtime import one_fit
from ..task import Task, Weights


def sensitivities(task: Task, weights: Weights) -> np.ndarray:
    """The root mean square of df/dx_j over the training rows and outputs, (n_features,).

    ``weights`` are a solution's, with batch normalisation folded.
    """
    program = task.program.without_dropout.folded
    layout, device = Layout(program), torch.device("cpu")
    flat = torch.tensor(layout.pack(weights)[None], dtype=torch.float64)
    theta, d_theta = layout.views(flat), layout.views(torch.zeros_like(flat))
    n_outputs, networks, squares = program.layer_sizes[-1], {}, 0.0
    with one_fit():
        for batch in RowLoader([task.train], torch.float64, device).blocks(
            block_rows(program.layer_sizes)
        ):
            n_rows = batch.n_rows
            network = networks.setdefault(n_rows, Network(program, theta, n_rows, d_theta))
            share = 1.0 if batch.weight is None else batch.weight
            for output in range(n_outputs):
                gradient = network.input_gradient(batch.X, output)
                squares = squares + (share * gradient**2).sum((0, 1)).numpy()
    return np.sqrt(squares / (program.n_samples * n_outputs))
