"""Group penalties: prox, norms and means, in one network's numbers and in a stack."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from support.engine_tasks import random_row, task_of

from skmlp.engine.epochs.solvers import Adam, Pace
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.group_norms import GroupNorms, Groups, GroupStack
from skmlp.engine.penalty.prox import penalty_numbers

RNG = np.random.default_rng(0)
MEMBERS = {"alone": np.arange(5), "together": np.array([0, 1, 0, 2, 1])}
N_UNITS = 4
SIZE = 5 * N_UNITS + 7  # other parameters follow the first layer


def groups(members, scale=1.0):
    return Groups(scale * RNG.uniform(0.5, 1.5, members.max() + 1), members, N_UNITS)


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
@pytest.mark.parametrize("step", [0.1, 1.0, 3.0])
def test_prox_satisfies_its_optimality_condition(members, step):
    """(row - z) / step is a subgradient: strength z / |z|, or shorter than strength at zero."""
    penalty, row = groups(members), RNG.normal(size=SIZE)
    z = row.copy()
    penalty.shrink_(z, step)
    assert_array_equal(z[5 * N_UNITS :], row[5 * N_UNITS :])
    subgradient = ((row - z) / step)[: 5 * N_UNITS].reshape(5, N_UNITS)
    W = z[: 5 * N_UNITS].reshape(5, N_UNITS)
    for g, strength in enumerate(penalty.strength):
        own, norm = members == g, np.linalg.norm(W[members == g])
        if norm > 0:
            assert_allclose(subgradient[own], strength * W[own] / norm, rtol=1e-10)
        else:
            assert np.linalg.norm(subgradient[own]) <= strength
    assert penalty.value(z) == pytest.approx(
        sum(s * np.linalg.norm(W[members == g]) for g, s in enumerate(penalty.strength))
    )


@pytest.mark.parametrize("positive", [False, True])
def test_composed_prox_is_the_minimiser(positive):
    """Soft threshold, clip, group shrinkage, in this order: SciPy finds nothing lower."""
    X, y = RNG.normal(size=(20, 3)), RNG.normal(size=20)
    task = task_of(
        X,
        y,
        hidden_layer_sizes=2,
        solver="lbfgs",
        l1_per_layer=0.2,
        group_l1=0.3,
        positive_weights=positive,
    )
    layout = Layout(task.program)
    penalty = penalty_numbers(task, layout)
    row = random_row(layout, RNG)
    z = penalty.prox(row, 0.7)

    def objective(u):
        return penalty.value(u) + np.sum((u - row) ** 2) / 1.4

    bounds = [(0, None) if low == 0 else (None, None) for low in penalty.lower]
    for start in (row.clip(min=0) if positive else row, z):
        found = minimize(objective, start, method="Powell", bounds=bounds, tol=1e-10)
        assert found.fun >= objective(z) - 1e-9


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stack_equals_numbers(dtype, n_models, members):
    numbers = [groups(members) for _ in range(n_models)]
    rows = RNG.normal(size=(n_models, SIZE))
    stack = GroupStack(numbers, dtype, "cpu")
    flat = torch.tensor(rows, dtype=dtype)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    values = [one.value(row) for one, row in zip(numbers, rows, strict=True)]
    assert_allclose(stack.value(flat), values, rtol=tolerance)
    metric = torch.full_like(flat, 2.0)
    stack.shrink_(flat, 1.2, metric)
    for one, row in zip(numbers, rows, strict=True):
        one.shrink_(row, 0.6)
    assert_allclose(flat, rows, rtol=tolerance, atol=tolerance)
    assert_array_equal(flat == 0, rows == 0)


@pytest.mark.parametrize("n_features", [1, 3, 16, 33])
@pytest.mark.parametrize("n_units", [2, 7, 8, 50, 129])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_norms_and_means_do_not_depend_on_the_stack(dtype, n_units, n_features):
    size = n_features * n_units + 5
    flat = torch.tensor(RNG.normal(size=(9, size)), dtype=dtype)
    norms = GroupNorms(range(n_features), n_units, dtype, "cpu")
    together, averaged = norms.norms(flat), flat.clone()
    norms.average_(averaged)
    for k in range(9):
        alone = flat[k : k + 1].clone()
        assert_array_equal(norms.norms(alone)[0], together[k])
        norms.average_(alone)
        assert_array_equal(alone[0], averaged[k])
    expected = flat[:, :-5].reshape(9, n_features, n_units).double().mean(2)
    found = averaged[:, :-5].reshape(9, n_features, n_units)[:, :, 0]
    assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_adam_has_one_metric_in_a_group():
    X, y = RNG.normal(size=(20, 5)), RNG.normal(size=20)
    params = {"feature_groups": [[0, 2], [1, 4]], "hidden_layer_sizes": N_UNITS, "group_l1": 0.1}
    program = task_of(X, y, alpha=1.0, **params).program
    adam, size = Adam(program), Layout(program).size
    flat = torch.zeros(2, size, dtype=torch.float64)
    state = adam.init(flat)
    gradient = torch.tensor(RNG.normal(size=(2, size)))
    (step,) = adam.begin_epoch(state, [Pace(0.01, 0.9)] * 2, 1)
    _, metric = adam.update(flat, gradient, state, step)
    first = metric[:, : 5 * N_UNITS].reshape(2, 5, N_UNITS)
    square = gradient[:, : 5 * N_UNITS].reshape(2, 5, N_UNITS) ** 2
    for own in ([0, 2], [1, 4], [3]):
        expected = square[:, own].mean((1, 2)).sqrt()[:, None, None]
        assert_allclose(first[:, own], expected.expand(2, len(own), N_UNITS), rtol=1e-6)
    assert_allclose(metric[:, 5 * N_UNITS :], gradient[:, 5 * N_UNITS :].abs(), atol=1e-6)


def test_strengths_of_groups():
    """group_l1 times the factor times the root of the number of features that are not excluded."""
    X, y = RNG.normal(size=(20, 6)), RNG.normal(size=20)
    task = task_of(
        X,
        y,
        hidden_layer_sizes=3,
        alpha=1.0,
        group_l1=0.2,
        feature_groups=[[5, 1, 2], [3, 4]],
        penalty_factor=[0.5, 2.0, np.inf, 3.0, 3.0, 2.0],
    )
    penalty = penalty_numbers(task, Layout(task.program)).groups
    assert_array_equal(penalty.members, [0, 1, 1, 2, 2, 1])
    assert_allclose(penalty.strength, 0.2 * np.sqrt([1, 2, 2]) * [0.5, 2.0, 3.0])
