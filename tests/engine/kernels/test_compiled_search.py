"""The compiled search is step by step that of Python, and keeps its limits and its best."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from programs import random_task
from support.engine_tasks import random_row, task_of

from skmlp.engine.descent.compiled_search import CompiledProblem
from skmlp.engine.descent.kinks import Monitor, least_decrease
from skmlp.engine.descent.panoc import LIMIT_MESSAGE, NOT_FINITE_MESSAGE, panoc, run_alone
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.task import Samples

pytest.importorskip("skmlp.engine.kernels.compiled")
pytestmark = pytest.mark.filterwarnings("ignore:Layers", "ignore:The function", "ignore:The scale")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
Y = X[:, 0] * X[:, 1] + X[:, 2]


def problem_of(task):
    layout = Layout(task.program)
    return CompiledProblem(task, penalty_numbers(task, layout), layout), layout


def compiled(problem, x, monitor, tol=1e-6, max_iter=1000, max_fun=10**5):
    return run_alone(problem.search(x, tol, max_iter, max_fun, monitor), problem)


def monitor_of(problem, tol=1e-6, smooth=True, **params):
    at_kinks = 0.0 if smooth else least_decrease(tol)
    return Monitor(at_kinks, **params)


@pytest.mark.parametrize("seed", range(80))
def test_search_is_that_of_python(seed):
    """Iterates, counts and ends; rounding is amplified, so that the steps are few."""
    task = random_task(seed)
    problem, layout = problem_of(task)
    start = problem.penalty.prox(0.5 * random_row(layout, np.random.default_rng(seed)), 0.0)
    limits = 1e-9, 1 + seed % 6, 10**5
    monitors = [monitor_of(problem, smooth=seed % 2 == 0) for _ in range(2)]
    ours = compiled(problem, start, monitors[0], *limits)
    theirs = panoc(problem, start, *limits, monitors[1])
    assert (ours.n_iter, ours.n_evaluations, ours.message) == (
        theirs.n_iter,
        theirs.n_evaluations,
        theirs.message,
    )
    assert_allclose(ours.x, theirs.x, rtol=0, atol=1e-7 * max(1, np.abs(theirs.x).max()))
    assert_array_equal(ours.x == 0, theirs.x == 0)
    assert ours.residual == pytest.approx(theirs.residual, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("activation", ["tanh", "softplus", "gelu"])
@pytest.mark.parametrize("seed", range(4))
def test_ends_are_stationary(seed, activation):
    """By numpy's prox of the gradient there."""
    network = {"activation": activation, "hidden_layer_sizes": (6,), "alpha": 1.0}
    task = random_task(seed, losses=["squared_error", "poisson"], **network)
    problem, layout = problem_of(task)
    start = 0.5 * random_row(layout, np.random.default_rng(seed))
    end = compiled(problem, start, monitor_of(problem), max_iter=5000)
    _, gradient = problem.value_and_gradient(end.x)
    assert end.residual <= 1e-6
    assert end.residual == pytest.approx(problem.penalty.residual(end.x, gradient), abs=1e-12)


@pytest.mark.parametrize("limits", [{"max_iter": 3}, {"max_fun": 5}])
def test_limits_end_a_search_with_its_best(limits):
    problem, layout = problem_of(task_of(X, Y, hidden_layer_sizes=(7,), activation="tanh"))
    monitor = monitor_of(problem)
    end = compiled(problem, random_row(layout, RNG), monitor, **limits)
    assert end.message == LIMIT_MESSAGE
    assert end.n_iter <= 3
    assert monitor.least == pytest.approx(problem.value(end.x), rel=1e-12)
    assert_array_equal(monitor.best[1], end.x)
    assert end.residual > 1e-6


def test_stalls_at_kinks_and_only_there():
    problem, layout = problem_of(task_of(X, Y, hidden_layer_sizes=(20,), alpha=0.01))
    start = random_row(layout, RNG)
    rough = monitor_of(problem, tol=1e-2, smooth=False)
    end = compiled(problem, start, rough, tol=1e-9, max_iter=3000)
    assert rough.stalled
    assert end.n_iter < 3000
    smooth = monitor_of(problem)
    assert compiled(problem, start, smooth, tol=1e-12, max_iter=end.n_iter + 20).n_iter > end.n_iter
    assert not smooth.stalled


def test_starts_that_are_no_numbers():
    task = task_of(X, Y, hidden_layer_sizes=(3,))
    problem, layout = problem_of(task)
    row = random_row(layout, RNG)
    row[0] = np.nan
    end = compiled(problem, row, monitor_of(problem))
    assert end.message == NOT_FINITE_MESSAGE
    assert end.residual == np.inf
    assert end.n_iter == 0


def test_rows_are_passed_through_in_blocks():
    """Many rows, the same few again and again, have the minimum of the few."""
    task = task_of(X, Y, hidden_layer_sizes=(300,), activation="tanh", alpha=0.0)
    rows = np.tile(np.arange(80), 60)
    many = Samples(X, np.tile(Y[:, None], (60, 1)), rows=rows)
    many = replace(task, train=many, program=replace(task.program, n_samples=len(rows)))
    ends = []
    for one in (task, many):
        problem, layout = problem_of(one)
        start = random_row(layout, np.random.default_rng(0)) / 10
        ends.append(compiled(problem, start, monitor_of(problem), max_iter=5))
    assert_allclose(ends[0].x, ends[1].x, rtol=0, atol=1e-8)


def test_monitors_tell_of_every_iteration_what_python_tells():
    problem, layout = problem_of(task_of(X, Y, hidden_layer_sizes=(5,), activation="tanh"))
    start = random_row(layout, RNG) / 10
    told = {compiled: [], run_python: []}
    for run, record in told.items():
        monitor = monitor_of(
            problem, tell=lambda m, record=record: record.append((m.n_told, *m.best))
        )
        end = run(problem, start, monitor, max_iter=25)
        assert_array_equal(record[-1][2], end.x)
    numbers, least, rows = zip(*told[compiled], strict=True)
    assert numbers == tuple(range(1, 26))
    assert_allclose(least, [value for _, value, _ in told[run_python]], rtol=1e-8)
    assert_allclose(least, [problem.value(row) for row in rows], rtol=1e-12)


def run_python(problem, x, monitor, max_iter):
    return panoc(problem, x, 1e-6, max_iter, 10**5, monitor, monitor.see)
