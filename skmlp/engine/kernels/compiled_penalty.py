"""The prox of one network's penalty, compiled."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..penalty.prox import PenaltyNumbers, ProximalStep
from . import binding


@dataclass(frozen=True)
class CompiledPenalty(PenaltyNumbers):
    """A penalty whose prox is taken in one pass, with all that a search asks of the step."""

    arguments: tuple = ()

    @classmethod
    def of(cls, penalty: PenaltyNumbers, program: np.ndarray) -> CompiledPenalty:
        """``program`` are the numbers of the network."""
        own = {field.name: getattr(penalty, field.name) for field in fields(penalty)}
        return cls(**own, arguments=(program, binding.penalty_arrays(penalty, "float64")))

    def step(self, x: np.ndarray, gradient: np.ndarray | None, gamma: float) -> ProximalStep:
        z, r = np.empty((2, x.size))
        sums = binding.compiled.forward_backward(*self.arguments, x, gradient, gamma, z, r)
        return ProximalStep(z, r, *sums)

    def prox(self, row: np.ndarray, step: float) -> np.ndarray:
        return self.step(row, None, step).z
