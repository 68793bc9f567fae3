"""One network in training by compiled epochs: what ``Stack`` is to torch's."""

from __future__ import annotations

import numpy as np

from ..kernels.loops import Loops
from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers
from ..runtime import Draws
from ..task import Task
from .progress import Progress
from .solvers import SOLVERS
from .validation_loss import judge

MOST_EPOCHS = 1000  # of one call
NUMBERS = (
    "is_adam",
    "learning_rate",
    "momentum",
    "nesterov",
    "beta_2",
    "epsilon",
    "decay_1",
    "decay_2",
    "max_epochs",
    "best",
    "tol",
    "n_no_change",
    "no_change",
    "n_done",
)


class CompiledTraining:
    """A model, its solver's state and its record; epochs run until something is to be decided."""

    def __init__(
        self,
        task: Task,
        penalty: PenaltyNumbers,
        layout: Layout,
        row: np.ndarray,
        draws: Draws,
    ) -> None:
        program, dtype = task.program, task.program.dtype
        self.task = task
        self.progress = Progress(task, SOLVERS[program.solver](program).momentum)
        self._loops, self._layout = Loops(program, layout, task.train, penalty, dtype), layout
        self._validation = None
        if task.validation is not None:
            self._validation = Loops(program, layout, task.validation, penalty, dtype)
        self._theta = np.clip(row, penalty.lower, penalty.upper).astype(dtype)
        self._last, self.saved = self._theta.copy(), self._theta.copy()
        self._numbers = dict.fromkeys(NUMBERS, 0.0) | {
            "is_adam": program.solver == "adam",
            "nesterov": program.nesterovs_momentum,
            "beta_2": program.beta_2,
            "epsilon": program.epsilon,
        }
        self._start_solver(task.optimizer or {})
        self._order = np.arange(program.n_samples)
        self._bits = draws.bits if program.shuffle else None

    def _start_solver(self, before: dict) -> None:
        """The averages of g and g^2, or the velocity; those of an earlier epoch where given."""
        names = ("mean", "square") if self._numbers["is_adam"] else ("velocity",)
        zeros = np.zeros_like(self._theta)
        self._state = {name: np.array(before.get(name, zeros), dtype=zeros.dtype) for name in names}
        for name in ("decay_1", "decay_2"):
            self._numbers[name] = before.get(name, 1.0)

    @property
    def optimizer(self) -> dict:
        """The solver's state, to go on from in a later epoch."""
        averages = {name: average.copy() for name, average in self._state.items()}
        state = {"learning_rate": self.progress.learning_rate, **averages}
        if self._numbers["is_adam"]:
            state |= {name: self._numbers[name] for name in ("decay_1", "decay_2")}
        return state

    def run_epochs(self) -> None:
        """The epochs until the next decision, their record, and the weights to fall back on."""
        losses = np.empty(min(self.progress.n_epochs_ahead, MOST_EPOCHS))
        numbers = self._numbers | self.progress.rule | {"max_epochs": len(losses), "n_done": 0}
        values = np.array([numbers[name] for name in NUMBERS], dtype=float)
        averages = [*self._state.values(), None][:2]
        bits = None if self._bits is None else self._bits.capsule
        state = (self._theta, self._last, *averages, self._order, bits)
        try:
            self._loops.epochs(state, values, self.task.program.batch_size, losses)
        finally:
            self._numbers = dict(zip(NUMBERS, values.tolist(), strict=True))
            self._record(losses[: int(self._numbers["n_done"])].tolist())

    def _record(self, losses: list[float]) -> None:
        if not losses:
            return
        *others, last = losses
        self.progress.pass_epochs(others)
        validation = None if self._validation is None else self._validate()
        self.progress.end_epoch(last, validation, lambda: self._layout.zeros(self._last))
        if self.progress.improved or not self.task.early_stopping:
            self.saved = self._last.copy()

    def _validate(self) -> tuple[float, float]:
        """(loss, score) on the validation rows, after one epoch."""
        return judge(self.task.program, self._validation.outputs(self._last), self.task.validation)
