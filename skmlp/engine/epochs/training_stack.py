"""A stack of networks in training: its tensors, and one epoch of all its models."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from ..network.batch_loss import batch_loss
from ..network.distinct import unique
from ..network.layout import Layout
from ..network.perceptron import Network
from ..network.preactivations import fold
from ..network.rows import Batch, RowLoader, batch_slices
from ..penalty.prox import Penalty, PenaltyNumbers
from ..runtime import finest_dtype
from ..task import Samples, Task
from .progress import Progress
from .solvers import SOLVERS, Step
from .validation_loss import validate, validate_weights


class Source:
    """Rows that models of a stack see in one order: equal samples, shuffled by equal draws."""

    def __init__(self, samples: Samples, rng: np.random.RandomState) -> None:
        self.samples = samples
        self.rng = rng
        self.order = np.arange(samples.n_rows)

    @property
    def key(self) -> tuple:
        """What is equal for models that share the source."""
        _, words, position, *_ = self.rng.get_state()
        return id(self.samples), words.tobytes(), position


class Stack:
    """M models of one program, trained together.

    ``flat`` (M, size) holds their parameters, ``saved`` the weights to fall back on: the best so
    far with early stopping, those after the last whole epoch without.
    """

    def __init__(
        self,
        tasks: list[Task],
        penalties: list[PenaltyNumbers],
        rows: np.ndarray,
        rngs: list[np.random.RandomState],
    ) -> None:
        program = tasks[0].program
        self.program = program
        self.layout = Layout(program)
        self.dtype = getattr(torch, program.dtype)
        self.device = torch.device(program.device)
        self.loss = program.loss
        self.solver = SOLVERS[program.solver](program)
        self.flat = torch.tensor(rows, dtype=self.dtype, device=self.device)
        self.penalties = penalties
        self.sources, self.source_of = unique(
            [Source(task.train, rng) for task, rng in zip(tasks, rngs, strict=True)],
            key=lambda source: source.key,
        )
        self.progress = [Progress(task, self.solver.momentum) for task in tasks]
        self.state = self.solver.init(self.flat)
        if any(task.optimizer for task in tasks):
            self._restore_state([task.optimizer for task in tasks])
        self.has_dropout = any(program.dropout)
        self.generators = [
            torch.Generator(self.device).manual_seed(task.seed) if self.has_dropout else None
            for task in tasks
        ]
        self._attach(tasks)
        self.penalty.project_(self.flat)
        self.saved = self.flat.clone()

    def _attach(self, tasks: list[Task]) -> None:
        """Everything whose shape depends on which models are in the stack."""
        program = self.program
        self.tasks = tasks
        self.penalty = Penalty(self.penalties, self.dtype, self.device)
        self.gradient = torch.zeros_like(self.flat)
        self.theta = self.layout.views(self.flat)
        self.d_theta = self.layout.views(self.gradient)
        n_weights = self.layout.n_weights
        self.weights, self.weight_gradient = self.flat[:, :n_weights], self.gradient[:, :n_weights]
        samples = [source.samples for source in self.sources]
        self.rows = RowLoader(samples, self.dtype, self.device, self.source_of)
        self.validation = None
        if program.n_validation:
            held_out = [task.validation for task in tasks]
            self.validation = RowLoader.of_models(held_out, self.dtype, self.device)
        join_single = program.normalization == "batch"
        self.batches = batch_slices(program.n_samples, program.batch_size, join_single)
        self.networks = {
            n: Network(program, self.theta, n, self.d_theta)
            for n in {piece.stop - piece.start for piece in self.batches}
        }

    def _restore_state(self, optimizers: list[dict]) -> None:
        """The solver's state of an earlier epoch; arrays have the model axis first."""
        state = {}
        for name, value in self.state._asdict().items():
            rows = [optimizer[name] for optimizer in optimizers]
            if isinstance(value, torch.Tensor):
                rows = torch.tensor(np.stack(rows), dtype=self.dtype, device=self.device)
            state[name] = rows
        self.state = type(self.state)(**state)

    def optimizer(self, model: int) -> dict:
        """The solver's state of one model, to go on from in a later epoch."""
        state = {"learning_rate": self.progress[model].learning_rate}
        for name, value in self.state._asdict().items():
            row = value[model]
            state[name] = row.cpu().numpy().copy() if isinstance(row, torch.Tensor) else row
        return state

    def keep(self, models: list[int]) -> None:
        """Go on with some of the models only."""
        self.flat = self.flat[models].contiguous()
        self.saved = self.saved[models].contiguous()
        self.solver.init(self.flat)
        kept = [
            value[models] if isinstance(value, torch.Tensor) else [value[k] for k in models]
            for value in self.state
        ]
        self.state = type(self.state)(*kept)
        for name in ("penalties", "progress", "generators"):
            setattr(self, name, [getattr(self, name)[k] for k in models])
        sources = [self.sources[self.source_of[k]] for k in models]
        self.sources, self.source_of = unique(sources, key=id)
        self._attach([self.tasks[k] for k in models])

    def run_epoch(self) -> None:
        """One pass over the data, the record of it, and the weights to fall back on."""
        losses = self._steps().tolist()
        validations = self._validate() if self.validation is not None else [None] * len(losses)
        for k, (loss, validation) in enumerate(zip(losses, validations, strict=True)):
            self.progress[k].end_epoch(loss, validation, partial(self._zeros, k))
        kept = [k for k, p in enumerate(self.progress) if p.improved or not p.task.early_stopping]
        if len(kept) == len(self.tasks):
            self.saved.copy_(self.flat)
        else:
            self.saved[kept] = self.flat[kept]

    def _zeros(self, model: int) -> list[float]:
        return self.layout.zeros(self.flat[model].cpu().numpy())

    def _steps(self) -> torch.Tensor:
        """The epoch's updates; F (M,) as met on the way: penalties before, losses in batches."""
        if self.program.shuffle and len(self.batches) > 1:
            for source in self.sources:
                source.rng.shuffle(source.order)
        paces = [progress.pace for progress in self.progress]
        steps = self.solver.begin_epoch(self.state, paces, len(self.batches))
        total = torch.zeros(len(self.tasks), dtype=finest_dtype(self.device), device=self.device)
        total.add_(self.penalty.value(self.weights))
        for piece, step in zip(self.batches, steps, strict=True):
            n_rows = piece.stop - piece.start
            value = self._step(self._load(piece, n_rows), step)
            total.add_(value, alpha=n_rows / self.program.n_samples)
        return total

    def _load(self, piece: slice, n_rows: int) -> Batch:
        if len(self.batches) == 1:
            return next(self.rows.blocks(n_rows))
        return self.rows.load([source.order[piece] for source in self.sources], n_rows)

    def _step(self, batch: Batch, step: Step) -> torch.Tensor:
        """Forward, backward, update, prox; the batch's data loss (M,)."""
        network, share = self.networks[batch.n_rows], None
        if self.has_dropout:
            network.draw_masks(self.generators)
        if self.program.normalization == "batch":
            share = batch.share
        output = network.forward(batch.X, share)
        value, _ = batch_loss(self.loss, output, batch.y, batch.weight, batch.offset)
        network.backward()
        self.penalty.add_gradient_(self.weight_gradient, self.weights)
        rate, metric = self.solver.update(self.flat, self.gradient, self.state, step)
        self.penalty.prox_(self.flat, rate, metric)
        return value

    def _validate(self) -> list[tuple[float, float]]:
        """(loss, R2) of each model on its validation rows."""
        if self.program.normalization != "batch":
            return validate(self.program, self.layout, self.flat, self.validation)
        results = []
        for model, task in enumerate(self.tasks):
            row = self.flat[model].cpu().double().numpy()
            plain = fold(task, self.layout.unpack(row, "float64"))
            results.append(validate_weights(task, plain))
        return results
