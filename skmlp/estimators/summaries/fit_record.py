"""What a fit leaves for its summary: numbers that it has computed, and what it has warned of."""

from typing import NamedTuple

import numpy as np

from ...engine.task import Status
from ...parameters.task_builder import free_scale_notes
from ..publication import status_notes

BEFORE_MINIMUM = "ended before the minimum, as refits do"


class FitRecord(NamedTuple):
    """A training in numbers and words; nothing of its data.

    Penalties and losses are in the units of training, as F is: ``penalties`` (n_layers,) are what
    ``loss`` is below F, ``constant_loss`` is that of the best constant model. ``idle_units`` are
    those that no row's loss moves, by hidden layer, or None. ``notes`` are what was warned of.
    """

    n_rows: int
    total_weight: float
    loss_name: str
    is_squared: bool
    solver: str
    l1: tuple
    alpha: tuple
    group_l1: float
    penalties: np.ndarray
    loss: float
    constant_loss: float
    status: str
    tol: float
    has_kinks: bool
    idle_units: list | None
    notes: tuple

    @classmethod
    def of(cls, task, coefs, solution):
        """The record of a task that came to a solution with these published weights."""
        from ...engine.network.activations import ACTIVATIONS
        from ...engine.penalty.by_layer import penalty_by_layer

        program = task.program
        trained = solution.weights if solution.unfolded is None else solution.unfolded
        penalties = penalty_by_layer(task, trained)
        ended = [words for words, _ in status_notes(task, coefs, solution)]
        return cls(
            n_rows=task.train.n_rows,
            total_weight=task.train.total_weight,
            loss_name=program.loss.name,
            is_squared=program.loss.quadratic,
            solver=program.solver,
            l1=task.l1,
            alpha=task.alpha,
            group_l1=task.group_l1,
            penalties=penalties,
            loss=float(solution.objective - penalties.sum()),
            constant_loss=_constant_loss(task),
            status=solution.status.value,
            tol=task.tol,
            has_kinks=program.n_layers > 1 and not ACTIVATIONS[program.activation].smooth,
            idle_units=solution.idle_units,
            notes=(*ended, *free_scale_notes(program, task.l1, task.alpha, task.group_l1)),
        )

    @property
    def explained(self):
        """The share of the loss of the best constant model that is explained, NaN of nothing."""
        return 1 - self.loss / self.constant_loss if self.constant_loss > 0 else np.nan

    def of_refit(self, optimality):
        """The record of a refit, whose iterations end before a minimum: that is no news."""
        is_late = self.status == Status.MAX_ITER.value
        notes = self.notes[1:] if is_late else self.notes  # the first is of the end
        status = BEFORE_MINIMUM if optimality > self.tol else Status.CONVERGED.value
        return self._replace(status=status, notes=notes)

    def with_notes(self, *notes):
        """The record with further notes."""
        return self._replace(notes=(*self.notes, *notes))


def _constant_loss(task):
    """The loss of the best constant model, computed once for each training set."""
    samples = vars(task.train)
    if "constant_loss" not in samples:
        y, weight = task.train.y.astype(np.float64), task.train.relative_weight()
        with np.errstate(all="ignore"):
            samples["constant_loss"] = task.program.loss.of_constant(y, weight, task.train.offset)
    return samples["constant_loss"]


def mean_loss(task, weights):
    """The mean loss of a network on the training rows, batch normalisation folded."""
    from ...engine.epochs.validation_loss import training_outputs

    outputs = training_outputs(task, weights)
    return task.program.loss.total(task.train.y, outputs, task.train.relative_weight())
