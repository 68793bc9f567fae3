"""Activations: a -> act(z) and delta -> delta * act'(z), elementwise, in place where wanted.

A derivative is read off the output where it can be, so that only one tensor a layer is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

aten = torch.ops.aten

SOFTPLUS_LINEAR_ABOVE = 40.0
LEAKY_SLOPE = 0.01


class Activation(NamedTuple):
    """``forward(z, out)`` and ``backward(delta, kept, out)``.

    ``delta`` may be ``out`` itself, or broadcast. ``kept`` is the activation's output, or its
    input where ``keeps_input`` is set. ``slope`` is that of its linear part, ``smooth`` says
    that it has no kink, ``increasing`` that it nowhere falls, ``convex`` that it bends upwards
    alone; first weights are drawn within sqrt(``spread`` / (n_in + n_out)).
    """

    forward: Callable[[Tensor, Tensor], Tensor]
    backward: Callable[[Tensor, Tensor, Tensor], Tensor]
    keeps_input: bool = False
    smooth: bool = True
    increasing: bool = True
    convex: bool = False
    slope: float = 1.0
    spread: float = 6.0


def _identity(values: Tensor, out: Tensor) -> Tensor:
    return values if out is values else out.copy_(values)


def _normal_cdf(z: Tensor) -> Tensor:
    return torch.mul(z, math.sqrt(0.5)).erf_().add_(1).mul_(0.5)


def _gelu_forward(z: Tensor, out: Tensor) -> Tensor:
    """z Phi(z). torch's own rounds differently for one model and for a stack, in float32."""
    return torch.mul(_normal_cdf(z), z, out=out)


def _gelu_backward(delta: Tensor, z: Tensor, out: Tensor) -> Tensor:
    """delta (Phi(z) + z phi(z))."""
    density = torch.mul(z, z).mul_(-0.5).exp_().mul_(1 / math.sqrt(2 * math.pi))
    return torch.mul(delta, _normal_cdf(z).addcmul_(z, density), out=out)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(_identity, lambda delta, a, out: _identity(delta, out)),
    "relu": Activation(
        lambda z, out: z.relu_() if out is z else torch.clamp(z, min=0, out=out),
        lambda delta, a, out: aten.threshold_backward.grad_input(delta, a, 0, grad_input=out),
        smooth=False,
        convex=True,
    ),
    "tanh": Activation(
        lambda z, out: torch.tanh(z, out=out),
        lambda delta, a, out: aten.tanh_backward.grad_input(delta, a, grad_input=out),
    ),
    "logistic": Activation(
        lambda z, out: torch.sigmoid(z, out=out),
        lambda delta, a, out: aten.sigmoid_backward.grad_input(delta, a, grad_input=out),
        slope=0.25,
        spread=2.0,
    ),
    "leaky_relu": Activation(
        lambda z, out: aten.leaky_relu.out(z, LEAKY_SLOPE, out=out),
        lambda delta, a, out: aten.leaky_relu_backward.grad_input(
            delta, a, LEAKY_SLOPE, True, grad_input=out
        ),
        smooth=False,
        convex=True,
    ),
    "silu": Activation(
        lambda z, out: aten.silu.out(z, out=out),
        lambda delta, z, out: aten.silu_backward.grad_input(delta, z, grad_input=out),
        keeps_input=True,
        increasing=False,
    ),
    "gelu": Activation(_gelu_forward, _gelu_backward, keeps_input=True, increasing=False),
    "softplus": Activation(
        lambda z, out: aten.softplus.out(z, 1, SOFTPLUS_LINEAR_ABOVE, out=out),
        lambda delta, z, out: aten.softplus_backward.grad_input(
            delta, z, 1, SOFTPLUS_LINEAR_ABOVE, grad_input=out
        ),
        keeps_input=True,
        convex=True,
    ),
}
