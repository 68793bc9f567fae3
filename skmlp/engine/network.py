"""Forward and backward pass of a stack of multi-layer perceptrons, in closed form.

z_k = a_{k-1} W_k + b_k,   a_k = act(norm(z_k)) * mask_k,   output = a_{K-1} W_K + b_K
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from .activations import ACTIVATIONS
from .layout import Parameters, slots
from .normalization import NORMALIZATIONS
from .rows import Batch, RowLoader
from .task import Program

BLOCK_NUMBERS = 2**16


def block_rows(layer_sizes: tuple[int, ...]) -> int:
    """Rows a block, so that the widest layer's activations stay in a core's cache."""
    return max(64, BLOCK_NUMBERS // max(layer_sizes))


def dense(x: Tensor, weight: Tensor, bias: Tensor, out: Tensor, scratch: Tensor) -> Tensor:
    """x W + b. One output column is a product and a sum: a matrix product with one column is slow
    in a stack and rounds differently there."""
    if weight.shape[2] > 1:
        return torch.baddbmm(bias, x, weight, out=out)
    torch.mul(x, weight.mT, out=scratch)
    return torch.sum(scratch, 2, keepdim=True, out=out).add_(bias)


def dense_backward(
    x: Tensor, weight: Tensor, delta: Tensor, d_weight: Tensor, d_bias: Tensor, scratch: Tensor
) -> None:
    """d_W = x' delta, d_b = sum delta."""
    torch.sum(delta, 1, keepdim=True, out=d_bias)
    if weight.shape[2] > 1:
        torch.bmm(x.mT, delta, out=d_weight)
    else:
        torch.mul(x, delta, out=scratch)
        torch.sum(scratch, 1, keepdim=True, out=d_weight.mT)


def dense_input_delta(weight: Tensor, delta: Tensor, out: Tensor) -> Tensor:
    """delta W': the derivative with respect to the layer's input."""
    if weight.shape[2] > 1:
        return torch.bmm(delta, weight.mT, out=out)
    return torch.mul(delta, weight.mT, out=out)


class Network:
    """A stack of M networks on batches of B rows, in buffers that are allocated once.

    Shape
        X (M, B, n_features) -> output (M, B, n_outputs). The output and everything kept for the
        backward pass are overwritten by the next forward pass.
    """

    def __init__(
        self, program: Program, n_models: int, n_rows: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        def buffer(n_units: int) -> Tensor:
            return slots(n_models, n_rows, n_units, dtype=dtype, device=device)

        sizes = program.layer_sizes
        hidden = sizes[1:-1]
        self.activation = ACTIVATIONS[program.activation]
        self.dropout = program.dropout
        self.z = [buffer(u) for u in hidden]
        separate = self.activation.keeps_input or program.normalization is not None
        self.a = [buffer(u) for u in hidden] if separate else self.z
        self.normed = self.z
        if program.normalization is not None:
            self.normed = [buffer(u) for u in hidden] if self.activation.keeps_input else self.a
        self.dropped = [
            buffer(u) if rate else a
            for u, rate, a in zip(hidden, program.dropout, self.a, strict=True)
        ]
        self.masks = [
            buffer(u) if rate else None for u, rate in zip(hidden, program.dropout, strict=True)
        ]
        self.delta = [buffer(u) for u in hidden]
        self.output = buffer(sizes[-1])
        self.scratch = [buffer(n_in) if n_out == 1 else None for n_in, n_out in pairwise(sizes)]
        norm = NORMALIZATIONS.get(program.normalization)
        self.norms = [norm() for _ in hidden] if norm else []

    def draw_masks(self, generators: list[torch.Generator]) -> None:
        """New dropout masks, each model's from its own generator, scaled to mean one."""
        for rate, mask in zip(self.dropout, self.masks, strict=True):
            if mask is None:
                continue
            for model, generator in enumerate(generators):
                mask[model].bernoulli_(1 - rate, generator=generator)
            mask.div_(1 - rate)

    def forward(
        self, theta: Parameters, X: Tensor, share: Tensor | None = None, train: bool = False
    ) -> Tensor:
        """Outputs before the link. ``share``: rows' shares, for batch normalisation.

        ``train`` applies the masks drawn last.
        """
        a = X
        for k, z in enumerate(self.z):
            dense(a, theta.weights[k], theta.biases[k], z, self.scratch[k])
            if self.norms:
                z = self.norms[k].forward(z, theta.gains[k], theta.shifts[k], share, self.normed[k])
            a = self.activation.forward(z, self.a[k])
            if train and self.masks[k] is not None:
                a = torch.mul(a, self.masks[k], out=self.dropped[k])
        return dense(a, theta.weights[-1], theta.biases[-1], self.output, self.scratch[-1])

    def backward(
        self, theta: Parameters, X: Tensor, delta: Tensor, d_theta: Parameters, train: bool = False
    ) -> None:
        """Gradients into ``d_theta`` from ``delta``, the derivative with respect to the output."""
        kept = self.normed if self.activation.keeps_input else self.a
        inputs = self.dropped if train else self.a
        for k in range(len(theta.weights) - 1, -1, -1):
            x = inputs[k - 1] if k else X
            weight, d_weight = theta.weights[k], d_theta.weights[k]
            dense_backward(x, weight, delta, d_weight, d_theta.biases[k], self.scratch[k])
            if not k:
                return
            delta = dense_input_delta(weight, delta, self.delta[k - 1])
            if train and self.masks[k - 1] is not None:
                delta.mul_(self.masks[k - 1])
            self.activation.backward(delta, kept[k - 1])
            if self.norms:
                norm = self.norms[k - 1]
                norm.backward(
                    delta, theta.gains[k - 1], d_theta.gains[k - 1], d_theta.shifts[k - 1]
                )


def output_blocks(
    program: Program, theta: Parameters, rows: RowLoader, n_layers: int | None = None
) -> Iterator[tuple[Batch, Tensor]]:
    """Blocks of rows and the stack's outputs before the link (M, B, q) on them, dropout off.

    With ``n_layers`` the outputs are the pre-activations of that layer, counted from one.
    """
    if n_layers is not None:
        program = replace(
            program,
            layer_sizes=program.layer_sizes[: n_layers + 1],
            dropout=program.dropout[: n_layers - 1],
        )
        theta = Parameters(*(part[:n_layers] for part in theta))
    networks: dict[int, Network] = {}
    for batch in rows.blocks(block_rows(program.layer_sizes)):
        if batch.n_rows not in networks:
            networks[batch.n_rows] = Network(
                program, rows.n_models, batch.n_rows, rows.dtype, rows.device
            )
        yield batch, networks[batch.n_rows].forward(theta, batch.X)
