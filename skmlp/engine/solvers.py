"""adam and sgd on flat parameters (M, size): (init, update) with the state in a NamedTuple.

``update`` moves the parameters along the smooth gradient and returns the metric D of its step,
W <- W - direction / D, in which the penalty's prox has to be taken. A step's direction is an
exponential average of gradients; D belongs to that average.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .task import Program


class Pace(NamedTuple):
    """Each model's learning rate and averaging of gradients, arrays (M,), for the coming epoch."""

    learning_rate: np.ndarray
    momentum: np.ndarray


class AdamState(NamedTuple):
    """Bias-corrected averages of g and g^2 (M, size), and the decay products prod beta (M,)."""

    mean: Tensor
    square: Tensor
    decay_1: np.ndarray
    decay_2: np.ndarray


class Adam:
    """Kingma & Ba (2015), with m_hat and v_hat themselves as the state:

    m_hat += (1 - beta_1) / (1 - prod beta_1) (g - m_hat), likewise v_hat with g^2,
    W -= m_hat / D,   D = (sqrt(v_hat) + epsilon_t) / learning_rate,
    epsilon_t = epsilon / sqrt(1 - prod beta_2) as in scikit-learn's MLP.
    """

    def __init__(self, program: Program) -> None:
        self.beta_2 = program.beta_2
        self.epsilon = program.epsilon
        self.momentum = program.beta_1

    def init(self, flat: Tensor) -> AdamState:
        n_models = len(flat)
        self._metric = torch.empty_like(flat)
        return AdamState(
            torch.zeros_like(flat), torch.zeros_like(flat), np.ones(n_models), np.ones(n_models)
        )

    def begin_epoch(self, state: AdamState, pace: Pace, n_steps: int, like: Tensor):
        """Coefficients of the epoch's steps (n_steps, 3, M, 1), and the state after them."""
        steps = np.arange(1, n_steps + 1)[:, None]
        decay_1 = state.decay_1 * pace.momentum**steps
        decay_2 = state.decay_2 * self.beta_2**steps
        table = np.stack(
            [
                (1 - pace.momentum) / (1 - decay_1),
                (1 - self.beta_2) / (1 - decay_2),
                self.epsilon / np.sqrt(1 - decay_2),
            ],
            axis=1,
        )[..., None]
        self._rate = torch.tensor(pace.learning_rate[:, None], dtype=like.dtype, device=like.device)
        coefficients = torch.tensor(table, dtype=like.dtype, device=like.device)
        return coefficients, state._replace(decay_1=decay_1[-1], decay_2=decay_2[-1])

    def update(self, flat: Tensor, gradient: Tensor, state: AdamState, step: Tensor) -> Tensor:
        mean_weight, square_weight, epsilon = step
        metric = self._metric
        state.mean.lerp_(gradient, mean_weight)
        torch.mul(gradient, gradient, out=metric)
        state.square.lerp_(metric, square_weight)
        torch.sqrt(state.square, out=metric).add_(epsilon).div_(self._rate)
        flat.addcdiv_(state.mean, metric, value=-1)
        return metric


class SGDState(NamedTuple):
    """The velocity (M, size): minus the learning rate times a decaying sum of gradients."""

    velocity: Tensor


class SGD:
    """v <- momentum v - learning_rate g;  W <- W + v, or + momentum v - learning_rate g (Nesterov).

    The velocity of a constant gradient is - learning_rate g / (1 - momentum), hence
    D = (1 - momentum) / learning_rate.
    """

    def __init__(self, program: Program) -> None:
        self.nesterov = program.nesterovs_momentum
        self.momentum = program.momentum

    def init(self, flat: Tensor) -> SGDState:
        return SGDState(torch.zeros_like(flat))

    def begin_epoch(self, state: SGDState, pace: Pace, n_steps: int, like: Tensor):
        """Coefficients of the epoch's steps, the same for each: (n_steps, 3, M, 1)."""
        columns = [-pace.learning_rate, pace.momentum, (1 - pace.momentum) / pace.learning_rate]
        table = torch.tensor(np.stack(columns)[..., None], dtype=like.dtype, device=like.device)
        return table.expand(n_steps, *table.shape), state

    def update(self, flat: Tensor, gradient: Tensor, state: SGDState, step: Tensor) -> Tensor:
        minus_rate, momentum, metric = step
        state.velocity.mul_(momentum).addcmul_(gradient, minus_rate)
        if self.nesterov:
            flat.addcmul_(state.velocity, momentum).addcmul_(gradient, minus_rate)
        else:
            flat.add_(state.velocity)
        return metric


SOLVERS = {"adam": Adam, "sgd": SGD}
