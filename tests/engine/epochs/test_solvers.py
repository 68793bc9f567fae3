"""adam and sgd step as scikit-learn's and torch's do, and settle where the prox is stationary."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from support.engine_tasks import task_of

from skmlp.engine.epochs.solvers import SOLVERS, Pace
from skmlp.engine.penalty.prox import Penalty, PenaltyNumbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
SIZE, N_STEPS = 12, 9
GRADIENTS = RNG.normal(size=(N_STEPS, SIZE))
START = RNG.normal(size=SIZE)
INF = np.inf


def solver_of(solver, **params):
    """The engine's solver of an estimator's parameters."""
    return SOLVERS[solver](task_of(X, X[:, 0], solver=solver, **params).program)


def paths(solver, gradients, starts, paces, n_steps=1):
    """The parameters (steps, M, size) under given gradients (steps, M, size), epoch by epoch."""
    flat = torch.tensor(starts)
    state, path = solver.init(flat), []
    for epoch in range(0, len(gradients), n_steps):
        steps = solver.begin_epoch(state, paces[epoch // n_steps], n_steps)
        for step, gradient in zip(steps, gradients[epoch : epoch + n_steps], strict=True):
            solver.update(flat, torch.tensor(gradient), state, step)
            path.append(flat.numpy().copy())
    return np.array(path), state


def path_of_one(solver, rates, momentum, n_steps=1):
    paces = [[Pace(rate, momentum)] for rate in rates]
    path, _ = paths(solver, GRADIENTS[:, None], START[None], paces, n_steps)
    return path[:, 0]


def scikit_learns_path(optimizer, rates):
    params, path = [START.copy()], []
    for rate, gradient in zip(rates, GRADIENTS, strict=True):
        optimizer.learning_rate = rate
        optimizer.update_params(params, [gradient])
        path.append(params[0].copy())
    return np.array(path)


def torchs_path(make):
    leaf = torch.tensor(START, requires_grad=True)
    optimizer, path = make([leaf]), []
    for gradient in GRADIENTS:
        leaf.grad = torch.tensor(gradient)
        optimizer.step()
        path.append(leaf.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("n_steps", [1, 3, 9])
@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_adam_equals_scikit_learns(epsilon, n_steps):
    solver = solver_of("adam", beta_1=0.8, beta_2=0.99, epsilon=epsilon)
    reference = AdamOptimizer([START], 0.03, beta_1=0.8, beta_2=0.99, epsilon=epsilon)
    params, expected = [START.copy()], []
    for gradient in GRADIENTS:
        reference.update_params(params, [gradient])
        expected.append(params[0].copy())
    ours = path_of_one(solver, [0.03] * N_STEPS, 0.8, n_steps)
    assert_allclose(ours, expected, rtol=1e-12)


def test_adam_equals_torchs():
    """Where epsilon does not matter: torch adds it to another scale of the square root."""
    solver = solver_of("adam", epsilon=1e-30)
    expected = torchs_path(lambda p: torch.optim.Adam(p, lr=0.03, eps=1e-30))
    assert_allclose(path_of_one(solver, [0.03] * N_STEPS, 0.9), expected, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_equals_scikit_learns(momentum, nesterov):
    rates = np.geomspace(0.1, 0.01, N_STEPS).tolist()
    solver = solver_of("sgd", momentum=momentum, nesterovs_momentum=nesterov)
    reference = SGDOptimizer([START], 0.1, momentum=momentum, nesterov=nesterov)
    assert_allclose(
        path_of_one(solver, rates, momentum), scikit_learns_path(reference, rates), rtol=1e-12
    )


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_equals_torchs(nesterov):
    solver = solver_of("sgd", nesterovs_momentum=nesterov)
    expected = torchs_path(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=nesterov))
    assert_allclose(path_of_one(solver, [0.1] * N_STEPS, 0.9), expected, rtol=1e-12)


def test_adam_averages_when_its_momentum_changes():
    """m_hat is the average with weights (1 - beta_s) prod_{t > s} beta_t, made to sum to one."""
    betas = np.array([0.9] * 5 + [0.99] * 4)
    paces = [[Pace(0.01, beta)] for beta in betas]
    _, state = paths(solver_of("adam"), GRADIENTS[:, None], START[None], paces)
    left = np.append(np.cumprod(betas[:0:-1])[::-1], 1.0)
    weights = (1 - betas) * left
    assert_allclose(state.mean[0], weights @ GRADIENTS / weights.sum(), rtol=1e-12)
    left = 0.999 ** np.arange(N_STEPS)[::-1]
    assert_allclose(state.square[0], left @ GRADIENTS**2 / left.sum(), rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_models_of_differing_pace(solver):
    """Models of a stack with rates and momenta of their own go their own way, bit for bit."""
    made = solver_of(solver)
    gradients, starts = RNG.normal(size=(N_STEPS, 3, SIZE)), RNG.normal(size=(3, SIZE))
    paces = [[Pace(0.01, 0.9), Pace(0.1, 0.9), Pace(0.01, 0.5)]] * 3
    together, _ = paths(made, gradients, starts, paces, n_steps=3)
    for m in range(3):
        alone = [[epoch[m]] for epoch in paces]
        path, _ = paths(solver_of(solver), gradients[:, [m]], starts[[m]], alone, n_steps=3)
        assert_array_equal(together[:, m], path[:, 0])


@pytest.mark.parametrize("nesterov", [False, True])
def test_rate_of_sgd_is_its_lasting_step(nesterov):
    """Under a constant gradient a step is -rate * gradient in the end."""
    solver = solver_of("sgd", nesterovs_momentum=nesterov)
    gradient = np.broadcast_to(GRADIENTS[0], (400, 1, SIZE))
    path, state = paths(solver, gradient, START[None], [[Pace(0.1, 0.9)]] * 400)
    step = solver.begin_epoch(state, [Pace(0.1, 0.9)], 1)[0]
    rate, metric = solver.update(torch.zeros(1, SIZE), torch.zeros(1, SIZE), state, step)
    assert metric is None
    assert rate == pytest.approx(1.0, rel=1e-12)
    assert_allclose(path[-1] - path[-2], -rate * gradient[0], rtol=1e-9)


def test_metric_of_adam_is_its_lasting_step():
    solver = solver_of("adam", epsilon=1e-3)
    gradient = np.broadcast_to(GRADIENTS[0], (20, 1, SIZE))
    path, state = paths(solver, gradient, START[None], [[Pace(0.01, 0.9)]] * 20)
    step = solver.begin_epoch(state, [Pace(0.01, 0.9)], 1)[0]
    flat = torch.tensor(path[-1])
    rate, metric = solver.update(flat, torch.tensor(gradient[0]), state, step)
    assert_allclose(flat.numpy() - path[-1], -rate * gradient[0] / metric.numpy(), rtol=1e-9)


QUADRATIC = np.diag([1.0, 0.3, 2.0, 1.0, 0.5]) + 0.1
TARGET = np.array([1.0, -0.5, 0.05, 0.3, -0.02])


def fixed_point(solver, use_metric=True):
    """Where proximal steps on a small lasso end."""
    l1, bounds = np.full(5, 0.1), (np.array([-INF] * 3 + [0.0] * 2), np.full(5, INF))
    penalty = Penalty([PenaltyNumbers(l1, 0 * l1, *bounds)], torch.float64, "cpu")
    made = solver_of(solver)
    w = torch.full((1, 5), 0.5, dtype=torch.float64)
    state = made.init(w)
    A, b = torch.tensor(QUADRATIC), torch.tensor(TARGET)
    for step in made.begin_epoch(state, [Pace(0.01, 0.9)], 3000):
        rate, metric = made.update(w, w @ A - b, state, step)
        penalty.shrink_(w, rate, metric if use_metric else None)
        penalty.project_(w)
    return w[0].numpy()


def lasso_by_enumeration():
    """The minimiser over all supports and signs that meets the optimality conditions."""
    best = None
    for code in range(3**5):
        signs = np.array([code // 3**j % 3 - 1 for j in range(5)])
        support = signs != 0
        w = np.zeros(5)
        inside = QUADRATIC[np.ix_(support, support)]
        w[support] = np.linalg.solve(inside, TARGET[support] - 0.1 * signs[support])
        if (w * signs < 0).any() or (w[3:] < 0).any():
            continue
        value = w @ QUADRATIC @ w / 2 - TARGET @ w + 0.1 * np.abs(w).sum()
        if best is None or value < best[0]:
            best = value, w
    return best[1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_fixed_point_is_the_lasso(solver):
    expected = lasso_by_enumeration()
    ours = fixed_point(solver)
    assert np.count_nonzero(expected) == 3
    assert_array_equal(ours != 0, expected != 0)
    assert_allclose(ours, expected, rtol=1e-8)


def test_threshold_without_adams_metric_is_another_problem():
    wrong = fixed_point("adam", use_metric=False)
    assert np.count_nonzero(wrong) == 0 or np.abs(wrong - lasso_by_enumeration()).max() > 0.05
