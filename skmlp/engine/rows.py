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
    device than the CPU, dense data are moved there once.
    """

    def __init__(
        self, samples: Sequence[Samples], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.samples = list(samples)
        self.dtype = dtype
        self.device = device
        weighted = any(s.weight is not None for s in samples)
        self._sources = [
            [self._source(s.X), self._source(s.y)]
            + ([self._source(s.relative_weight().astype(s.y.dtype))] if weighted else [])
            for s in samples
        ]
        self._rows = [s.rows for s in samples]
        self._batches: dict[int, Batch] = {}
        self._copies: dict[int, list] = {}

    @property
    def n_models(self) -> int:
        return len(self.samples)

    def _source(self, array):
        """The array itself on the CPU, its tensor on another device."""
        if self.device.type == "cpu" or sparse.issparse(array):
            return array
        return torch.tensor(array, dtype=self.dtype, device=self.device)

    def _batch(self, n_rows: int) -> Batch:
        """The buffers for batches of ``n_rows``, and which source goes into which."""
        if n_rows not in self._batches:
            shape = self.n_models, n_rows
            parts = [
                slots(*shape, source.shape[1], dtype=self.dtype, device=self.device)
                for source in self._sources[0]
            ]
            self._batches[n_rows] = Batch(*parts, *[None] * (3 - len(parts)))
            self._copies[n_rows] = [
                [(source, _writable(part[k])) for source, part in zip(sources, parts, strict=True)]
                for k, sources in enumerate(self._sources)
            ]
        return self._batches[n_rows]

    def load(self, rows: Sequence[np.ndarray | slice], n_rows: int) -> Batch:
        """The batch of the given rows, one index array or slice a model."""
        batch = self._batch(n_rows)
        for index, of_X, copies in zip(rows, self._rows, self._copies[n_rows], strict=True):
            (X, target), *others = copies
            _copy_rows(X, index if of_X is None else of_X[index], target)
            for source, target in others:
                _copy_rows(source, index, target)
        return batch

    def blocks(self, n_rows: int) -> Iterator[Batch]:
        """All rows in order, in batches of at most ``n_rows``.

        Data that fit one batch are loaded at the first pass and stay.
        """
        total = self.samples[0].n_rows
        if total <= n_rows and total in self._batches:
            yield self._batches[total]
            return
        for piece in batch_slices(total, n_rows):
            yield self.load([piece] * self.n_models, piece.stop - piece.start)


def _writable(part: Tensor):
    """Where rows are written: the tensor's memory as an array on the CPU."""
    return part.numpy() if part.device.type == "cpu" else part


def _copy_rows(source, index: np.ndarray | slice, target) -> None:
    """target[...] = source[index], between the kinds of sources and targets there are."""
    if isinstance(source, Tensor):
        target.copy_(source[index if isinstance(index, slice) else torch.from_numpy(index)])
    elif sparse.issparse(source):
        rows = source[index].toarray()
        target[...] = rows if isinstance(target, np.ndarray) else torch.from_numpy(rows)
    elif isinstance(index, slice) or source.dtype != target.dtype:
        target[...] = source[index]
    else:
        source.take(index, 0, target, "clip")
