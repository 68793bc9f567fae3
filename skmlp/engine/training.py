"""Training of one stack: first weights, epochs or a deterministic search, and the certificate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .deterministic import minimize, settle
from .initialization import first_weights
from .layout import Layout
from .objective import FullObjective
from .preactivations import fold, unfold
from .progress import Progress
from .stack import Stack
from .task import Solution, Status, Task
from .validation import validate_weights

CLOSING_ITERATIONS = 50


@dataclass
class Outcome:
    """What an iterative phase hands on: the flat row and its record."""

    row: np.ndarray
    status: Status
    n_iter: int
    message: str = ""
    progress: Progress | None = None
    optimizer: dict | None = None


def train_stack(tasks: list[Task]) -> list[Solution]:
    """Train tasks of one program together."""
    program = tasks[0].program
    layout = Layout(program)
    rngs = [np.random.RandomState(task.seed) for task in tasks]
    rows = [layout.pack(_start(task, rng)) for task, rng in zip(tasks, rngs, strict=True)]
    if program.solver == "lbfgs":
        return [_search(task, layout, row) for task, row in zip(tasks, rows, strict=True)]
    outcomes = _run_epochs(Stack(tasks, np.stack(rows), rngs))
    return [_finish(task, layout, out) for task, out in zip(tasks, outcomes, strict=True)]


def _start(task: Task, rng: np.random.RandomState):
    if task.start is None:
        return first_weights(task, rng)
    return unfold(task, task.start) if task.program.normalization == "batch" else task.start


def _run_epochs(stack: Stack) -> list[Outcome]:
    """Epochs until every model has stopped; a model that has stopped leaves the stack."""
    names = list(range(len(stack.tasks)))
    outcomes: dict[int, Outcome] = {}

    def leave(model: int, status: Status) -> None:
        progress = stack.progress[model]
        row = stack.saved[model].cpu().double().numpy()
        outcomes[names[model]] = Outcome(
            row, status, progress.n_epochs, progress.message, progress, stack.optimizer(model)
        )

    try:
        while names:
            stack.run_epoch()
            finished = [k for k, p in enumerate(stack.progress) if p.finished]
            for model in finished:
                leave(model, stack.progress[model].status)
            if finished:
                going_on = [k for k in range(len(names)) if k not in finished]
                names = [names[k] for k in going_on]
                if names:
                    stack.keep(going_on)
    except KeyboardInterrupt:
        for model, name in enumerate(names):
            if name not in outcomes:
                leave(model, Status.INTERRUPTED)
    return [outcomes[k] for k in sorted(outcomes)]


def _search(task: Task, layout: Layout, row: np.ndarray) -> Solution:
    """solver='lbfgs'."""
    objective = FullObjective(task, layout)
    row, status, n_iter, message = minimize(task, layout, objective, row)
    return _solution(task, layout, objective, Outcome(row, status, n_iter, message))


def _finish(task: Task, layout: Layout, outcome: Outcome) -> Solution:
    """The closing deterministic steps, where the data allow them."""
    if not _settles(task, outcome):
        objective = FullObjective(task, layout, getattr(torch, task.program.dtype))
        return _solution(task, layout, objective, outcome)
    objective = FullObjective(task, layout)
    try:
        n_iter = min(CLOSING_ITERATIONS, outcome.n_iter)
        row = settle(task, layout, objective, outcome.row, n_iter)
    except KeyboardInterrupt:
        outcome.status = Status.INTERRUPTED
    else:
        outcome.row = _not_worse(task, layout, row, outcome.row)
    return _solution(task, layout, objective, outcome)


def _settles(task: Task, outcome: Outcome) -> bool:
    """Deterministic steps need a deterministic objective in float64, and an L1 penalty."""
    program = task.program
    stochastic = any(program.dropout) or program.normalization == "batch"
    ended = outcome.status in (Status.CONVERGED, Status.MAX_ITER)
    return (
        any(task.l1)
        and ended
        and not task.incremental
        and not stochastic
        and program.device != "mps"
    )


def _not_worse(task: Task, layout: Layout, row: np.ndarray, before: np.ndarray) -> np.ndarray:
    """With early stopping, ``before`` where the validation score fell by more than ``tol``."""
    if not task.early_stopping:
        return row
    scores = [validate_weights(task, layout.unpack(r, "float64"))[1] for r in (row, before)]
    return row if scores[0] >= scores[1] - task.tol else before


def _solution(task: Task, layout: Layout, objective: FullObjective, outcome: Outcome) -> Solution:
    """The solution with its certificate, batch normalisation folded into the weights."""
    dtype = task.program.dtype
    weights = layout.unpack(outcome.row, dtype)
    value, optimality = objective.certificate(layout.pack(weights))
    if task.program.normalization == "batch":
        plain = fold(task, layout.unpack(outcome.row, "float64"))
        weights = plain._replace(
            coefs=[coef.astype(dtype) for coef in plain.coefs],
            intercepts=[intercept.astype(dtype) for intercept in plain.intercepts],
        )
    progress, has_validation = outcome.progress, task.validation is not None
    return Solution(
        weights=weights,
        status=outcome.status,
        n_iter=outcome.n_iter,
        objective=value,
        optimality=optimality,
        loss_curve=progress.loss_curve if progress else None,
        validation_losses=progress.validation_losses if progress and has_validation else None,
        validation_scores=progress.validation_scores if progress and has_validation else None,
        optimizer=outcome.optimizer or {},
        message=outcome.message,
    )
