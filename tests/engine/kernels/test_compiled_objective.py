"""The compiled objective, its gradient and outputs equal torch's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from programs import classes_of, random_task
from support.engine_tasks import ACTIVATIONS, ScaledProblem, random_row, task_of

from skmlp.engine.descent.compiled_search import CompiledProblem
from skmlp.engine.descent.objective import CompiledObjective, StackObjective
from skmlp.engine.epochs.validation_loss import training_outputs
from skmlp.engine.kernels import binding, loops
from skmlp.engine.losses.table import CLASSIFICATION
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers

pytest.importorskip("skmlp.engine.kernels.compiled")
pytestmark = pytest.mark.filterwarnings("ignore:Layers", "ignore:The function", "ignore:The scale")

RNG = np.random.default_rng(0)
N_ROWS, N_FEATURES = 200, 6
X = RNG.normal(size=(N_ROWS, N_FEATURES))
TARGETS = RNG.poisson(3.0, size=(N_ROWS, 3)).astype(float)
WEIGHT = RNG.uniform(0.5, 2, N_ROWS)
LOSSES = [*binding.LOSSES]


def target_of(loss):
    """Zeros among them where the loss has a value for zero."""
    if loss in CLASSIFICATION:
        return classes_of(TARGETS, loss)
    return TARGETS + (loss == "gamma")


HIDDEN = [(), (1,), (8,), (1, 1), (7, 1, 5), (16, 9, 4)]
PENALTIES = {
    "none": {"alpha": 0.0},
    "l2": {"alpha": 5.0},
    "l1": {"l1_per_layer": 0.1},
    "groups": {"group_l1": 0.1, "alpha": 3.0, "feature_groups": [[0, 4], [1, 2, 3]]},
    "bounds": {"positive_weights": True, "l1_per_layer": 0.1},
    "excluded": {"penalty_factor": [1.0, np.inf, 0.0, 2.0, 1.0, np.inf], "alpha": 2.0},
    "all": {
        "l1_per_layer": 0.1,
        "group_l1": 0.2,
        "alpha": 2.0,
        "positive_weights": True,
        "penalty_factor": [1.0, np.inf, 0.0, 2.0, 1.0, 3.0],
    },
}


def parts_of(task):
    layout = Layout(task.program)
    return layout, penalty_numbers(task, layout)


def point_of(task, scale=0.5):
    return scale * random_row(Layout(task.program), np.random.default_rng(2))


def assert_objectives_agree(task, tolerance=1e-13, dtype=None):
    """Values with and without a gradient, gradients and certificates, at one point."""
    layout, penalty = parts_of(task)
    row = point_of(task)[None]
    ours, theirs = (
        kind([task], [penalty], layout, dtype) for kind in (CompiledObjective, StackObjective)
    )
    (value, gradient), (true_value, true_gradient) = (o.evaluate(row, True) for o in (ours, theirs))
    assert_allclose(value, true_value, rtol=tolerance)
    size = np.abs(true_gradient).max()
    assert_allclose(gradient, true_gradient, rtol=0, atol=tolerance * size)
    assert gradient.dtype == np.float64
    alone, zeros = ours.evaluate(row, False)
    assert_array_equal(alone, value)
    assert not zeros.any()
    assert_allclose(
        ours.certificates(row)[0], theirs.certificates(row)[0], rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_depths_and_losses(activation, hidden, loss):
    params = {"activation": activation, "hidden_layer_sizes": hidden, "loss": loss}
    whole = target_of(loss)
    for y in (whole, whole[:, 0]) if loss != "multinomial" else (whole,):
        assert_objectives_agree(task_of(X, y, WEIGHT, **params))


@pytest.mark.parametrize("hidden", [(), (9, 5)])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties(penalty, hidden):
    task = task_of(X, TARGETS, hidden_layer_sizes=hidden, **PENALTIES[penalty])
    assert_objectives_agree(task)


@pytest.mark.parametrize("seed", range(100))
def test_random_programs(seed):
    assert_objectives_agree(random_task(seed, losses=LOSSES))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", [(), (1,), (9, 1), (9, 5)])
def test_blocks_of_rows_add_up(hidden, loss, monkeypatch):
    monkeypatch.setattr(loops, "BLOCK_NUMBERS", 1)
    y = target_of(loss)
    task = task_of(X, y, WEIGHT, hidden_layer_sizes=hidden, loss=loss, activation="silu")
    assert_objectives_agree(task)
    layout, penalty = parts_of(task)
    in_blocks = loops.Loops(task.program, layout, task.train, penalty, "float64")
    assert in_blocks._block < N_ROWS
    row = point_of(task)
    assert_allclose(in_blocks.outputs(row), outputs_by_torch(task, row), rtol=1e-12, atol=1e-12)


def outputs_by_torch(task, row):
    return training_outputs(task, Layout(task.program).unpack(row, "float64"))


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs(activation, hidden):
    task = task_of(X, TARGETS, activation=activation, hidden_layer_sizes=hidden)
    row = point_of(task)
    ours = loops.Loops(task.program, *parts_of_samples(task), "float64").outputs(row)
    theirs = outputs_by_torch(task, row)
    assert_allclose(ours, theirs, rtol=0, atol=1e-13 * np.abs(theirs).max())


def parts_of_samples(task):
    layout, penalty = parts_of(task)
    return layout, task.train, penalty


MEMORIES = {
    "some rows": lambda X: (np.repeat(X, 2, axis=0), 2 * np.arange(len(X))),
    "rows in another order": lambda X: (X[::-1].copy(), np.arange(len(X))[::-1]),
    "columns after columns": lambda X: (np.asfortranarray(X), None),
    "every other column": lambda X: (np.repeat(X, 2, axis=1)[:, ::2], None),
    "columns after columns, some rows": lambda X: (
        np.asfortranarray(np.repeat(X, 2, axis=0)),
        2 * np.arange(len(X)),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("memory", MEMORIES)
def test_wherever_the_rows_lie(memory, dtype):
    """Single precision X in a float64 objective is what it is, not what it was."""
    task = task_of(X, TARGETS, WEIGHT, hidden_layer_sizes=(9,), activation="tanh")
    plain = X.astype(dtype)
    other, rows = MEMORIES[memory](plain)
    other.flags.writeable = False
    task, expected = (
        replace(task, train=replace(task.train, X=A, rows=r))
        for A, r in ((other, rows), (plain, None))
    )
    layout, penalty = parts_of(task)
    row = point_of(task)[None]
    assert_objectives_agree(task)
    for ours, theirs in zip(
        CompiledObjective([task], [penalty], layout).evaluate(row, True),
        CompiledObjective([expected], [penalty], layout).evaluate(row, True),
        strict=True,
    ):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_single_precision(activation):
    params = {"activation": activation, "hidden_layer_sizes": (9, 5), "l1_per_layer": 0.01}
    data = X.astype("float32"), TARGETS.astype("float32")
    assert_objectives_agree(task_of(*data, WEIGHT, **params), 1e-5, torch.float32)
    assert_objectives_agree(task_of(*data, **params), 1e-13, torch.float64)


def test_each_model_of_several_is_evaluated_by_itself():
    tasks = [
        task_of(X, y, hidden_layer_sizes=(9,), alpha=a)
        for y, a in zip(TARGETS.T, (0, 1, 9), strict=True)
    ]
    layout, _ = parts_of(tasks[0])
    penalties = [penalty_numbers(task, layout) for task in tasks]
    rows = np.stack([(k + 1) * point_of(tasks[0], 0.3) for k in range(3)])
    together = CompiledObjective(tasks, penalties, layout).evaluate(rows, True)
    for k, task in enumerate(tasks):
        alone = CompiledObjective([task], [penalties[k]], layout).evaluate(rows[k : k + 1], True)
        assert_array_equal(together[0][k], alone[0][0])
        assert_array_equal(together[1][k], alone[1][0])


def test_strided_rows_of_parameters():
    task = task_of(X, TARGETS, hidden_layer_sizes=(9,))
    layout, penalty = parts_of(task)
    row = point_of(task)
    strided = np.repeat(row, 2)[::2][None]
    strided.flags.writeable = False
    objective = CompiledObjective([task], [penalty], layout)
    for ours, theirs in zip(
        objective.evaluate(strided, True), objective.evaluate(row[None], True), strict=True
    ):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_no_number_is_seen(activation, bad):
    """In a parameter, whichever the activation."""
    task = task_of(X, TARGETS, hidden_layer_sizes=(9, 5), activation=activation)
    layout, penalty = parts_of(task)
    row = point_of(task)
    row[layout.biases[-1].start] = bad
    value, gradient = CompiledObjective([task], [penalty], layout).evaluate(row[None], True)
    assert not np.isfinite(value).any()
    assert not np.isfinite(gradient).all()
    row[layout.biases[-1].start], row[layout.biases[0].start] = 0.0, np.nan
    value, _ = CompiledObjective([task], [penalty], layout).evaluate(row[None], True)
    assert np.isnan(value).all()


SCALES = {
    "plain": X,
    "badly scaled": X * np.logspace(-3, 3, N_FEATURES),
    "uncentred": X + 10.0 * np.arange(N_FEATURES),
    "constant columns": X * [1, 0, 1, 0, 1, 1] + [0, 0, 0, 7, 0, 0],
}


@pytest.mark.usefixtures("through_torch")
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("data", SCALES)
def test_standardised_objective_is_the_scaled_one(data, loss, penalty):
    params = {"hidden_layer_sizes": (5, 4), "activation": "tanh", "loss": loss}
    y = target_of(loss) * ([1.0, 3.0, 9.0] if loss not in CLASSIFICATION else 1.0)
    task = task_of(SCALES[data], y, WEIGHT, **params, **PENALTIES[penalty])
    layout, numbers = parts_of(task)
    theirs, ours = ScaledProblem(task, numbers, layout), CompiledProblem(task, numbers, layout)
    x = point_of(task)
    (value, gradient), (true_value, true_gradient) = (
        o.value_and_gradient(x) for o in (ours, theirs)
    )
    assert_allclose([value, ours.value(x)], true_value, rtol=1e-12)
    assert_allclose(gradient, true_gradient, rtol=0, atol=1e-11 * np.abs(true_gradient).max())
