"""The full objective of one network on all its data: value, gradient, optimality.

F(W, b) = (1/S) sum_i s_i loss(y_i, f(x_i)) + sum_k l1_k sum_ij P_ij |W_k,ij|
          + sum_k alpha_k / (2 S) sum_ij P_ij W_k,ij^2      subject to  lower <= W <= upper
"""

from __future__ import annotations

import numpy as np
import torch

from .layout import Layout
from .losses import LOSSES
from .network import Network, block_rows
from .penalties import penalty_numbers
from .rows import RowLoader
from .runtime import finest_dtype
from .task import Task


class FullObjective:
    """F of a task as a function of the flat row of its parameters, evaluated in blocks of rows.

    The smooth part (loss and L2) has ``value`` and ``value_and_gradient``; ``penalty`` is the rest.
    In float64 unless a dtype is given. Dropout is off. Batch normalisation uses the statistics of
    all rows, in one block.
    """

    def __init__(self, task: Task, layout: Layout, dtype: torch.dtype | None = None) -> None:
        program = task.program
        self.penalty = penalty_numbers(task, layout)
        self._layout = layout
        self._program = program.without_dropout
        self._loss = LOSSES[program.loss]
        self._device = torch.device(program.device)
        self._dtype = dtype or finest_dtype(self._device)
        self._rows = RowLoader([task.train], self._dtype, self._device)
        self._block = block_rows(program.layer_sizes)
        if program.normalization == "batch":
            self._block = program.n_samples
        self._networks: dict[int, Network] = {}
        shape = (1, layout.size)
        self._flat = torch.zeros(shape, dtype=self._dtype, device=self._device)
        self._gradient = torch.zeros(shape, dtype=self._dtype, device=self._device)

    def _network(self, n_rows: int) -> Network:
        if n_rows not in self._networks:
            theta, d_theta = self._layout.views(self._flat), self._layout.views(self._gradient)
            self._networks[n_rows] = Network(self._program, theta, n_rows, d_theta)
        return self._networks[n_rows]

    def _evaluate(self, row: np.ndarray, with_gradient: bool) -> tuple[float, np.ndarray]:
        self._flat.copy_(torch.from_numpy(row))
        needs_share = self._program.normalization == "batch"
        value, gradient = 0.0, np.zeros(self._layout.size)
        for batch in self._rows.blocks(self._block):
            network = self._network(batch.n_rows)
            fraction = batch.n_rows / self._program.n_samples
            output = network.forward(batch.X, batch.share if needs_share else None)
            part, _ = self._loss.value_and_derivative(output, batch.y, batch.weight)
            value += fraction * float(part)
            if with_gradient:
                network.backward()
                gradient += fraction * self._gradient[0].cpu().numpy()
        l2, n_weights = self.penalty.l2, self._layout.n_weights
        gradient[:n_weights] += l2 * row[:n_weights]
        return value + 0.5 * float(l2 @ row[:n_weights] ** 2), gradient

    def value(self, row: np.ndarray) -> float:
        """The smooth part."""
        return self._evaluate(row, with_gradient=False)[0]

    def value_and_gradient(self, row: np.ndarray) -> tuple[float, np.ndarray]:
        """The smooth part and its gradient (size,)."""
        return self._evaluate(row, with_gradient=True)

    def certificate(self, row: np.ndarray) -> tuple[float, float]:
        """F, and its optimality residual max |w - prox(w - grad)|."""
        value, gradient = self.value_and_gradient(row)
        return value + self.penalty.value(row), self.penalty.residual(row, gradient)
