"""What paths are made of: ends, sensitivities, working sets, relaxed refits."""

import itertools
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import r2_score
from support.engine_tasks import network, task_of

from skmlp.engine.descent.objective import objective_of
from skmlp.engine.network import perceptron
from skmlp.engine.network.layout import Layout
from skmlp.engine.paths import working_set
from skmlp.engine.paths.moving_penalty import Scheme, relax
from skmlp.engine.paths.path_end import null_moments
from skmlp.engine.paths.sensitivity import sensitivities
from skmlp.engine.paths.working_set import solve
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.train import train

pytestmark = pytest.mark.filterwarnings("ignore:Layers", "ignore:normalization=")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6)) * [1.0, 2.0, 0.5, 1.0, 3.0, 1.0] + 1.0
y = np.tanh(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=80)
WEIGHT = RNG.uniform(0.5, 2, 80)
DEEP = {"hidden_layer_sizes": 8, "activation": "tanh", "solver": "lbfgs", "alpha": 2.0}


@pytest.mark.parametrize("l2", [0.01, 0.1])
def test_end_of_one_hidden_layer_has_a_closed_form(l2):
    """With L2 on the output alone 3 sqrt(3) / 16 rho^2 / sqrt(l2), where c = rho / 4 is stationary;
    with L1 on both layers 2 sqrt(3) / 9 rho^(3/2), where c = rho / 3 is."""
    data = X[:, :1] / X[:, :1].std(), y
    rho = abs(np.cov(data[0][:, 0], y, bias=True)[0, 1])
    task = task_of(*data, **{**DEEP, "alpha": [0.0, l2 * 80], "group_l1": 1.0})
    expected = 3**1.5 / 16 * rho**2 / np.sqrt(l2)
    assert Scheme("group_l1").largest(task) == pytest.approx(expected, rel=1e-3)
    task = task_of(*data, **{**DEEP, "alpha": 0.0, "l1_per_layer": 1.0})
    expected = 2 * np.sqrt(3) / 9 * rho**1.5
    assert Scheme("l1_per_layer").largest(task) == pytest.approx(expected, rel=1e-3)


def test_a_network_that_falls_is_tried_again_in_two_steps():
    """The first attempt at the second strength is made to lose everything, as a long step may."""
    task = task_of(X, y, **{**DEEP, "group_l1": 1.0, "max_iter": 1000, "tol": 1e-6})
    calls = []

    def careless(tasks):
        calls.append(tasks[0].group_l1)
        solutions = train(tasks)
        if len(calls) != 2:
            return solutions
        return [replace(s, weights=s.weights.restrict([]).embed([], 6)) for s in solutions]

    scheme = Scheme("group_l1")
    *_, (found,) = scheme.train([task], [0.01, 0.04], [None], careless)
    *_, (expected,) = scheme.train([task], [0.01, 0.02, 0.04], [None], train)
    assert_allclose(calls, [0.01, 0.04, 0.02, 0.04])
    assert found.weights.coefs[0].any()
    assert found.objective == pytest.approx(expected.objective, rel=1e-6)
    *_, (empty,) = scheme.train([task], [0.01, 1e3], [None], train)
    assert not empty.weights.coefs[0].any()


@pytest.mark.parametrize("weighted", [False, True])
def test_null_moments_are_weighted_covariances(weighted):
    weight = WEIGHT if weighted else None
    cross, std = null_moments(task_of(X, y, weight, alpha=1.0))
    covariance = np.cov(np.c_[X, y].T, aweights=weight, bias=True)
    assert_allclose(cross[:, 0], covariance[-1, :-1], rtol=1e-10)
    assert_allclose(std, np.sqrt(np.diag(covariance)[:-1]), rtol=1e-10)


@pytest.mark.parametrize("hidden", [(), 5, (6, 4)])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
@pytest.mark.parametrize("normalization", [None, "layer"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_sensitivities_are_autograd_s(n_outputs, normalization, activation, hidden):
    import torch

    target = np.column_stack([y, y**2])[:, :n_outputs]
    target = target[:, 0] if n_outputs == 1 else target
    params = {"activation": activation, "normalization": normalization, "max_iter": 5}
    task = task_of(X, target, WEIGHT, hidden_layer_sizes=hidden, **params)
    (solution,) = train([task])
    weights = type(solution.weights)(
        *([torch.tensor(a) for a in arrays] for arrays in solution.weights)
    )
    inputs = torch.tensor(X, requires_grad=True)
    output = network(weights, inputs, activation, normalization if hidden else None)
    squares = 0.0
    for column in range(n_outputs):
        (slope,) = torch.autograd.grad(output[:, column].sum(), inputs, retain_graph=True)
        squares = squares + np.average(slope.numpy() ** 2, axis=0, weights=WEIGHT)
    expected = np.sqrt(squares / n_outputs)
    assert_allclose(sensitivities(task, solution.weights), expected, rtol=1e-8)


def test_features_that_violate_their_condition_come_in():
    """The certificate is that of all features, and no training on them goes lower from there."""
    task = task_of(X, y, **{**DEEP, "group_l1": 0.01, "tol": 1e-7, "max_iter": 5000})
    (dense,) = train([task])
    first = dense.weights.coefs[0].copy()
    first[0] = 0.0
    start = dense.weights._replace(coefs=[first, dense.weights.coefs[1]])
    (solution,) = solve([replace(task, start=start)], train)
    assert solution.weights.coefs[0][0].any()
    assert solution.optimality <= 1e-5
    (again,) = train([replace(task, start=solution.weights)])
    assert again.objective == pytest.approx(solution.objective, rel=1e-8)


def test_features_at_rest_are_not_trained():
    """Where no feature outside violates its condition, one round on those inside is all."""
    task = task_of(X, y, **{**DEEP, "group_l1": 0.3, "tol": 1e-5, "max_iter": 5000})
    (dense,) = train([task])
    inside = dense.weights.coefs[0].any(1)
    assert 0 < inside.sum() < 6
    widths = []

    def watched(tasks):
        widths.append(tasks[0].program.layer_sizes[0])
        return train(tasks)

    (solution,) = solve([replace(task, start=dense.weights)], watched)
    assert widths == [inside.sum()]
    assert_array_equal(solution.weights.coefs[0].any(1), inside)
    assert solution.objective == pytest.approx(dense.objective, rel=1e-6)


def test_relaxed_is_the_unpenalised_fit_on_the_columns():
    task = task_of(X, y, **{**DEEP, "group_l1": 0.3, "max_iter": 100})
    (sparse,) = train([task])
    columns = np.flatnonzero(sparse.weights.coefs[0].any(1))
    (solution,) = relax([task], [sparse.weights], train)
    alone = task_of(X[:, columns], y, **{**DEEP, "alpha": 0.0, "max_iter": 100})
    start = sparse.weights._replace(
        coefs=[sparse.weights.coefs[0][columns], sparse.weights.coefs[1]]
    )
    (expected,) = train([replace(alone, start=start)])
    assert_array_equal(solution.weights.coefs[0][columns], expected.weights.coefs[0])
    assert not np.delete(solution.weights.coefs[0], columns, axis=0).any()
    assert solution.objective == expected.objective < sparse.objective


@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("target", [y, np.column_stack([y, X[:, 2]])], ids=["one", "two"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_refits_on_some_columns_are_stopped_by_the_held_out_rows(solver, target, csr):
    """Their score is R2 of the network on all columns, where those left out are zero."""
    stored = sparse.csr_matrix if csr else np.array
    task = task_of(
        stored(X[:60]),
        target[:60],
        validation=(stored(X[60:]), target[60:]),
        hidden_layer_sizes=4,
        activation="identity",
        solver=solver,
        early_stopping=True,
        max_iter=20,
        learning_rate_init=0.01,
    )
    (dense,) = train([task])
    support = np.array([0, 1, 4])
    start = dense.weights.restrict(support).embed(support, 6)
    (refit,) = relax([task], [start], train)
    (inner, outer), (shift, end) = refit.weights.coefs, refit.weights.intercepts
    assert_array_equal(np.flatnonzero(inner.any(1)), support)
    outputs = (X[60:] @ inner + shift) @ outer + end
    assert refit.validation_score == pytest.approx(r2_score(target[60:], outputs), abs=1e-8)


def test_certificates_of_wide_sparse_data_are_made_of_few_rows_at_a_time(monkeypatch):
    """Blocks are bounded in memory, and what is computed in them is the same."""
    wide = sparse.random(300, 5000, density=0.01, random_state=0, format="csr")
    task = task_of(wide, RNG.normal(size=300), **DEEP)
    layout = Layout(task.program)
    row = RNG.normal(size=(1, layout.size))
    own = [penalty_numbers(task, layout)]
    (whole,) = objective_of([task], own, layout).certificates(row)
    monkeypatch.setattr(perceptron, "MOST_NUMBERS", 2**14)
    monkeypatch.setattr(perceptron, "BLOCK_NUMBERS", 2**14)
    objective = objective_of([task], own, layout)
    tracemalloc.start()
    (blocked,) = objective.certificates(row)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert blocked == pytest.approx(whole, rel=1e-10)
    assert peak < 3e6  # X would have 12 MB
    for width in (10**3, 10**5, 10**7):
        assert perceptron.block_rows((width, 5, 1)) in (1, 2**14 // width)


@pytest.mark.parametrize("as_matrix", [np.asarray, sparse.csr_array])
def test_working_sets_of_wide_data_double_and_are_certified_on_all_features(as_matrix, monkeypatch):
    """Each round at most doubles them; where it ends no feature violates its condition."""
    monkeypatch.setattr(working_set, "SMALLEST_STEP", 3)
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(40, 220))
    target = np.tanh(wide[:, :12]) @ rng.uniform(1, 2, 12)
    params = {**DEEP, "tol": 1e-6, "max_iter": 3000, "max_fun": 30000, "group_l1": 0.05}
    task = task_of(as_matrix(wide), target, **params)
    start = train([task])[0].weights.restrict(np.arange(2)).embed(np.arange(2), 220)
    assert start.support.any()
    sizes = []

    def counting(tasks):
        sizes.append(tasks[0].program.layer_sizes[0])
        return train(tasks)

    (solution,) = solve([replace(task, start=start)], counting)
    assert len(sizes) > 2
    assert all(after <= max(2 * size, size + 3) for size, after in itertools.pairwise(sizes))
    layout = Layout(task.program)
    own = objective_of([task], [penalty_numbers(task, layout)], layout)
    ((value, residual),) = own.certificates(layout.pack(solution.weights)[None])
    assert (solution.objective, solution.optimality) == pytest.approx((value, residual), rel=1e-9)
    assert residual < 1e-4
