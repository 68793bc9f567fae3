"""Training of one stack: first weights, epochs or a deterministic search, and the certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from .descent.minimize import End, is_smooth, minimize
from .descent.objective import objective_of
from .epochs.compiled_training import CompiledTraining
from .epochs.progress import Progress
from .epochs.training_stack import Stack
from .epochs.validation_loss import validate_weights
from .kernels.choice import serves
from .linear.exact import is_exact, solve_exactly
from .network.first_weights import first_weights
from .network.layout import Layout
from .network.preactivations import fold, unfold
from .penalty.prox import PenaltyNumbers, penalty_numbers
from .runtime import Draws, plain_torch, raise_if_cancelled, users_torch
from .task import Solution, Status, Task, Weights

PASSES_AN_EPOCH = 5
MOST_CLOSING_PASSES = 1000
FEW_CLOSING_PASSES = 50
CLOSING_SHARE = 1e-4  # of the tolerance
ROUNDING = 1e-5  # of float32


@dataclass
class Outcome:
    """What an iterative phase hands on: the flat row and its record.

    ``is_settled`` after deterministic steps, whose certificate is in float64.
    """

    row: np.ndarray
    status: Status
    n_iter: int
    message: str = ""
    progress: Progress | None = None
    optimizer: dict | None = None
    is_settled: bool = False


class Onlooker:
    """A task's watch, for those who know flat rows: it is told solutions."""

    def __init__(self, task: Task, penalty: PenaltyNumbers, layout: Layout) -> None:
        self._own = [task], [penalty], layout
        self._watch = task.watch

    def begin(self) -> None:
        """Before an epoch, or an iteration."""
        with users_torch():
            self._watch.begin()

    def end(self, so_far: Callable[[], Outcome | End]) -> bool:
        """After it: True to stop."""

        def solution() -> Solution:
            with plain_torch():
                outcome = so_far()
                if isinstance(outcome, End):
                    outcome = Outcome(*outcome[:4], is_settled=True)
                return _solutions(*self._own, [outcome])[0]

        with users_torch():
            return self._watch.end(solution)


def train_stack(tasks: list[Task]) -> list[Solution]:
    """Train tasks of one program together."""
    program = tasks[0].program
    layout = Layout(program)
    penalties = [penalty_numbers(task, layout) for task in tasks]
    draws = [Draws.of(task.seed) for task in tasks]
    rows = [layout.pack(_start(task, d.state)) for task, d in zip(tasks, draws, strict=True)]
    tasks = [
        replace(task, watch=Onlooker(task, penalty, layout)) if task.watch is not None else task
        for task, penalty in zip(tasks, penalties, strict=True)
    ]
    if program.is_deterministic:
        ends = minimize(tasks, penalties, layout, rows)
        outcomes = [Outcome(*end[:4], is_settled=True) for end in ends]
    else:
        outcomes = _by_epochs(tasks, penalties, layout, rows, draws)
        for task, penalty, outcome in zip(tasks, penalties, outcomes, strict=True):
            if _settles(task, outcome):
                _settle(task, layout, penalty, outcome)
    return _solutions(tasks, penalties, layout, outcomes)


def _start(task: Task, rng: np.random.RandomState):
    if task.start is None:
        return first_weights(task, rng)
    is_folded = task.program.normalization == "batch" and not task.start.gains
    return unfold(task, task.start) if is_folded else task.start


def _by_epochs(
    tasks: list[Task],
    penalties: list[PenaltyNumbers],
    layout: Layout,
    rows: list[np.ndarray],
    draws: list[Draws],
) -> list[Outcome]:
    """The epochs of a stack, or of each model by itself where they are compiled."""
    if not serves(tasks[0]):
        return _run_epochs(Stack(tasks, penalties, np.stack(rows), [d.state for d in draws]))
    return [
        _run_compiled(CompiledTraining(task, penalty, layout, row, own))
        for task, penalty, row, own in zip(tasks, penalties, rows, draws, strict=True)
    ]


def _run_compiled(training: CompiledTraining) -> Outcome:
    """Epochs until the model has stopped; an interrupt leaves the weights that it has."""
    progress, watch = training.progress, training.task.watch

    def outcome(status: Status | None = None) -> Outcome:
        row, n_epochs = training.saved.astype(np.float64), progress.n_epochs
        status = status or progress.status or Status.MAX_ITER
        return Outcome(row, status, n_epochs, progress.message, progress, training.optimizer)

    try:
        while not progress.finished:
            raise_if_cancelled()
            if watch is not None:
                watch.begin()
            training.run_epochs()
            if watch is not None and watch.end(outcome):
                progress.stop()
        return outcome()
    except KeyboardInterrupt:
        return outcome(Status.INTERRUPTED)


def _run_epochs(stack: Stack) -> list[Outcome]:
    """Epochs until every model has stopped; a model that has stopped leaves the stack.

    An interrupt ends the training of a model that is alone with the weights it has; several are
    part of a larger work, which it ends.
    """
    names = list(range(len(stack.tasks)))
    is_alone = len(names) == 1
    outcomes: dict[int, Outcome] = {}

    try:
        while names:
            raise_if_cancelled()
            _run_epoch(stack)
            finished = [k for k, p in enumerate(stack.progress) if p.finished]
            for model in finished:
                outcomes[names[model]] = _outcome(stack, model)
            if finished:
                going_on = [k for k in range(len(names)) if k not in finished]
                names = [names[k] for k in going_on]
                if names:
                    stack.keep(going_on)
    except KeyboardInterrupt:
        if not is_alone:
            raise
        if not outcomes:
            outcomes[names[0]] = _outcome(stack, 0, Status.INTERRUPTED)
    return [outcomes[k] for k in sorted(outcomes)]


def _run_epoch(stack: Stack) -> None:
    """One epoch of all models, of which those that have a watch are told."""
    watched = [(k, task.watch) for k, task in enumerate(stack.tasks) if task.watch is not None]
    for _, watch in watched:
        watch.begin()
    stack.run_epoch()
    for model, watch in watched:
        if watch.end(partial(_outcome, stack, model)):
            stack.progress[model].stop()


def _outcome(stack: Stack, model: int, status: Status | None = None) -> Outcome:
    """Where a model of a stack is, or ends."""
    progress = stack.progress[model]
    row = stack.saved[model].cpu().double().numpy()
    status = status or progress.status or Status.MAX_ITER
    optimizer = stack.optimizer(model)
    return Outcome(row, status, progress.n_epochs, progress.message, progress, optimizer)


def _settle(task: Task, layout: Layout, penalty: PenaltyNumbers, outcome: Outcome) -> None:
    """The closing deterministic steps of one model, which settle which weights are zero.

    Where they reach the tolerance the training has converged, whatever ended its epochs, and where
    they do not, it has not. With early stopping they are few, and the status is that of the epochs:
    it is the validation score that has chosen the weights.
    """
    row, status, message = _closing(task, layout, penalty, outcome)
    if status is Status.DIVERGED:
        return
    if task.early_stopping:
        row, status = _not_worse(task, layout, row, outcome.row), outcome.status
    outcome.row, outcome.status, outcome.message = row, status, message
    outcome.is_settled = status is not Status.INTERRUPTED


def _closing(task: Task, layout: Layout, penalty: PenaltyNumbers, outcome: Outcome):
    """(row, status, message) of the closing steps from the row of the epochs.

    They aim below the tolerance, so that the zeros are those of the minimum and rounding, which
    long searches amplify, is forgotten there. Without hidden layers the solution is exact.
    """
    if is_exact(task) and not task.early_stopping:
        solution = solve_exactly(task)
        return layout.pack(solution.weights), solution.status, solution.message
    passes = min(PASSES_AN_EPOCH * outcome.n_iter, MOST_CLOSING_PASSES)
    if task.early_stopping:
        passes = min(outcome.n_iter, FEW_CLOSING_PASSES)
    tol = CLOSING_SHARE * task.tol if is_smooth(task) else task.tol
    if task.verbose:
        print(f"At most {passes} deterministic iterations settle which weights are zero.")
    closing = replace(task, tol=tol, max_iter=passes, max_fun=2 * passes, watch=None)
    end = minimize([closing], [penalty], layout, [outcome.row])[0]
    if end.status is Status.MAX_ITER and end.residual <= task.tol:
        return end.row, Status.CONVERGED, ""
    return end.row, end.status, end.message


def _settles(task: Task, outcome: Outcome) -> bool:
    """Deterministic steps need a deterministic objective in float64, and a penalty with zeros."""
    program = task.program
    stochastic = any(program.dropout) or program.normalization == "batch"
    ended = outcome.status in (Status.CONVERGED, Status.MAX_ITER)
    return (
        task.makes_zeros
        and ended
        and not task.incremental
        and not stochastic
        and program.device != "mps"
    )


def _not_worse(task: Task, layout: Layout, row: np.ndarray, before: np.ndarray) -> np.ndarray:
    """``before`` where the validation score fell by more than ``tol``."""
    scores = [validate_weights(task, layout.unpack(r, "float64"))[1] for r in (row, before)]
    return row if scores[0] >= scores[1] - task.tol else before


def _solutions(
    tasks: list[Task], penalties: list[PenaltyNumbers], layout: Layout, outcomes: list[Outcome]
) -> list[Solution]:
    """The solutions with their certificates, in float64 after deterministic steps."""
    dtype = tasks[0].program.dtype
    weights = [layout.unpack(outcome.row, dtype) for outcome in outcomes]
    rows = np.stack([layout.pack(w) for w in weights])
    solutions: dict[int, Solution] = {}
    for is_settled, precision in ((True, None), (False, getattr(torch, dtype))):
        members = [k for k, outcome in enumerate(outcomes) if outcome.is_settled == is_settled]
        if members:
            own = [[items[k] for k in members] for items in (tasks, penalties)]
            certified = objective_of(*own, layout, precision).with_gradients(rows[members])
            for k, (certificate, gradient) in zip(members, certified, strict=True):
                solutions[k] = _solution(tasks[k], layout, outcomes[k], weights[k], *certificate)
                solutions[k].idle_units = idle_units(layout, penalties[k].l2, rows[k], gradient)
    return [solutions[k] for k in range(len(tasks))]


def idle_units(
    layout: Layout, l2: np.ndarray, row: np.ndarray, gradient: np.ndarray
) -> list[np.ndarray]:
    """Which hidden units no row's loss moves (n_units,), of each hidden layer.

    The gradient of a unit's shift is then zero, and so is that of the weights into it, but for L2,
    or with normalisation that of its gain: a sum may be zero by chance, but not all of them.
    """
    if layout.gains:
        pairs = zip(layout.gains, layout.shifts, strict=True)
        return [(gradient[a.slice] == 0) & (gradient[b.slice] == 0) for a, b in pairs]
    of_l2 = l2 * row[: l2.size]
    is_l2 = np.abs(gradient[: l2.size] - of_l2) <= ROUNDING * np.abs(of_l2)
    return [
        (gradient[bias.slice] == 0) & is_l2[weights.slice].reshape(weights.shape).all(0)
        for weights, bias in zip(layout.weights[:-1], layout.biases[:-1], strict=True)
    ]


def _plain(task: Task, layout: Layout, row: np.ndarray, weights: Weights) -> Weights:
    """The weights with batch normalisation folded into them."""
    if task.program.normalization != "batch":
        return weights
    plain, dtype = fold(task, layout.unpack(row, "float64")), task.program.dtype
    return plain._replace(
        coefs=[coef.astype(dtype) for coef in plain.coefs],
        intercepts=[intercept.astype(dtype) for intercept in plain.intercepts],
    )


def _solution(
    task: Task,
    layout: Layout,
    outcome: Outcome,
    weights: Weights,
    objective: float,
    optimality: float,
) -> Solution:
    progress, has_validation = outcome.progress, task.validation is not None
    plain = _plain(task, layout, outcome.row, weights)
    return Solution(
        weights=plain,
        status=outcome.status,
        n_iter=outcome.n_iter,
        objective=objective,
        optimality=optimality,
        loss_curve=progress.loss_curve if progress else None,
        validation_losses=progress.validation_losses if progress and has_validation else None,
        validation_scores=progress.validation_scores if progress and has_validation else None,
        validation_score=_validation_score(task, plain, outcome),
        unfolded=None if plain is weights else weights,
        optimizer=outcome.optimizer or {},
        message=outcome.message,
    )


def _validation_score(task: Task, plain: Weights, outcome: Outcome) -> float | None:
    """That of the weights returned, with early stopping: deterministic steps have moved them."""
    if not task.early_stopping:
        return None
    if outcome.is_settled:
        return validate_weights(task, plain)[1]
    return outcome.progress.best_score
