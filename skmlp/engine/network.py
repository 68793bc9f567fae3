"""Forward and backward pass of a stack of multi-layer perceptrons, in closed form.

z_k = a_{k-1} W_k + b_k,   a_k = act(norm(z_k)) * mask_k,   output = a_{K-1} W_K + b_K
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from .activations import ACTIVATIONS
from .layout import Parameters, slots
from .normalization import NORMALIZATIONS
from .rows import Batch, RowLoader
from .task import Program

BLOCK_NUMBERS = 2**17


def block_rows(layer_sizes: tuple[int, ...]) -> int:
    """Rows a block, so that the widest layer's activations stay in a core's cache."""
    return max(64, BLOCK_NUMBERS // max(layer_sizes))


class Dense:
    """x W + b of a stack, with its gradients.

    Products with one output column go model by model: in one call they would be slow, and would
    round differently in stacks of different size.

    Shape
        x (M, B, n_in), weight (M, n_in, n_out), bias (M, 1, n_out) -> (M, B, n_out).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight, bias
        self.weight_T = weight.mT
        self.one_column = weight.shape[2] == 1
        self._models: dict[str, tuple] = {}

    def bind_gradient(self, d_weight: Tensor, d_bias: Tensor) -> None:
        """Where ``backward`` writes."""
        self.d_weight, self.d_bias = d_weight, d_bias

    def _by_model(self, name: str, *stacks: Tensor) -> list[tuple[Tensor, ...]]:
        """The models' parts of some tensors, remembered while these are the same."""
        known = self._models.get(name)
        if known is None or any(a is not b for a, b in zip(known[0], stacks, strict=True)):
            parts = list(zip(*(stack.split(1) for stack in stacks), strict=True))
            known = self._models[name] = stacks, parts
        return known[1]

    def forward(self, x: Tensor, out: Tensor) -> Tensor:
        if not self.one_column:
            return torch.baddbmm(self.bias, x, self.weight, out=out)
        for bias, x_m, weight, out_m in self._by_model("out", self.bias, x, self.weight, out):
            torch.baddbmm(bias, x_m, weight, out=out_m)
        return out

    def backward(self, x: Tensor, delta: Tensor) -> None:
        """d_W = x' delta, d_b = sum delta."""
        torch.sum(delta, 1, keepdim=True, out=self.d_bias)
        if not self.one_column:
            torch.bmm(x.mT, delta, out=self.d_weight)
            return
        for x_m, delta_m, d_weight in self._by_model("d_weight", x, delta, self.d_weight):
            torch.bmm(x_m.mT, delta_m, out=d_weight)

    def input_delta(self, delta: Tensor, out: Tensor) -> Tensor:
        """delta W': the derivative with respect to x."""
        if self.one_column:
            return torch.mul(delta, self.weight_T, out=out)
        return torch.bmm(delta, self.weight_T, out=out)


class Network:
    """A stack of M networks on batches of B rows, in buffers that are allocated once.

    It reads its parameters from ``theta`` and, with ``d_theta``, writes their gradients there.

    Shape
        X (M, B, n_features) -> output (M, B, n_outputs). The output and everything kept for the
        backward pass are overwritten by the next forward pass.
    """

    def __init__(
        self, program: Program, theta: Parameters, n_rows: int, d_theta: Parameters | None = None
    ) -> None:
        like = theta.weights[0]

        def buffer(n_units: int) -> Tensor:
            return slots(len(like), n_rows, n_units, dtype=like.dtype, device=like.device)

        sizes = program.layer_sizes
        hidden = sizes[1:-1]
        self.theta, self.d_theta = theta, d_theta
        self.activation = ACTIVATIONS[program.activation]
        self.dropout = program.dropout
        self.layers = [
            Dense(weight, bias) for weight, bias in zip(theta.weights, theta.biases, strict=True)
        ]
        if d_theta is not None:
            for layer, d_weight, d_bias in zip(
                self.layers, d_theta.weights, d_theta.biases, strict=True
            ):
                layer.bind_gradient(d_weight, d_bias)
        norm = NORMALIZATIONS.get(program.normalization)
        self.norms = [norm() for _ in hidden] if norm else [None] * len(hidden)
        keeps_input = self.activation.keeps_input
        self.z = [buffer(u) for u in hidden]
        self.a = [buffer(u) for u in hidden] if keeps_input or norm else self.z
        self.normed = self.z
        if norm:
            self.normed = [buffer(u) for u in hidden] if keeps_input else self.a
        self.kept = self.normed if keeps_input else self.a
        self.masks = [
            buffer(u) if rate else None for u, rate in zip(hidden, program.dropout, strict=True)
        ]
        self.dropped = [
            a if mask is None else torch.zeros_like(a)
            for a, mask in zip(self.a, self.masks, strict=True)
        ]
        self.delta = [buffer(u) for u in hidden] if d_theta is not None else []
        self.output = buffer(sizes[-1])

    def draw_masks(self, generators: list[torch.Generator]) -> None:
        """New dropout masks, each model's from its own generator, scaled to mean one."""
        for rate, mask in zip(self.dropout, self.masks, strict=True):
            if mask is None:
                continue
            for model, generator in enumerate(generators):
                mask[model].bernoulli_(1 - rate, generator=generator)
            mask.div_(1 - rate)

    def forward(self, X: Tensor, share: Tensor | None = None, train: bool = False) -> Tensor:
        """Outputs before the link. ``share``: rows' shares, for batch normalisation.

        ``train`` applies the masks drawn last.
        """
        a, theta, last = X, self.theta, len(self.z)
        for k in range(last):
            z, mask = self.layers[k].forward(a, self.z[k]), self.masks[k]
            if self.norms[k] is not None:
                gain, shift = theta.gains[k], theta.shifts[k]
                z = self.norms[k].forward(z, gain, shift, share, self.normed[k])
            a = self.activation.forward(z, self.a[k])
            if train and mask is not None:
                a = torch.mul(a, mask, out=self.dropped[k])
        return self.layers[last].forward(a, self.output)

    def backward(self, X: Tensor, delta: Tensor, train: bool = False) -> None:
        """Gradients into ``d_theta`` from ``delta``, the derivative with respect to the output."""
        inputs = self.dropped if train else self.a
        for k in range(len(self.layers) - 1, 0, -1):
            layer, mask, norm = self.layers[k], self.masks[k - 1], self.norms[k - 1]
            layer.backward(inputs[k - 1], delta)
            delta = layer.input_delta(delta, self.delta[k - 1])
            if train and mask is not None:
                delta.mul_(mask)
            self.activation.backward(delta, self.kept[k - 1])
            if norm is not None:
                d_gain, d_shift = self.d_theta.gains[k - 1], self.d_theta.shifts[k - 1]
                norm.backward(delta, self.theta.gains[k - 1], d_gain, d_shift)
        self.layers[0].backward(X, delta)


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
            networks[batch.n_rows] = Network(program, theta, batch.n_rows)
        yield batch, networks[batch.n_rows].forward(batch.X)
