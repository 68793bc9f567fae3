"""The full objective of networks on all their data: value, gradient, optimality.

F(W, b) = (1/S) sum_i s_i loss(y_i, f(x_i)) + sum_k l1_k sum_ij P_ij |W_k,ij|
          + sum_k alpha_k / (2 S) sum_ij P_ij W_k,ij^2      subject to  lower <= W <= upper
"""

from __future__ import annotations

import numpy as np
import torch

from ..kernels.choice import serves
from ..kernels.loops import Loops
from ..network.batch_loss import batch_loss
from ..network.layout import Layout
from ..network.perceptron import Network, block_rows
from ..network.rows import RowLoader
from ..penalty.prox import PenaltyNumbers
from ..runtime import finest_dtype
from ..task import Task
from .linear_objective import SparseLinear, is_sparse_linear


class Objective:
    """F of some tasks as a function of their flat rows; ``penalties`` are all but loss and L2."""

    penalties: list[PenaltyNumbers]

    def evaluate(self, rows: np.ndarray, with_gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        """The smooth parts (M,) and, if asked for, their gradients (M, size)."""
        raise NotImplementedError

    def certificates(self, rows: np.ndarray) -> list[tuple[float, float]]:
        """F of each model, and its optimality residual max |w - prox(w - grad)|."""
        return [certificate for certificate, _ in self.with_gradients(rows)]

    def with_gradients(self, rows: np.ndarray) -> list[tuple[tuple[float, float], np.ndarray]]:
        """The certificate of each model, and the gradient (size,) of its smooth part."""
        values, gradients = self.evaluate(rows, with_gradient=True)
        return [
            ((float(value + penalty.value(row)), penalty.residual(row, gradient)), gradient)
            for value, penalty, row, gradient in zip(
                values, self.penalties, rows, gradients, strict=True
            )
        ]


def objective_of(
    tasks: list[Task],
    penalties: list[PenaltyNumbers],
    layout: Layout,
    dtype: torch.dtype | None = None,
) -> Objective:
    """The objective of the tasks of one program, compiled where that serves them."""
    if serves(tasks[0]):
        return CompiledObjective(tasks, penalties, layout, dtype)
    if is_sparse_linear(tasks[0]) and dtype in (None, torch.float64):
        return SparseLinearObjective(tasks, penalties, layout)
    return StackObjective(tasks, penalties, layout, dtype)


class CompiledObjective(Objective):
    """Each model by itself, in float64 unless a dtype is given."""

    def __init__(self, tasks, penalties, layout: Layout, dtype: torch.dtype | None = None) -> None:
        self.penalties = penalties
        name = "float64" if dtype is None else str(dtype).removeprefix("torch.")
        self._loops = [
            Loops(task.program, layout, task.train, penalty, name)
            for task, penalty in zip(tasks, penalties, strict=True)
        ]

    def evaluate(self, rows: np.ndarray, with_gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        theta = np.ascontiguousarray(rows, dtype=self._loops[0].dtype)
        gradients = np.zeros(theta.shape, dtype=theta.dtype)
        values = [
            loops.objective(row, gradient if with_gradient else None)
            for loops, row, gradient in zip(self._loops, theta, gradients, strict=True)
        ]
        return np.array(values), gradients.astype(np.float64, copy=False)


class SparseLinearObjective(Objective):
    """Each linear model on its sparse rows by itself."""

    def __init__(self, tasks, penalties, layout: Layout) -> None:
        self.penalties = penalties
        self._models = [
            SparseLinear(task, penalty, layout)
            for task, penalty in zip(tasks, penalties, strict=True)
        ]

    def evaluate(self, rows: np.ndarray, with_gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        pairs = zip(self._models, rows, strict=True)
        values, gradients = zip(*(m.evaluate(row, with_gradient) for m, row in pairs), strict=True)
        return np.array(values), np.array(gradients)


class StackObjective(Objective):
    """F of the tasks of one program as a function of the flat rows (M, size) of their parameters.

    Evaluated in blocks of rows, in float64 unless a dtype is given. Dropout is off. Batch
    normalisation uses the statistics of all rows, in one block. ``penalties`` is all of F but the
    loss and L2.
    """

    def __init__(
        self,
        tasks: list[Task],
        penalties: list[PenaltyNumbers],
        layout: Layout,
        dtype: torch.dtype | None = None,
    ) -> None:
        program = tasks[0].program
        self.penalties = penalties
        self._layout = layout
        self._program = program.without_dropout
        self._loss = program.loss
        device = torch.device(program.device)
        dtype = dtype or finest_dtype(device)
        self._rows = RowLoader.of_models([task.train for task in tasks], dtype, device)
        self._block = block_rows(program.layer_sizes)
        if program.normalization == "batch":
            self._block = program.n_samples
        self._networks: dict[int, Network] = {}
        shape = (len(tasks), layout.size)
        self._flat = torch.zeros(shape, dtype=dtype, device=device)
        self._gradient = torch.zeros(shape, dtype=dtype, device=device)
        self._l2 = np.stack([penalty.l2 for penalty in penalties])

    def _network(self, n_rows: int) -> Network:
        if n_rows not in self._networks:
            theta, d_theta = self._layout.views(self._flat), self._layout.views(self._gradient)
            self._networks[n_rows] = Network(self._program, theta, n_rows, d_theta)
        return self._networks[n_rows]

    def evaluate(self, rows: np.ndarray, with_gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        """The smooth parts (M,) and, if asked for, their gradients (M, size)."""
        self._flat.copy_(torch.from_numpy(rows))
        needs_share = self._program.normalization == "batch"
        values, gradients = np.zeros(len(rows)), None
        for batch in self._rows.blocks(self._block):
            network = self._network(batch.n_rows)
            fraction = batch.n_rows / self._program.n_samples
            output = network.forward(batch.X, batch.share if needs_share else None)
            part, _ = batch_loss(self._loss, output, batch.y, batch.weight, batch.offset)
            values += fraction * part.cpu().double().numpy()
            if with_gradient:
                network.backward()
                part = fraction * self._gradient.cpu().numpy()
                gradients = part if gradients is None else gradients + part
        weights = rows[:, : self._layout.n_weights]
        l2_weights = self._l2 * weights
        for k, w in enumerate(weights):
            values[k] += 0.5 * float(l2_weights[k] @ w)
        if gradients is None:
            return values, np.zeros(rows.shape)
        gradients = gradients.astype(np.float64, copy=False)
        gradients[:, : self._layout.n_weights] += l2_weights
        return values, gradients


class FullObjective:
    """F of one task as a function of the flat row (size,) of its parameters, in float64."""

    def __init__(self, task: Task, penalty: PenaltyNumbers, layout: Layout) -> None:
        self.penalty = penalty
        self._stack = objective_of([task], [penalty], layout)

    def value(self, row: np.ndarray) -> float:
        """The smooth part."""
        return float(self._stack.evaluate(row[None], with_gradient=False)[0][0])

    def value_and_gradient(self, row: np.ndarray) -> tuple[float, np.ndarray]:
        """The smooth part and its gradient (size,)."""
        values, gradients = self._stack.evaluate(row[None], with_gradient=True)
        return float(values[0]), gradients[0]
