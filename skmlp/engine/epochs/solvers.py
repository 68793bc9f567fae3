"""adam and sgd on flat parameters (M, size): (init, update) with the state in a NamedTuple.

``update`` moves the parameters along the smooth gradient, W <- W - rate direction / D, and returns
the rate and the metric D (None for one) of its step, in which the penalty's prox has to be taken. A
step's direction is an exponential average of gradients; rate and D belong to that average.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..network.distinct import unique
from ..penalty.group_norms import GroupNorms
from ..task import Program


class Pace(NamedTuple):
    """One model's learning rate and averaging of gradients for the coming epoch."""

    learning_rate: float
    momentum: float


Coefficient = float | Tensor
Step = tuple[Coefficient, ...]
Rate = tuple[Coefficient, Tensor | None]
TINY = 1e-300  # momentum may be one where there is no penalty


def _shared_steps(
    models: list[tuple], steps: Callable[..., list[Step]], like: Tensor
) -> list[Step]:
    """The coefficients of an epoch's steps, ``steps(*model)`` for each model.

    A coefficient in which models differ is a column (M, 1).
    """
    distinct, place_of = unique(models)
    if len(distinct) == 1:
        return steps(*distinct[0])
    table = np.array([steps(*model) for model in distinct])  # (model, step, coefficient)
    alike = (table == table[0]).all(0)
    columns = np.ascontiguousarray(table[place_of].transpose(1, 2, 0)[..., None])
    columns = torch.tensor(columns, dtype=like.dtype, device=like.device)
    return [
        tuple(
            float(table[0, s, c]) if alike[s, c] else columns[s, c] for c in range(alike.shape[1])
        )
        for s in range(len(alike))
    ]


class AdamState(NamedTuple):
    """Bias-corrected averages of g and g^2 (M, size), and each model's products of betas."""

    mean: Tensor
    square: Tensor
    decay_1: list[float]
    decay_2: list[float]


class Adam:
    """Kingma & Ba (2015), with m_hat and v_hat themselves as the state:

    m_hat += (1 - beta_1) / (1 - prod beta_1) (g - m_hat), likewise v_hat with g^2,
    W -= learning_rate m_hat / D,   D = sqrt(v_hat) + epsilon_t,
    epsilon_t = epsilon / sqrt(1 - prod beta_2) as in scikit-learn's MLP.

    Weights that are penalised as a group share the mean of their g^2, so that D is constant there.
    """

    def __init__(self, program: Program) -> None:
        self.beta_2 = program.beta_2
        self.epsilon = program.epsilon
        self.momentum = program.beta_1
        self._program = program

    def init(self, flat: Tensor) -> AdamState:
        self._groups = None
        if self._program.has_group_norms:
            self._groups = GroupNorms(
                self._program.feature_groups, self._program.layer_sizes[1], flat.dtype, flat.device
            )
        self._metric = torch.empty_like(flat)
        ones = [1.0] * len(flat)
        return AdamState(torch.zeros_like(flat), torch.zeros_like(flat), ones, [*ones])

    def begin_epoch(self, state: AdamState, paces: list[Pace], n_steps: int) -> list[Step]:
        """The coefficients of the epoch's steps; the state's products are then those after it."""
        models = [
            (decay_1, decay_2, *pace, n_steps)
            for decay_1, decay_2, pace in zip(state.decay_1, state.decay_2, paces, strict=True)
        ]
        for k, pace in enumerate(paces):
            state.decay_1[k] *= pace.momentum**n_steps
            state.decay_2[k] *= self.beta_2**n_steps
        return _shared_steps(models, self._corrections, state.mean)

    def _corrections(self, decay_1, decay_2, learning_rate, momentum, n_steps) -> list[Step]:
        """(weight of g in m_hat, weight of g^2 in v_hat, epsilon_t, learning rate) of each step."""
        steps = []
        for _ in range(n_steps):
            decay_1 *= momentum
            decay_2 *= self.beta_2
            mean_weight, square_left = (1 - momentum) / (1 - decay_1), 1 - decay_2
            epsilon = self.epsilon / math.sqrt(square_left)
            steps.append((mean_weight, (1 - self.beta_2) / square_left, epsilon, learning_rate))
        return steps

    def update(self, flat: Tensor, gradient: Tensor, state: AdamState, step: Step) -> Rate:
        mean_weight, square_weight, epsilon, learning_rate = step
        metric = self._metric
        state.mean.lerp_(gradient, mean_weight)
        torch.mul(gradient, gradient, out=metric)
        if self._groups is not None:
            self._groups.average_(metric)
        state.square.lerp_(metric, square_weight)
        torch.rsqrt(state.square, out=metric).reciprocal_().add_(epsilon)  # quicker than sqrt
        if isinstance(learning_rate, float):
            flat.addcdiv_(state.mean, metric, value=-learning_rate)
        else:
            flat.addcdiv_(state.mean * -learning_rate, metric)
        return learning_rate, metric


class SGDState(NamedTuple):
    """The velocity (M, size): minus the learning rate times a decaying sum of gradients."""

    velocity: Tensor


class SGD:
    """v <- momentum v - learning_rate g;  W <- W + v, or + momentum v - learning_rate g (Nesterov).

    The velocity of a constant gradient is - learning_rate g / (1 - momentum), hence
    rate = learning_rate / (1 - momentum).
    """

    def __init__(self, program: Program) -> None:
        self.nesterov = program.nesterovs_momentum
        self.momentum = program.momentum

    def init(self, flat: Tensor) -> SGDState:
        self._scratch = torch.empty_like(flat)
        return SGDState(torch.zeros_like(flat))

    def begin_epoch(self, state: SGDState, paces: list[Pace], n_steps: int) -> list[Step]:
        """The coefficients of the epoch's steps, (learning rate, momentum, rate)."""
        models = [(*pace, pace.learning_rate / max(1 - pace.momentum, TINY)) for pace in paces]
        return _shared_steps(models, lambda *model: [model] * n_steps, state.velocity)

    def update(self, flat: Tensor, gradient: Tensor, state: SGDState, step: Step) -> Rate:
        learning_rate, momentum, rate = step
        along = gradient.mul_(learning_rate)
        state.velocity.mul_(momentum).sub_(along)
        if self.nesterov:
            torch.mul(state.velocity, momentum, out=self._scratch)
            flat.add_(self._scratch).sub_(along)
        else:
            flat.add_(state.velocity)
        return rate, None


SOLVERS = {"adam": Adam, "sgd": SGD}
