"""The composed prox is the minimiser it claims to be, in one network's numbers and in a stack."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from support.engine_tasks import random_row, task_of

from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import Penalty, PenaltyNumbers, penalty_numbers

INF = np.inf
BOUNDS = [(-INF, INF), (0.0, INF), (-INF, 0.0), (0.0, 0.0)]
RNG = np.random.default_rng(0)


def numbers(size, n_weights=None, l1=None):
    """Random strengths and bounds; ``size - n_weights`` parameters at the end have no penalty."""
    n_weights = size if n_weights is None else n_weights
    bounds = np.array([BOUNDS[k] for k in RNG.integers(0, 4, size)])
    bounds[n_weights:] = BOUNDS[0]
    return PenaltyNumbers(
        l1=RNG.choice([0.0, 0.3, 2.0], n_weights) if l1 is None else np.full(n_weights, l1),
        l2=RNG.uniform(0, 1, n_weights),
        lower=bounds[:, 0],
        upper=bounds[:, 1],
    )


def brute_force_prox(row, step, penalty):
    """Each coordinate's minimiser of l1 |u| + (u - w)^2 / (2 step) within bounds, by SciPy."""
    result = np.empty_like(row)
    l1 = np.concatenate([penalty.l1, np.zeros(len(row) - len(penalty.l1))])
    for j, (w, t) in enumerate(zip(row, np.broadcast_to(step, row.shape), strict=True)):
        low, high = max(penalty.lower[j], -10.0), min(penalty.upper[j], 10.0)
        if low == high:
            result[j] = low
            continue
        found = minimize_scalar(
            lambda u, w=w, t=t, j=j: l1[j] * abs(u) * t + (u - w) ** 2 / 2,
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-10},
        )
        result[j] = found.x
    return result


@pytest.mark.parametrize("step", [0.1, 1.0, 3.0])
def test_prox_is_the_minimiser(step):
    penalty, row = numbers(60, 50), RNG.normal(size=60)
    ours = penalty.prox(row, step)
    assert_allclose(ours, brute_force_prox(row, step, penalty), atol=1e-6)
    assert np.count_nonzero(ours == 0) > 10
    assert penalty.value(ours) == pytest.approx(penalty.l1 @ np.abs(ours[:50]), rel=1e-14)


def test_prox_without_step_is_the_projection():
    penalty, row = numbers(40), RNG.normal(size=40)
    assert_array_equal(penalty.prox(row, 0.0), np.clip(row, penalty.lower, penalty.upper))


@pytest.mark.parametrize("by_model", [False, True])
def test_prox_of_a_stack_in_a_metric(by_model):
    """The threshold of a weight is rate l1 / metric; every model has its own numbers."""
    size, n_weights = 40, 30
    stack = [numbers(size, n_weights) for _ in range(3)]
    flat = RNG.normal(size=(3, size))
    metric = RNG.uniform(0.2, 5, (3, size))
    rates = np.array([0.1, 0.5, 1.0]) if by_model else np.full(3, 0.5)
    ours = torch.tensor(flat)
    penalty = Penalty(stack, torch.float64, "cpu")
    rate = torch.tensor(rates)[:, None] if by_model else 0.5
    penalty.shrink_(ours[:, :n_weights], rate, torch.tensor(metric))
    penalty.project_(ours)
    for m in range(3):
        expected = brute_force_prox(flat[m], rates[m] / metric[m], stack[m])
        assert_allclose(ours[m], expected, atol=1e-6)


def test_stack_in_the_metric_one_is_the_prox():
    stack, flat = [numbers(40, 30) for _ in range(3)], RNG.normal(size=(3, 40))
    penalty, ours = Penalty(stack, torch.float64, "cpu"), torch.tensor(flat)
    penalty.shrink_(ours[:, :30], 0.7, None)
    penalty.project_(ours)
    expected = [one.prox(row, 0.7) for one, row in zip(stack, flat, strict=True)]
    assert_array_equal(ours, expected)


def test_value_and_gradient_of_a_stack():
    stack, flat = [numbers(40, 30) for _ in range(3)], RNG.normal(size=(3, 40))
    penalty = Penalty(stack, torch.float64, "cpu")
    weights = torch.tensor(flat[:, :30])
    leaf = weights.clone().requires_grad_()
    l1, l2 = (torch.tensor(np.stack([getattr(n, k) for n in stack])) for k in ("l1", "l2"))
    assert_allclose(penalty.value(weights), (l1 * weights.abs() + l2 / 2 * weights**2).sum(1))
    (l2 / 2 * leaf**2).sum().backward()
    gradient = torch.ones(3, 30, dtype=torch.float64)
    penalty.add_gradient_(gradient, weights)
    assert_allclose(gradient, 1 + leaf.grad, rtol=1e-14)


def test_nothing_acts_without_strengths():
    free = PenaltyNumbers(np.zeros(5), np.zeros(5), np.full(8, -INF), np.full(8, INF))
    penalty, flat = Penalty([free], torch.float64, "cpu"), torch.tensor(RNG.normal(size=(1, 8)))
    before = flat.clone()
    penalty.add_gradient_(flat[:, :5], flat[:, :5])
    penalty.shrink_(flat[:, :5], 1.0, None)
    penalty.project_(flat)
    assert torch.equal(flat, before)
    assert penalty.value(flat[:, :5]) == 0


# weight, gradient, l1, bounds, and how far the weight is from the prox of its gradient step
STATIONARY = [
    (0.0, 0.9, 1.0, (-INF, INF), 0.0),
    (0.0, -1.0, 1.0, (-INF, INF), 0.0),
    (0.0, 1.5, 1.0, (-INF, INF), 0.5),
    (2.0, -1.0, 1.0, (-INF, INF), 0.0),
    (-2.0, 1.0, 1.0, (-INF, INF), 0.0),
    (2.0, 1.0, 1.0, (-INF, INF), 2.0),
    (2.0, 0.0, 0.0, (-INF, INF), 0.0),
    (2.0, 0.25, 0.0, (-INF, INF), 0.25),
    (0.0, 7.0, 1.0, (0.0, INF), 0.0),
    (0.0, -1.5, 1.0, (0.0, INF), 0.5),
    (0.0, -7.0, 0.0, (-INF, 0.0), 0.0),
    (0.0, 7.0, 0.0, (0.0, 0.0), 0.0),
]


@pytest.mark.parametrize("weight, gradient, l1, bounds, expected", STATIONARY)
def test_residual_is_zero_where_stationary(weight, gradient, l1, bounds, expected):
    lower, upper = np.array([bounds]).T
    penalty = PenaltyNumbers(np.array([l1]), np.zeros(1), lower, upper)
    residual = penalty.residual(np.array([weight]), np.array([gradient]))
    assert residual == pytest.approx(expected, abs=1e-15)


def test_strengths_of_a_task_spread_over_its_weights():
    X, weight = RNG.normal(size=(30, 3)), RNG.uniform(1, 3, 30)
    factor = np.array([0.0, 2.0, INF])
    task = task_of(
        X,
        X[:, :2],
        weight,
        hidden_layer_sizes=(4, 5),
        l1_per_layer=(0.1, 0.2, 0.3),
        alpha=(10, 20, 30),
        positive_weights=(False, True, False),
        penalty_factor=factor,
    )
    layout = Layout(task.program)
    penalty = penalty_numbers(task, layout)
    first, second, third = layout.weights
    spread = np.repeat([0.0, 2.0, 0.0], 4)
    for l1, l2, k, multiplier in zip(
        (0.1, 0.2, 0.3), (10, 20, 30), layout.weights, (spread, 1, 1), strict=True
    ):
        n = k.shape[0] * k.shape[1]
        assert_allclose(penalty.l1[k.slice], np.full(n, l1) * multiplier, rtol=1e-14)
        assert_allclose(penalty.l2[k.slice], np.full(n, l2 / weight.sum()) * multiplier, rtol=1e-14)
    assert_array_equal(penalty.lower[first.slice], np.repeat([-INF, -INF, 0.0], 4))
    assert_array_equal(penalty.upper[first.slice], np.repeat([INF, INF, 0.0], 4))
    assert_array_equal(penalty.lower[second.slice], 0.0)
    assert_array_equal(penalty.lower[third.slice], -INF)
    biases = penalty.lower[layout.n_weights :], penalty.upper[layout.n_weights :]
    assert_array_equal(np.abs(biases), INF)
    # L1 at a random row, by the formula
    row = random_row(layout, RNG)
    weights = layout.unpack(row, "float64").coefs
    value = 0.2 * np.abs(weights[0][1]).sum() + 0.2 * np.abs(weights[1]).sum()
    value += 0.3 * np.abs(weights[2]).sum()
    assert penalty.value(row) == pytest.approx(value, rel=1e-13)


def test_positive_weights_keep_gains_non_negative():
    X = RNG.normal(size=(30, 3))
    task = task_of(
        X,
        X[:, 0],
        hidden_layer_sizes=(4, 5),
        normalization="layer",
        positive_weights=(True, False, False),
    )
    layout = Layout(task.program)
    lower = penalty_numbers(task, layout).lower
    assert_array_equal(lower[layout.gains[0].slice], 0.0)
    assert_array_equal(lower[layout.gains[1].slice], -INF)
    assert_array_equal(lower[layout.shifts[0].slice], -INF)


def test_numbers_that_are_fixed_are_no_bounds():
    """Features that are left out have limits of zero on both sides: nothing reaches a bound."""
    free, none = np.full(3, np.inf), np.zeros(3)

    def has_bounds(lower, upper):
        return PenaltyNumbers(none, none, np.asarray(lower), np.asarray(upper)).has_bounds

    assert not has_bounds(-free, free)
    assert not has_bounds([0.0, -np.inf, 0.0], [0.0, np.inf, 0.0])
    assert has_bounds([0.0, -np.inf, 0.0], free)
    assert has_bounds(-free, [np.inf, 2.0, np.inf])
