"""Where the parameters of a network lie in one flat row, and memory in slots."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..task import Program, Weights

ALIGNMENT = 16


def words_of_zeros(shares: list[float] | None) -> str:
    """The shares of zeros of layers as the end of a line; nothing for None."""
    if shares is None:
        return ""
    return f", zeros by layer: {', '.join(f'{share:.1%}' for share in shares)}"


def _aligned(n: int) -> int:
    return -(-n // ALIGNMENT) * ALIGNMENT


def slots(n_models: int, *shape: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Zeros (n_models, *shape), each model in an aligned slot of its own.

    A gap between the slots keeps elementwise kernels from running across models, so that a
    model's numbers do not depend on where in the stack it lies.
    """
    size = math.prod(shape)
    slot = _aligned(size) + ALIGNMENT
    memory = torch.zeros(n_models * slot, dtype=dtype, device=device)
    strides = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    return memory.as_strided((n_models, *shape), (slot, *strides))


class Field(NamedTuple):
    """A piece of the flat row: ``shape`` numbers from ``start`` on."""

    start: int
    shape: tuple[int, int]

    @property
    def slice(self) -> slice:
        return slice(self.start, self.start + self.shape[0] * self.shape[1])


class Parameters(NamedTuple):
    """Views into flat tensors (M, size), matrices on the last two axes, one entry a layer.

    Shape: weights (M, n_in, n_out); biases, gains and shifts (M, 1, n_out).
    """

    weights: list[Tensor]
    biases: list[Tensor]
    gains: list[Tensor]
    shifts: list[Tensor]

    @property
    def first_affine(self) -> Tensor:
        """W_1 with b_1 as its last row (M, n_features + 1, n_out): neighbours in memory."""
        n_models, n_in, n_out = self.weights[0].shape
        return self.weights[0].as_strided((n_models, n_in + 1, n_out), self.weights[0].stride())


class Layout:
    """The flat row of a network: all weights first, then biases, gains and shifts.

    The first layer's bias follows its weights at once, as a row of them for an input that is one.
    The other pieces start at aligned places; the numbers between them stay zero.
    """

    def __init__(self, program: Program) -> None:
        sizes = program.layer_sizes
        self._end = sizes[0] * sizes[1]
        first = Field(0, (sizes[0], sizes[1]))
        first_bias = self._add(1, sizes[1])
        self._end = _aligned(self._end)
        self.weights = [first, *(self._add(*shape) for shape in pairwise(sizes[1:]))]
        self.n_weights = self._end
        self.biases = [first_bias, *(self._add(1, n_out) for n_out in sizes[2:])]
        normalized = sizes[1:-1] if program.normalization else ()
        self.gains = [self._add(1, n_out) for n_out in normalized]
        self.shifts = [self._add(1, n_out) for n_out in normalized]
        self.size = self._end

    def _add(self, n_in: int, n_out: int) -> Field:
        field = Field(self._end, (n_in, n_out))
        self._end += _aligned(n_in * n_out)
        return field

    @property
    def groups(self) -> tuple[list[Field], ...]:
        """The fields in the order of Parameters and Weights."""
        return self.weights, self.biases, self.gains, self.shifts

    def views(self, flat: Tensor) -> Parameters:
        """The parameters as views into ``flat`` (M, size)."""
        return Parameters(
            *([flat[:, f.slice].unflatten(1, f.shape) for f in group] for group in self.groups)
        )

    def zeros(self, row: np.ndarray) -> list[float]:
        """The share of zeros among each layer's weights."""
        return [float(np.mean(row[field.slice] == 0)) for field in self.weights]

    def pack(self, weights: Weights) -> np.ndarray:
        """The flat row (size,) of one network's weights, float64."""
        row = np.zeros(self.size)
        for fields, arrays in zip(self.groups, weights, strict=True):
            for piece, array in zip(fields, arrays, strict=True):
                row[piece.slice] = np.ravel(array)
        return row

    def unpack(self, row: np.ndarray, dtype: str) -> Weights:
        """One network's weights out of its flat row; vectors for all but the weight matrices."""
        pieces = [[row[f.slice].reshape(f.shape).astype(dtype) for f in g] for g in self.groups]
        return Weights(pieces[0], *([array[0] for array in group] for group in pieces[1:]))

    def per_weight(self, by_layer: list) -> np.ndarray:
        """(n_weights,) numbers from one broadcastable value a layer, zero in the gaps."""
        row = np.zeros(self.n_weights)
        for piece, value in zip(self.weights, by_layer, strict=True):
            row[piece.slice] = np.broadcast_to(value, piece.shape).ravel()
        return row
