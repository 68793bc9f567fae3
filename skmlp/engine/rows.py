"""Rows of the training data, brought into buffers that are allocated once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .layout import slots
from .task import Samples


class Batch(NamedTuple):
    """X (M, B, p), y (M, B, q), row weights of mean one over the data set (M, B, 1) or None.

    ``share`` (M, B, 1) are the weights divided by their sum in the batch.
    """

    X: Tensor
    y: Tensor
    weight: Tensor | None

    @property
    def n_rows(self) -> int:
        return self.X.shape[1]

    @property
    def share(self) -> Tensor:
        if self.weight is None:
            return torch.full_like(self.y[:, :, :1], 1 / self.n_rows)
        return self.weight / self.weight.sum(1, keepdim=True)


def batch_slices(n_rows: int, size: int, join_single: bool = False) -> list[slice]:
    """Consecutive slices of ``size`` rows; the last may be shorter.

    With ``join_single`` a last batch of one row joins the batch before.
    """
    stops = [*range(size, n_rows, size), n_rows]
    if join_single and len(stops) > 1 and stops[-1] - stops[-2] == 1:
        del stops[-2]
    return [slice(a, b) for a, b in zip([0, *stops[:-1]], stops, strict=True)]


class RowLoader:
    """Copies chosen rows of each model's data into a batch on the device.

    The data stay where the user has them: a mini-batch is gathered, never the whole. On another
    device than the CPU they are moved there once.
    """

    def __init__(
        self, samples: Sequence[Samples], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.samples = list(samples)
        self.dtype = dtype
        self.device = device
        self.weighted = any(s.weight is not None for s in samples)
        self._weights = [s.relative_weight() if self.weighted else None for s in samples]
        self._buffers: dict[int, Batch] = {}
        self._resident: dict[int, Tensor] = {}
        if device.type != "cpu":
            for s in samples:
                for array in (s.X, s.y):
                    if not sparse.issparse(array) and id(array) not in self._resident:
                        self._resident[id(array)] = torch.tensor(array, dtype=dtype, device=device)

    @property
    def n_models(self) -> int:
        return len(self.samples)

    def _batch(self, n_rows: int) -> Batch:
        """The buffers for batches of ``n_rows``."""
        if n_rows not in self._buffers:
            first = self.samples[0]

            def buffer(width: int) -> Tensor:
                shape = (len(self.samples), n_rows, width)
                return slots(*shape, dtype=self.dtype, device=self.device)

            self._buffers[n_rows] = Batch(
                buffer(first.X.shape[1]),
                buffer(first.y.shape[1]),
                buffer(1) if self.weighted else None,
            )
        return self._buffers[n_rows]

    def load(self, rows: Sequence[np.ndarray | slice], n_rows: int) -> Batch:
        """The batch of the given rows, one index array or slice a model."""
        batch = self._batch(n_rows)
        for model, (samples, index) in enumerate(zip(self.samples, rows, strict=True)):
            self._copy(samples.X, index, batch.X[model])
            self._copy(samples.y, index, batch.y[model])
            if self.weighted:
                self._copy(self._weights[model], index, batch.weight[model])
        return batch

    def _copy(self, source, index: np.ndarray | slice, target: Tensor) -> None:
        resident = self._resident.get(id(source))
        if resident is not None:
            target.copy_(resident[index if isinstance(index, slice) else torch.from_numpy(index)])
        elif self.device.type != "cpu":
            chosen = source[index]
            chosen = chosen.toarray() if sparse.issparse(chosen) else np.ascontiguousarray(chosen)
            target.copy_(torch.tensor(chosen, dtype=self.dtype))
        elif sparse.issparse(source):
            target.numpy()[...] = source[index].toarray()
        elif isinstance(index, slice) or source.dtype != target.numpy().dtype:
            target.numpy()[...] = source[index]
        else:
            np.take(source, index, axis=0, out=target.numpy(), mode="clip")

    def blocks(self, n_rows: int) -> Iterator[Batch]:
        """All rows in order, in batches of at most ``n_rows``.

        Data that fit one batch are loaded at the first pass and stay.
        """
        total = self.samples[0].n_rows
        if total <= n_rows and total in self._buffers:
            yield self._buffers[total]
            return
        for piece in batch_slices(total, n_rows):
            yield self.load([piece] * len(self.samples), piece.stop - piece.start)

    def select(self, keep: list[int]) -> RowLoader:
        """The loader of some of the models."""
        return RowLoader([self.samples[k] for k in keep], self.dtype, self.device)
