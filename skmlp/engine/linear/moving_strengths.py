"""The penalty of a path, whose strengths are affine in one number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers, penalty_numbers
from ..task import Task


@dataclass(frozen=True)
class MovingPenalty:
    """A linear model's penalty at the strengths nought and one; bounds are the same."""

    at_nought: PenaltyNumbers
    at_one: PenaltyNumbers

    @classmethod
    def of(cls, at_nought: Task, at_one: Task) -> MovingPenalty:
        """That of the weights of tasks, without their biases."""
        layout = Layout(at_one.program)
        return cls(*(_of_weights(task, layout) for task in (at_nought, at_one)))

    def at(self, strength: float) -> PenaltyNumbers:
        """The penalty at a strength."""
        low, high, groups = self.at_nought, self.at_one, self.at_nought.groups
        slope_of_l1, slope_of_l2 = self._slopes
        l1, l2 = low.l1 + strength * slope_of_l1, low.l2 + strength * slope_of_l2
        if groups is not None:
            slope = high.groups.strength - groups.strength
            groups = replace(groups, strength=groups.strength + strength * slope)
        return PenaltyNumbers(l1, l2, low.lower, low.upper, groups)

    @cached_property
    def _slopes(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.at_nought, self.at_one
        return high.l1 - low.l1, high.l2 - low.l2

    def part(self, weights: np.ndarray) -> MovingPenalty:
        """That of some weights, without norms of groups."""
        return MovingPenalty(self.at_nought.of(weights), self.at_one.of(weights))

    def scaled(self, moments) -> MovingPenalty:
        """That in scaled columns."""
        return MovingPenalty(moments.scaled(self.at_nought), moments.scaled(self.at_one))


def _of_weights(task: Task, layout: Layout) -> PenaltyNumbers:
    numbers = penalty_numbers(task, layout)
    n_features, n_outputs = task.program.layer_sizes
    return replace(numbers.of(np.arange(n_features * n_outputs)), groups=numbers.groups)
