"""The change of variables of the deterministic solvers is exact, whatever the data's units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from support.engine_tasks import ScaledProblem, random_row, task_of

from skmlp.engine.descent.objective import FullObjective
from skmlp.engine.network.columns import column_moments
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.task import Samples

RNG = np.random.default_rng(0)
N_ROWS, N_FEATURES = 30, 5
PLAIN = RNG.normal(size=(N_ROWS, N_FEATURES))
DATA = {
    "plain": PLAIN,
    "badly scaled": PLAIN * np.logspace(-6, 6, N_FEATURES),
    "uncentred": PLAIN + 1e3 * np.arange(N_FEATURES),
    "constant columns": PLAIN * [1, 0, 1, 0, 1] + [0, 0, 0, 7, 0],
    "sparse": sparse.csr_array(np.where(PLAIN > 0.5, PLAIN * np.logspace(-2, 2, N_FEATURES), 0)),
}
WEIGHT = RNG.uniform(0.5, 2, N_ROWS)
NETWORKS = {
    "linear": {"hidden_layer_sizes": ()},
    "two layers": {"hidden_layer_sizes": (4, 3), "activation": "tanh"},
    "layer norm": {"hidden_layer_sizes": (4, 3), "activation": "tanh", "normalization": "layer"},
    "batch norm": {"hidden_layer_sizes": (4, 3), "activation": "tanh", "normalization": "batch"},
    "poisson": {"hidden_layer_sizes": (4,), "activation": "silu", "loss": "poisson"},
}


def scaled_problem(data, name, weighted, **params):
    """(objective, its scaled form, a point of it)."""
    y = np.abs(RNG.normal(size=(N_ROWS, 2))) * [1.0, 100.0] + 50.0
    params = {"l1_per_layer": 0.1, "alpha": 3.0, **NETWORKS[name], **params}
    task = task_of(DATA[data], y, WEIGHT if weighted else None, **params)
    layout = Layout(task.program)
    penalty = penalty_numbers(task, layout)
    objective = FullObjective(task, penalty, layout)
    return objective, ScaledProblem(task, penalty, layout), 0.5 * random_row(layout, RNG)


pytestmark = pytest.mark.filterwarnings("ignore:normalization=")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("data", DATA)
def test_gradient_equals_finite_differences(data, name, weighted):
    _, problem, x = scaled_problem(data, name, weighted)
    value, gradient = problem.value_and_gradient(x)
    assert value == pytest.approx(problem.value(x), rel=1e-14)
    step = 1e-6 * np.where(gradient >= 0, 1, -1) * (gradient != 0)
    change = problem.value(x + step) - problem.value(x - step)
    assert change == pytest.approx(2 * gradient @ step, rel=1e-5)
    for j in np.flatnonzero(gradient)[:: max(1, len(x) // 20)]:
        step = np.zeros_like(x)
        step[j] = 1e-5
        change = (problem.value(x + step) - problem.value(x - step)) / 2e-5
        assert change == pytest.approx(gradient[j], rel=1e-4, abs=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("data", DATA)
def test_there_and_back(data, name):
    _, problem, x = scaled_problem(data, name, True)
    assert_allclose(
        problem.scaling.from_original(problem.scaling.to_original(x)), x, rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("data", DATA)
def test_objective_is_the_original_one_in_other_units(data, name):
    objective, problem, x = scaled_problem(data, name, True)
    others = x, x + 0.1 * (x != 0)
    smooth = [problem.value(z) for z in others]
    penalty = [problem.penalty.value(z) for z in others]
    rows = [problem.scaling.to_original(z) for z in others]
    unit = objective.value(rows[0]) / smooth[0]
    assert_allclose([objective.value(r) / unit for r in rows], smooth, rtol=1e-12)
    assert_allclose([objective.penalty.value(r) / unit for r in rows], penalty, rtol=1e-12)


def test_bounds_stay():
    factor = [1.0, np.inf, 0.0, 1.0, 1.0]
    objective, problem, _ = scaled_problem(
        "badly scaled", "two layers", False, positive_weights=True, penalty_factor=factor
    )
    assert_array_equal(problem.penalty.lower, objective.penalty.lower)
    assert_array_equal(problem.penalty.upper, objective.penalty.upper)


def test_standardised_data_are_left_alone():
    """In scaled variables every data set is the standardised one."""
    standard = StandardScaler().fit_transform(PLAIN)
    y = StandardScaler().fit_transform(RNG.normal(size=(N_ROWS, 2)))
    values = []
    for X, target in [(standard, y), (standard * np.logspace(-3, 3, 5) + 9, 40 * y + 1e3)]:
        task = task_of(X, target, hidden_layer_sizes=(4,), activation="tanh", alpha=0.0)
        layout = Layout(task.program)
        problem = ScaledProblem(task, penalty_numbers(task, layout), layout)
        row = random_row(layout, np.random.default_rng(1))
        values.append(problem.value(row))
    assert values[0] == pytest.approx(values[1], rel=1e-11)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("data", DATA)
def test_moments_are_standard_scalers(data, weighted):
    X, weight = DATA[data], WEIGHT if weighted else None
    dense = X.toarray() if sparse.issparse(X) else X
    reference = StandardScaler().fit(dense, sample_weight=weight)
    mean, std = column_moments(Samples(X, np.zeros((N_ROWS, 1)), weight))
    largest = np.where(dense.any(0), np.abs(dense).max(0), 1.0)
    assert_allclose(mean / largest, reference.mean_ / largest, rtol=0, atol=1e-14)
    assert_allclose(std, np.sqrt(reference.var_), rtol=1e-9, atol=0)
