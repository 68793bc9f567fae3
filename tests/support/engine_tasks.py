"""Tasks as the estimator makes them, and the network of torch's own functions."""

from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import numpy as np
import torch
from torch.nn import functional

from skmlp import RegularizedMLPRegressor
from skmlp.engine.descent.lockstep import ScaledStack
from skmlp.engine.descent.panoc import Question
from skmlp.engine.losses.table import CLASSIFICATION, loss_of
from skmlp.engine.network.layout import Layout
from skmlp.engine.task import Task, Weights

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "leaky_relu": functional.leaky_relu,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
}


class _Handed(Exception):
    """Ends a fit where it hands its task to the engine."""


def task_of(X, y, sample_weight=None, *, validation=None, **params) -> Task:
    """The task that an estimator hands to the engine; y is kept as it is by default.

    For the losses of classes y holds the columns of zeros and ones.
    """
    X_val, y_val = validation or (None, None)
    if params.get("loss") in CLASSIFICATION:
        task = task_of(
            X, y, sample_weight, validation=validation, **{**params, "loss": "squared_error"}
        )
        return replace(task, program=replace(task.program, loss=loss_of(params["loss"])))
    model = RegularizedMLPRegressor(**{"normalize_y": False, "random_state": 0, **params})
    with mock.patch("skmlp.estimators.mlp.train_together", side_effect=_Handed) as train:
        try:
            model.fit(X, y, sample_weight, X_val=X_val, y_val=y_val)
        except _Handed:
            return train.call_args.args[0]
    raise AssertionError("fit did not call the engine")


def random_row(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """A flat row of normal parameters, zero in the gaps."""
    shapes = [[field.shape for field in group] for group in layout.groups]
    return layout.pack(Weights(*([rng.normal(size=s) for s in group] for group in shapes)))


def as_leaves(weights: Weights) -> Weights:
    """The same parameters as float64 tensors that record their gradients."""
    return Weights(
        *(
            [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in group]
            for group in weights
        )
    )


def gradients(value, leaves: Weights) -> Weights:
    """torch autograd's gradients of ``value``, as arrays."""
    flat = torch.autograd.grad(value, [leaf for group in leaves for leaf in group])
    arrays = iter(gradient.numpy() for gradient in flat)
    return Weights(*([next(arrays) for _ in group] for group in leaves))


def network(weights: Weights, X, activation, normalization=None, masks=None):
    """Outputs before the link, by torch's own functions."""
    a, last = torch.as_tensor(X, dtype=torch.float64), len(weights.coefs) - 1
    for k, (coef, intercept) in enumerate(zip(weights.coefs, weights.intercepts, strict=True)):
        a = a @ coef + intercept
        if k == last:
            return a
        if normalization == "layer":
            gain, shift = weights.gains[k], weights.shifts[k]
            a = functional.layer_norm(a, a.shape[1:], gain, shift, eps=1e-5)
        elif normalization == "batch":
            gain, shift = weights.gains[k], weights.shifts[k]
            a = functional.batch_norm(a, None, None, gain, shift, training=True, eps=1e-5)
        a = ACTIVATIONS[activation](a)
        if masks is not None and masks[k] is not None:
            a = a * masks[k]


def mean_loss(output, y, loss):
    """Half the squared error or half the Poisson deviance, mean over rows, summed over outputs."""
    y = torch.as_tensor(y, dtype=torch.float64)
    if loss == "squared_error":
        return functional.mse_loss(output, y, reduction="sum") / (2 * len(y))
    constant = torch.xlogy(y, y) - y
    deviance = functional.poisson_nll_loss(output, y, reduction="none") + constant
    return deviance.sum() / len(y)


@contextmanager
def torch_threads(n):
    """torch computes with n threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    yield
    torch.set_num_threads(before)


class ScaledProblem:
    """A task's objective in the scaled variables, through torch."""

    def __init__(self, task: Task, penalty, layout: Layout) -> None:
        self._stack = ScaledStack([task], [penalty], layout)
        self.scaling, self.penalty = self._stack.scalings[0], self._stack.penalties[0]

    def value(self, row: np.ndarray) -> float:
        return self._stack.answer([0], [Question(row, False)])[0][0]

    def value_and_gradient(self, row: np.ndarray) -> tuple[float, np.ndarray]:
        return self._stack.answer([0], [Question(row, True)])[0]
