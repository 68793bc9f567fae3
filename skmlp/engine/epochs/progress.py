"""One model's record of its epochs: stopping rule, learning-rate schedule, closing phase."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..network.layout import words_of_zeros
from ..task import Status, Task
from .solvers import Pace

CLOSING_SHARE = 0.2
CLOSING_MOMENTUM = 0.99
ADAPTIVE_DIVISOR = 5
SMALLEST_ADAPTIVE_RATE = 1e-6


def loss_scale(task: Task) -> float:
    """The size of the loss of the best constant model, one where that is zero."""
    y = task.train.y.astype(np.float64)
    scale = task.program.loss.scale(y, task.train.relative_weight(), task.train.offset)
    return scale if scale > 0 else 1.0


class Progress:
    """What one model has done so far and what it does next.

    The stopping rule is scikit-learn's: stop after more than ``n_iter_no_change`` epochs in which
    the loss (or the validation score, with early stopping) did not get better by ``tol``. With an
    L1 penalty the last fifth of the epochs averages gradients longer: noise in the gradient, not
    the step, is what makes weights flip between zero and not.
    """

    def __init__(self, task: Task, momentum: float) -> None:
        self.task = task
        self.loss_curve: list[float] = []
        self.validation_losses: list[float] = []
        self.validation_scores: list[float] = []
        self.status: Status | None = None
        self.message = ""
        self.momentum = momentum
        self._n_lowered = 0
        self._closing_factor = 1.0
        self.improved = False
        self._tol = task.tol * (1.0 if task.early_stopping else loss_scale(task))
        self._best = math.inf
        self._no_improvement = 0
        self._last_epoch = 1 if task.incremental else task.max_iter
        self._outcome = Status.CONVERGED if task.incremental else Status.MAX_ITER
        self._closes = task.makes_zeros and not task.incremental
        self._main_epochs = self._last_epoch
        if self._closes:
            self._main_epochs = max(1, math.ceil((1 - CLOSING_SHARE) * self._last_epoch))
        self._is_closing = False

    @property
    def n_epochs(self) -> int:
        return len(self.loss_curve)

    @property
    def learning_rate(self) -> float:
        """The schedule's for the coming epoch, which the closing phase leaves as it is."""
        program, task = self.task.program, self.task
        if program.solver == "sgd" and program.learning_rate == "invscaling" and self.n_epochs:
            samples_seen = task.samples_seen + self.n_epochs * program.n_samples
            return task.learning_rate_init / (samples_seen + 1) ** program.power_t
        first = task.optimizer["learning_rate"] if task.optimizer else task.learning_rate_init
        return first / ADAPTIVE_DIVISOR**self._n_lowered

    @property
    def pace(self) -> Pace:
        return Pace(self.learning_rate * self._closing_factor, self.momentum)

    @property
    def n_epochs_ahead(self) -> int:
        """The epochs before anything is decided but by the loss."""
        program = self.task.program
        moves = program.solver == "sgd" and program.learning_rate == "invscaling"
        is_told = self.task.verbose or self.task.watch is not None
        if is_told or program.n_validation or moves:
            return 1
        last = self._last_epoch if self._is_closing else self._main_epochs
        return last - self.n_epochs

    @property
    def rule(self) -> dict[str, float]:
        """The pace of the coming epochs, and when the loss ends them."""
        n_no_change = math.inf if self._is_closing else self.task.n_iter_no_change
        return {
            **self.pace._asdict(),
            "best": self._best,
            "tol": self._tol,
            "n_no_change": n_no_change,
            "no_change": self._no_improvement,
        }

    @property
    def best_score(self) -> float:
        """The best validation score; minus infinity where none is finite."""
        return -self._best

    @property
    def finished(self) -> bool:
        return self.status is not None

    def end_epoch(
        self,
        loss: float,
        validation: tuple[float, float] | None,
        zeros: Callable[[], list[float]] = list,
    ) -> None:
        """Record the epoch's loss and validation (loss, score), and decide how to go on.

        ``zeros`` tells the share of zeros of each layer.
        """
        self.loss_curve.append(loss)
        if validation is not None:
            self.validation_losses.append(validation[0])
            self.validation_scores.append(validation[1])
        if self.task.verbose:
            self._print(zeros)
        self._judge()
        if not math.isfinite(loss):
            self.status = Status.DIVERGED
        elif not self._is_closing and self._stalled():
            self._stop(Status.CONVERGED)
        elif not self._is_closing and self.n_epochs >= self._main_epochs:
            self._stop(self._outcome)
        elif self._is_closing and self.n_epochs >= self._last_epoch:
            self.status = self._outcome

    def pass_epochs(self, losses: list[float]) -> None:
        """Record epochs after which nothing was to be decided."""
        self.loss_curve += losses
        for loss in losses:
            self._count(loss)

    def stop(self) -> None:
        """End here, as asked for; what diverged stays so."""
        if self.status is not Status.DIVERGED:
            self.status, self.message = Status.STOPPED, ""

    def _print(self, zeros: Callable[[], list[float]]) -> None:
        line = f"Iteration {self.n_epochs}, loss = {self.loss_curve[-1]:.8f}"
        if self.validation_losses:
            line += f", validation loss = {self.validation_losses[-1]:.8f}"
        if self.task.early_stopping:
            line += f", validation score = {self.validation_scores[-1]:.6f}"
        print(line + words_of_zeros(zeros() if self.task.may_have_zeros else None))

    def _judge(self) -> None:
        """Count epochs without improvement; ``improved`` marks the best weights so far."""
        self._count(
            -self.validation_scores[-1] if self.task.early_stopping else self.loss_curve[-1]
        )

    def _count(self, value: float) -> None:
        self._no_improvement = self._no_improvement + 1 if value > self._best - self._tol else 0
        self.improved = value < self._best
        if self.improved:
            self._best = value

    def _stalled(self) -> bool:
        """Whether the stopping rule fires; an adaptive learning rate is lowered first."""
        task = self.task
        if self._no_improvement <= task.n_iter_no_change:
            return False
        what = "Validation score" if task.early_stopping else "Training loss"
        self.message = (
            f"{what} did not improve more than tol={self._tol:f} for {task.n_iter_no_change:g} "
            "consecutive epochs."
        )
        adaptive = task.program.solver == "sgd" and task.program.learning_rate == "adaptive"
        stop = not adaptive or self.learning_rate <= SMALLEST_ADAPTIVE_RATE
        if not stop:
            self._n_lowered += 1
            self._no_improvement = 0
        if task.verbose:
            print(self.message, "Stopping." if stop else f"Learning rate {self.learning_rate:g}.")
        return stop

    def _stop(self, outcome: Status) -> None:
        """End here, or after the closing phase that settles the support."""
        self._outcome = outcome
        closing = min(self.n_epochs // 4, self.task.max_iter - self.n_epochs)
        if not self._closes or closing < 1:
            self.status = outcome
            return
        self._is_closing = True
        self._last_epoch = self.n_epochs + closing
        if self.momentum < CLOSING_MOMENTUM:
            if self.task.program.solver == "sgd":  # the same step of the averaged gradient
                self._closing_factor = (1 - CLOSING_MOMENTUM) / (1 - self.momentum)
            self.momentum = CLOSING_MOMENTUM
