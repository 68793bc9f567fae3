"""Rows of the training data, brought into buffers that are allocated once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from ..task import Samples
from .distinct import unique
from .layout import slots


class Batch(NamedTuple):
    """X (M, B, p + 1), y (M, B, q), row weights of mean one over the data set (M, B, 1) or None.

    ``offset`` (M, B, q) is added to the outputs, None for nothing.

    The last column of X is ones, for the bias. M is one where all models of a stack see the same
    rows. ``share`` (M, B, 1) are the weights divided by their sum in the batch.
    """

    X: Tensor
    y: Tensor
    weight: Tensor | None = None
    offset: Tensor | None = None

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
    """Copies chosen rows of each source into a batch on the device, and hands them to the models.

    The data stay where the user has them: a mini-batch is gathered, never the whole. On another
    device than the CPU, dense data are moved there once. ``source_of`` names the source of each
    model, by default one each; rows that several models see are gathered once.
    """

    def __init__(
        self,
        samples: Sequence[Samples],
        dtype: torch.dtype,
        device: torch.device,
        source_of: Sequence[int] | None = None,
    ) -> None:
        self.samples = list(samples)
        self.dtype = dtype
        self.device = device
        own = list(range(len(self.samples)))
        self.source_of = own if source_of is None else list(source_of)
        self._shared = len(own) > 1 and self.source_of != own
        self._index = torch.tensor(self.source_of, device=device)
        weighted = any(s.weight is not None for s in samples)
        shifted = any(s.offset is not None for s in samples)
        self._sources = [self._parts_of(s, weighted, shifted) for s in samples]
        self._rows = [s.rows for s in samples]
        self._gathered: dict[int, Batch] = {}
        self._batches: dict[int, Batch] = {}
        self._copies: dict[int, list] = {}

    @classmethod
    def of_models(cls, samples: Sequence[Samples], *args) -> RowLoader:
        """The loader of each model's samples, those that are the same object gathered once."""
        distinct, source_of = unique(samples, key=id)
        return cls(distinct, *args, source_of)

    @property
    def samples_of_models(self) -> list[Samples]:
        return [self.samples[source] for source in self.source_of]

    def _parts_of(self, samples: Samples, weighted: bool, shifted: bool) -> dict:
        """The sources of a batch's parts by name."""
        parts = {"X": self._source(samples.X), "y": self._source(samples.y)}
        if weighted:
            parts["weight"] = self._source(samples.relative_weight().astype(samples.y.dtype))
        if shifted:
            parts["offset"] = self._source(samples.shift)
        return parts

    def _source(self, array):
        """The array itself on the CPU, its tensor on another device."""
        if self.device.type == "cpu" or sparse.issparse(array):
            return array
        return torch.tensor(array, dtype=self.dtype, device=self.device)

    def _buffers(self, n_models: int, n_rows: int) -> Batch:
        like = {"dtype": self.dtype, "device": self.device}
        parts = {
            name: slots(n_models, n_rows, source.shape[1] + (name == "X"), **like)
            for name, source in self._sources[0].items()
        }
        parts["X"][..., -1] = 1.0
        return Batch(**parts)

    def _prepare(self, n_rows: int) -> None:
        """The buffers for batches of ``n_rows``, and which source goes into which."""
        gathered = self._buffers(len(self.samples), n_rows)
        self._gathered[n_rows] = self._batches[n_rows] = gathered
        if self._shared:
            self._batches[n_rows] = self._buffers(len(self.source_of), n_rows)
        self._copies[n_rows] = [
            [
                (source, _writable(getattr(gathered, name)[k, :, : source.shape[1]]))
                for name, source in sources.items()
            ]
            for k, sources in enumerate(self._sources)
        ]

    def load(self, rows: Sequence[np.ndarray | slice], n_rows: int) -> Batch:
        """The batch of the given rows, one index array or slice a source."""
        if n_rows not in self._batches:
            self._prepare(n_rows)
        for index, of_X, copies in zip(rows, self._rows, self._copies[n_rows], strict=True):
            (X, target), *others = copies
            _copy_rows(X, index if of_X is None else of_X[index], target)
            for source, target in others:
                _copy_rows(source, index, target)
        batch = self._batches[n_rows]
        if self._shared:
            for part, target in zip(_parts(self._gathered[n_rows]), _parts(batch), strict=True):
                torch.index_select(part, 0, self._index, out=target)
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
            yield self.load([piece] * len(self.samples), piece.stop - piece.start)


def _parts(batch: Batch) -> list[Tensor]:
    return [part for part in batch if part is not None]


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
