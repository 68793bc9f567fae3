"""Refits of wide data in the space of their rows: the same outputs, objective and minima."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from support.engine_tasks import task_of

from skmlp.engine.descent.objective import objective_of
from skmlp.engine.epochs.validation_loss import training_outputs
from skmlp.engine.network.first_weights import first_weights
from skmlp.engine.network.layout import Layout
from skmlp.engine.paths.row_space import _RowSpace, has_row_space, train_in_row_spaces
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.runtime import Draws
from skmlp.engine.task import Weights
from skmlp.engine.train import train

RNG = np.random.default_rng(0)
N, P, H = 30, 220, 4
X = RNG.normal(size=(N, P)) * (RNG.random((N, P)) < 0.3) + 0.5 * (np.arange(P) < 3)
Y = np.column_stack([X[:, 0] ** 2 + X[:, 1], X[:, 2]])
NETWORK = {"activation": "tanh", "solver": "lbfgs", "hidden_layer_sizes": H, "alpha": 0.3}
NETWORK |= {"tol": 1e-8, "max_iter": 2000, "max_fun": 20000}
AS_MATRIX = [np.asarray, sparse.csr_array]


def objective(task, weights):
    layout = Layout(task.program)
    own = objective_of([task], [penalty_numbers(task, layout)], layout)
    return own.certificates(layout.pack(weights)[None])[0]


def random_weights():
    return Weights(
        [RNG.normal(size=(P, H)), RNG.normal(size=(H, 2))],
        [RNG.normal(size=H), RNG.normal(size=2)],
        [],
        [],
    )


@pytest.mark.parametrize("as_matrix", AS_MATRIX)
def test_a_start_has_the_outputs_that_it_has_on_all_features(as_matrix):
    """Its norm is that of its part in the span of the centred rows."""
    start = random_weights()
    task = replace(task_of(as_matrix(X), Y, **NETWORK), start=start)
    inside = _RowSpace.of(task).inside(task)
    assert inside.program.layer_sizes == (N, H, 2)
    expected = training_outputs(task, start)
    assert_allclose(training_outputs(inside, inside.start), expected, atol=1e-9)
    rows = np.linalg.qr((X - X.mean(0)).T)[0][:, : N - 1]
    norm = np.linalg.norm(rows.T @ start.coefs[0])
    assert np.linalg.norm(inside.start.coefs[0]) == pytest.approx(norm, rel=1e-9)


@pytest.mark.parametrize("as_matrix", AS_MATRIX)
@pytest.mark.parametrize("weighted", [False, True])
def test_minima_are_those_on_all_features(weighted, as_matrix):
    """Of the same objective, and certified by the gradient with respect to every weight."""
    weight = RNG.uniform(0.5, 2, N) if weighted else None
    task = task_of(as_matrix(X), Y, weight, **NETWORK)
    assert has_row_space(task)
    (inner,) = train([_RowSpace.of(task).inside(task)])
    (solution,) = train_in_row_spaces([task], train)
    value, residual = objective(task, solution.weights)
    assert solution.objective == pytest.approx(inner.objective, rel=1e-9)
    assert (solution.objective, solution.optimality) == pytest.approx((value, residual))
    assert residual < 1e-6
    (on,) = train([replace(task, start=solution.weights)])
    assert on.objective == pytest.approx(solution.objective, rel=1e-7)


def test_first_weights_are_those_of_the_seed():
    """Without a start the network begins where it would on all features."""
    task = task_of(X, Y, **NETWORK)
    inside = _RowSpace.of(task).inside(task)
    expected = training_outputs(task, first_weights(task, Draws.of(task.seed).state))
    assert_allclose(training_outputs(inside, inside.start), expected, atol=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        {"group_l1": 0.1},
        {"l1_per_layer": 0.1},
        {"alpha": 0.0},
        {"positive_weights": True},
        {"penalty_factor": np.arange(1.0, P + 1)},
        {"solver": "adam"},
    ],
)
def test_other_penalties_have_no_row_space(params):
    assert not has_row_space(task_of(X, Y, **{**NETWORK, **params}))


def test_data_with_fewer_columns_than_rows_have_none():
    assert not has_row_space(task_of(X[:, :20], Y, **NETWORK))
