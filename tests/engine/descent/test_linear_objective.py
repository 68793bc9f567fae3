"""The objective of sparse linear models is that of the same rows as a dense array."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from support.engine_tasks import task_of

from skmlp.engine.descent.linear_objective import SparseLinear, is_sparse_linear
from skmlp.engine.descent.objective import SparseLinearObjective, StackObjective, objective_of
from skmlp.engine.losses.table import REGRESSION
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)) * (RNG.uniform(size=(30, 4)) < 0.4)
Y = RNG.gamma(2.0, size=(30, 2))
WEIGHT = RNG.uniform(0.5, 2, 30)
OFFSET = RNG.normal(size=(30, 2))


def tasks_of(loss, offset=None, weight=None):
    """The same task with sparse rows and with dense ones."""
    params = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 3.0, "loss": loss}
    dense = task_of(X, Y, **params)
    program = replace(dense.program, weighted=weight is not None)
    train = replace(dense.train, offset=offset, weight=weight)
    dense = replace(dense, program=program, train=train)
    return replace(dense, train=replace(train, X=sparse.csr_array(X))), dense


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("offset", [None, OFFSET], ids=["plain", "offset"])
@pytest.mark.parametrize("loss", REGRESSION)
def test_equals_the_stack_on_dense_rows(loss, offset, weight):
    task, dense = tasks_of(loss, offset, weight)
    layout = Layout(task.program)
    penalties = [penalty_numbers(task, layout)]
    ours, expected = (
        objective_of([task], penalties, layout),
        StackObjective([dense], penalties, layout),
    )
    assert isinstance(ours, SparseLinearObjective)
    row = layout.pack(layout.unpack(RNG.normal(size=layout.size), "float64"))[None]
    for found, known in zip(ours.evaluate(row, True), expected.evaluate(row, True), strict=True):
        assert_allclose(found, known, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("loss", ["poisson", "huber", "gamma"])
def test_gradient_equals_finite_differences(loss):
    task, _ = tasks_of(loss, OFFSET, WEIGHT)
    layout = Layout(task.program)
    model = SparseLinear(task, penalty_numbers(task, layout), layout)
    row = layout.pack(layout.unpack(RNG.normal(size=layout.size), "float64"))
    _, gradient = model.evaluate(row, True)
    for k in range(10):
        step = 1e-6 * (np.arange(layout.size) == k)
        slope = (model.evaluate(row + step, False)[0] - model.evaluate(row - step, False)[0]) / 2e-6
        assert slope == pytest.approx(gradient[k], rel=1e-6, abs=1e-8)


def test_networks_and_dense_rows_are_for_others():
    task, dense = tasks_of("poisson")
    network = task_of(sparse.csr_array(X), Y, hidden_layer_sizes=(2,))
    assert [is_sparse_linear(one) for one in (task, dense, network)] == [True, False, False]
