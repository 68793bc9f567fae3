"""The closed-form gradients of a stack equal torch autograd's and finite differences."""

from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from support.engine_tasks import (
    ACTIVATIONS,
    as_leaves,
    gradients,
    mean_loss,
    network,
    random_row,
    task_of,
)

from skmlp.engine.network import perceptron as engine_network
from skmlp.engine.network.activations import ACTIVATIONS as ENGINE_ACTIVATIONS
from skmlp.engine.network.batch_loss import batch_loss
from skmlp.engine.network.layout import Layout
from skmlp.engine.network.perceptron import Network, output_blocks
from skmlp.engine.network.rows import Batch, RowLoader
from skmlp.engine.task import Samples

N_ROWS, N_FEATURES = 11, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, N_ROWS, N_FEATURES))
REPEATS = np.array([1, 2, 1, 1, 3, 1, 1, 2, 1, 1, 1])
CPU = torch.device("cpu")


def targets(n_outputs, loss):
    y = RNG.normal(size=(3, N_ROWS, n_outputs))
    return RNG.poisson(np.exp(y)).astype(float) if loss == "poisson" else y


class Stack:
    """M random networks of one program, their batch, and the engine's pass over it."""

    def __init__(self, program, n_models, y, weighted):
        self.program, self.layout = program, Layout(program)
        self.rows = np.stack([random_row(self.layout, RNG) for _ in range(n_models)])
        self.X, self.y = X[:n_models], y[:n_models]
        weight = torch.tensor(REPEATS / REPEATS.mean()).reshape(1, -1, 1).repeat(n_models, 1, 1)
        affine = np.concatenate([self.X, np.ones((n_models, N_ROWS, 1))], axis=2)
        self.batch = Batch(torch.tensor(affine), torch.tensor(self.y), weight if weighted else None)
        self.repeated = np.repeat(np.arange(N_ROWS), REPEATS if weighted else 1)
        self.flat, self.gradient = torch.tensor(self.rows), torch.zeros(self.rows.shape).double()
        theta, d_theta = self.layout.views(self.flat), self.layout.views(self.gradient)
        self.network = Network(program, theta, N_ROWS, d_theta)
        if any(program.dropout):
            self.network.draw_masks([torch.Generator().manual_seed(m) for m in range(n_models)])

    def values(self, rows, backward=False):
        """The mean losses (M,); with ``backward`` their gradients are in ``self.gradient``."""
        self.flat.copy_(torch.tensor(rows))
        share = self.batch.share if self.program.normalization == "batch" else None
        output = self.network.forward(self.batch.X, share)
        value, _ = batch_loss(self.program.loss, output, self.batch.y, self.batch.weight)
        if backward:
            self.network.backward()
        return value.numpy().copy()

    def by_autograd(self, model):
        """(value, flat gradient) of one model, its rows repeated in place of weighted."""
        leaves = as_leaves(self.layout.unpack(self.rows[model], "float64"))
        rows, program = self.repeated, self.program
        masks = [None if mask is None else mask[model][rows] for mask in self.network.masks]
        X, y = self.X[model][rows], self.y[model][rows]
        output = network(leaves, X, program.activation, program.normalization, masks)
        value = mean_loss(output, y, program.loss.name)
        return float(value.detach()), self.layout.pack(gradients(value, leaves))


def check_gradient(stack):
    values = stack.values(stack.rows, backward=True)
    ours = stack.gradient.numpy()
    for model in range(len(ours)):
        value, gradient = stack.by_autograd(model)
        assert values[model] == pytest.approx(value, rel=1e-12)
        assert_allclose(ours[model], gradient, rtol=1e-9, atol=1e-12 * np.abs(gradient).max())
    direction = 1e-6 * np.sign(ours)
    change = stack.values(stack.rows + direction) - stack.values(stack.rows - direction)
    assert_allclose(change, 2 * (ours * direction).sum(1), rtol=1e-6)


def program_of(y, hidden, **params):
    target = y[0, :, 0] if y.shape[2] == 1 else y[0]
    return task_of(X[0], target, hidden_layer_sizes=hidden, **params).program


PIECES = list(
    product([None, "batch", "layer"], [0.0, 0.4], ["squared_error", "poisson"], [False, True])
)


@pytest.mark.parametrize("n_outputs, n_models", [(1, 1), (2, 3)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient(activation, n_outputs, n_models):
    for normalization, dropout, loss, weighted in PIECES:
        y = targets(n_outputs, loss)
        program = program_of(
            y,
            (5, 3),
            activation=activation,
            normalization=normalization,
            dropout=dropout,
            loss=loss,
        )
        check_gradient(Stack(program, n_models, y, weighted))


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize(
    "hidden, n_outputs", [((), 1), ((), 3), ((1,), 1), ((6,), 1), ((4, 1, 2), 2)]
)
def test_gradient_of_narrow_networks(hidden, n_outputs, loss, weighted, n_models):
    y = targets(n_outputs, loss)
    program = program_of(y, hidden, activation="tanh", loss=loss)
    check_gradient(Stack(program, n_models, y, weighted))


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_of_one_hidden_layer(activation, dropout, loss):
    y = targets(1, loss)
    program = program_of(y, (6,), activation=activation, dropout=dropout, loss=loss)
    for weighted in (False, True):
        check_gradient(Stack(program, 3, y, weighted))


def test_every_activation_is_tested():
    assert set(ENGINE_ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_activation_far_from_zero(name, dtype):
    """Values and derivatives equal torch's where exponentials overflow or vanish."""
    z = torch.tensor([-1e4, -800, -90, -30, -1e-8, 1e-8, 30, 90, 800, 1e4], dtype=dtype)
    leaf = z.clone().requires_grad_()
    expected = ACTIVATIONS[name](leaf)
    expected.sum().backward()
    activation = ENGINE_ACTIVATIONS[name]
    a = activation.forward(z.clone(), torch.empty_like(z))
    kept, one = z if activation.keeps_input else a, torch.ones_like(z)
    derivative = activation.backward(one, kept, one)
    beside = activation.backward(torch.ones(1, dtype=dtype), kept, torch.empty_like(z))
    assert_array_equal(beside, derivative)
    tolerance = 10 * torch.finfo(dtype).eps
    assert_allclose(a, expected.detach(), rtol=tolerance, atol=tolerance)
    assert_allclose(derivative, leaf.grad, rtol=tolerance, atol=tolerance)


def test_dropout_keeps_the_mean():
    y = targets(1, "squared_error")
    program = program_of(y, (400, 300), dropout=(0.25, 0.0))
    stack = Stack(program, 2, y, False)
    first, second = stack.network.masks
    assert second is None
    assert set(first.unique().tolist()) == {0.0, 1 / 0.75}
    # 4400 draws a model: five standard deviations of their mean
    assert_allclose(first.mean((1, 2)), 1, atol=5 * np.sqrt(0.25 / 0.75 / 4400))
    assert not torch.equal(first[0], first[1])


def test_prediction_has_no_dropout():
    y = targets(2, "squared_error")
    with_dropout = Stack(program_of(y, (5, 3), dropout=0.5), 3, y, False)
    theta = with_dropout.layout.views(with_dropout.flat)
    rows = RowLoader([Samples(x, t) for x, t in zip(X, y, strict=True)], torch.float64, CPU)
    ((_, output),) = output_blocks(with_dropout.program, theta, rows)
    for model, row in enumerate(with_dropout.rows):
        weights = as_leaves(with_dropout.layout.unpack(row, "float64"))
        expected = network(weights, X[model], "relu").detach()
        assert_allclose(output[model], expected, rtol=1e-12, atol=1e-14)


def test_blocks_of_rows_make_the_whole(monkeypatch):
    """In blocks, and stopped at a layer, outputs are those of all rows at once."""
    n_rows = 150
    data = RNG.normal(size=(n_rows, N_FEATURES))
    task = task_of(data, data[:, :2], hidden_layer_sizes=(5, 3), activation="tanh", dropout=0.3)
    layout = Layout(task.program)
    row = random_row(layout, RNG)
    weights = as_leaves(layout.unpack(row, "float64"))
    monkeypatch.setattr(engine_network, "BLOCK_NUMBERS", 1)
    for n_layers in (None, 1, 2, 3):
        coefs, intercepts = weights.coefs[:n_layers], weights.intercepts[:n_layers]
        shorter = weights._replace(coefs=coefs, intercepts=intercepts)
        expected = network(shorter, data, "tanh").detach().numpy()
        rows = RowLoader([task.train], torch.float64, CPU)
        theta = layout.views(torch.tensor(row[None]))
        blocks = [
            output[0].numpy().copy()
            for _, output in output_blocks(task.program, theta, rows, n_layers)
        ]
        assert [len(block) for block in blocks] == [64, 64, 22]
        assert_allclose(np.concatenate(blocks), expected, rtol=1e-12, atol=1e-14)


def test_gaps_of_the_flat_row_stay_zero():
    y = targets(1, "squared_error")
    stack = Stack(program_of(y, (5, 3), normalization="layer"), 3, y, False)
    stack.values(stack.rows, backward=True)
    pieces = [field.slice for group in stack.layout.groups for field in group]
    gaps = np.ones(stack.layout.size, dtype=bool)
    for piece in pieces:
        gaps[piece] = False
    assert gaps.any()
    assert_array_equal(stack.gradient.numpy()[:, gaps], 0.0)
