"""Forward and backward pass of a stack of multi-layer perceptrons, in closed form.

z_k = a_{k-1} W_k + b_k,   a_k = act(norm(z_k)) * mask_k,   output = a_{K-1} W_K + b_K
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from ..task import Program
from .activations import ACTIVATIONS
from .layout import Parameters, slots
from .normalization import NORMALIZATIONS
from .products import product
from .rows import Batch, RowLoader

BLOCK_NUMBERS = 2**17
FEW_ROWS = 64  # products with fewer take longer than what they save of the cache
MOST_NUMBERS = 2**22  # in a block of few rows: 32 MB
SMALL_WEIGHT = 2**13  # up to here products with W' are quicker, by a tenth or more, with a copy


def block_rows(layer_sizes: tuple[int, ...], numbers: int | None = None) -> int:
    """Rows a block, so that the widest layer's activations are at most so many numbers.

    By default as many as stay in a core's cache, but no fewer rows than products are quick with
    while these are at most ``MOST_NUMBERS``.
    """
    widest = max(layer_sizes)
    few = min(FEW_ROWS, MOST_NUMBERS // widest)
    return max(1, few, (numbers or BLOCK_NUMBERS) // widest)


class Dense:
    """z = x W + b of a stack, with its gradients, between buffers that stay.

    Without a bias x has a column of ones, for which W has a row.

    Shape
        x (M, B, n_in) or, the same for all models, (1, B, n_in); weight (M, n_in, n_out),
        bias (M, 1, n_out) or None, z and delta (M, B, n_out).
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, z: Tensor) -> None:
        self.weight, self.bias, self.z = weight, bias, z
        self.x: Tensor | None = None
        self._delta: Tensor | None = None

    def bind_gradient(self, delta: Tensor, d_weight: Tensor, d_bias: Tensor) -> None:
        """Where the derivative with respect to z is, and where those of W and b go."""
        self._delta, self._d_weight, self._d_bias = delta, d_weight, d_bias

    def bind_input(self, x: Tensor) -> None:
        """Take ``x`` as the input from now on."""
        if x is self.x:
            return
        self.x = x
        self._multiply = product(x, self.weight, self.z)
        if self._delta is not None:
            self._multiply_back = product(x.mT, self._delta, self._d_weight)

    def bind_input_delta(self, out: Tensor) -> None:
        """Where ``pass_back`` writes."""
        self._input_delta, self._weight_T = out, self.weight.mT
        n_models, n_in, n_out = self.weight.shape
        self._copies = n_out > 1 and n_in * n_out <= SMALL_WEIGHT
        if self._copies:
            like = {"dtype": out.dtype, "device": out.device}
            self._weight_T = slots(n_models, n_out, n_in, **like)
        self._multiply_input = product(self._delta, self._weight_T, out)

    def forward(self) -> Tensor:
        """z."""
        self._multiply()
        return self.z if self.bias is None else self.z.add_(self.bias)

    def backward(self) -> None:
        """d_W = x' delta, d_b = sum delta."""
        if self.bias is not None:
            torch.sum(self._delta, 1, keepdim=True, out=self._d_bias)
        self._multiply_back()

    def pass_back(self) -> Tensor:
        """delta W': the derivative with respect to x."""
        if self.weight.shape[2] == 1:
            return torch.mul(self._delta, self._weight_T, out=self._input_delta)
        if self._copies:
            self._weight_T.copy_(self.weight.mT)
        self._multiply_input()
        return self._input_delta


class Network:
    """A stack of M networks on batches of B rows, in buffers that are allocated once.

    It reads its parameters from ``theta`` and, with ``d_theta``, writes their gradients there.

    Shape
        X (M, B, n_features + 1), its last column ones, or (1, B, n_features + 1) where all models
        see the same rows, -> output (M, B, n_outputs). The output and everything kept for the
        backward pass are overwritten by the next forward pass.
    """

    def __init__(
        self, program: Program, theta: Parameters, n_rows: int, d_theta: Parameters | None = None
    ) -> None:
        like = theta.weights[0]

        def buffers(sizes: tuple[int, ...]) -> list[Tensor]:
            shapes = [(len(like), n_rows, n_units) for n_units in sizes]
            return [slots(*shape, dtype=like.dtype, device=like.device) for shape in shapes]

        sizes = program.layer_sizes
        hidden = sizes[1:-1]
        self.theta, self.d_theta = theta, d_theta
        self.activation = ACTIVATIONS[program.activation]
        self.dropout = program.dropout
        norm = NORMALIZATIONS.get(program.normalization)
        self.norms = [norm() for _ in hidden] if norm else [None] * len(hidden)
        keeps_input = self.activation.keeps_input
        *self.z, self.output = buffers(sizes[1:])
        self.a = buffers(hidden) if keeps_input or norm else self.z
        self.normed = self.z
        if norm:
            self.normed = buffers(hidden) if keeps_input else self.a
        self.kept = self.normed if keeps_input else self.a
        self.masks = [
            torch.zeros_like(a) if rate else None
            for a, rate in zip(self.a, program.dropout, strict=True)
        ]
        self.dropped = [
            a if mask is None else torch.zeros_like(a)
            for a, mask in zip(self.a, self.masks, strict=True)
        ]
        first, *others = [*self.z, self.output]
        parts = zip(theta.weights[1:], theta.biases[1:], others, strict=True)
        self.layers = [Dense(theta.first_affine, None, first), *(Dense(*part) for part in parts)]
        if d_theta is not None:
            self._bind_gradients(d_theta, buffers)
        for layer, a in zip(self.layers[1:], self.dropped, strict=True):
            layer.bind_input(a)

    def _bind_gradients(self, d_theta: Parameters, buffers: Callable) -> None:
        """The derivative with respect to a product takes the place of what act' was read from."""
        d_weights = [d_theta.first_affine, *d_theta.weights[1:]]
        parts = zip(self.layers, [*self.kept, self.output], d_weights, d_theta.biases, strict=True)
        for layer, delta, d_weight, d_bias in parts:
            layer.bind_gradient(delta, d_weight, d_bias)
        one_output = self.output.shape[2] == 1
        self._scales_rows = len(self.layers) == 2 and not self.norms[0] and one_output
        if self._scales_rows:
            (self._scaled_X,) = buffers((self.layers[0].weight.shape[1],))
            self._one = torch.ones(1, dtype=self.output.dtype, device=self.output.device)
            self._multiply_scaled = product(self._scaled_X.mT, self.kept[0], d_weights[0])
            return
        passed_back = buffers([layer.weight.shape[1] for layer in self.layers[1:]])
        for layer, out in zip(self.layers[1:], passed_back, strict=True):
            layer.bind_input_delta(out)

    def draw_masks(self, generators: list[torch.Generator]) -> None:
        """New dropout masks, each model's from its own generator, scaled to mean one."""
        for rate, mask in zip(self.dropout, self.masks, strict=True):
            if mask is None:
                continue
            for model, generator in enumerate(generators):
                mask[model].bernoulli_(1 - rate, generator=generator)
            mask.div_(1 - rate)

    def forward(self, X: Tensor, share: Tensor | None = None) -> Tensor:
        """Outputs before the link. ``share``: rows' shares, for batch normalisation."""
        theta = self.theta
        self.layers[0].bind_input(X)
        for k, layer in enumerate(self.layers[:-1]):
            z, mask = layer.forward(), self.masks[k]
            if self.norms[k] is not None:
                gain, shift = theta.gains[k], theta.shifts[k]
                z = self.norms[k].forward(z, gain, shift, share, self.normed[k])
            a = self.activation.forward(z, self.a[k])
            if mask is not None:
                torch.mul(a, mask, out=self.dropped[k])
        return self.layers[-1].forward()

    def backward(self) -> None:
        """Gradients into ``d_theta``; the derivative with respect to the output is in its place."""
        if self._scales_rows:
            self._backward_of_one_output()
            return
        for k in range(len(self.layers) - 1, 0, -1):
            layer, mask, norm = self.layers[k], self.masks[k - 1], self.norms[k - 1]
            layer.backward()
            delta = layer.pass_back()
            if mask is not None:
                delta.mul_(mask)
            delta = self.activation.backward(delta, self.kept[k - 1], self.kept[k - 1])
            if norm is not None:
                d_gain, d_shift = self.d_theta.gains[k - 1], self.d_theta.shifts[k - 1]
                norm.backward(delta, self.theta.gains[k - 1], d_gain, d_shift)
        self.layers[0].backward()

    def _backward_of_one_output(self) -> None:
        """d_W_1 = (diag(d) X)' act' diag(w): with one hidden layer d and w scale what is narrow."""
        first, last = self.layers
        last.backward()
        grad = self._one if self.masks[0] is None else self.masks[0]
        self.activation.backward(grad, self.kept[0], self.kept[0])
        torch.mul(first.x, self.output, out=self._scaled_X)
        self._multiply_scaled()
        self.d_theta.first_affine.mul_(last.weight.mT)

    def input_gradient(self, X: Tensor, output: int) -> Tensor:
        """The derivative of one output with respect to the inputs (M, B, n_features)."""
        self.forward(X)
        self.output.zero_()[..., output] = 1.0
        self.backward()
        delta = self.output if len(self.layers) == 1 else self.kept[0]
        if self._scales_rows:
            delta = delta * self.layers[-1].weight.mT
        return (delta @ self.theta.weights[0].mT).expand(-1, X.shape[1], -1)


def output_blocks(
    program: Program, theta: Parameters, rows: RowLoader, n_layers: int | None = None
) -> Iterator[tuple[Batch, Tensor]]:
    """Blocks of rows and the stack's outputs before the link (M, B, q) on them, dropout off.

    With ``n_layers`` the outputs are the pre-activations of that layer, counted from one.
    """
    program = program.without_dropout
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
