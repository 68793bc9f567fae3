"""A sparse X in the moments of linear models: what the dense one gives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skmlp.engine.linear import lasso
from skmlp.engine.linear.gram import Columns
from skmlp.engine.linear.lasso import Moments
from skmlp.engine.linear.screened.working_columns import WorkingColumns
from skmlp.engine.network.columns import column_moments
from skmlp.engine.task import Samples

RNG = np.random.default_rng(0)


def pair(rows=None):
    """The same samples dense and sparse, with entries that are zeros and entries given twice."""
    X = np.round(RNG.normal(size=(12, 30)) * (RNG.random((12, 30)) < 0.4), 2)
    X[:, 0], X[:, 1], X[:, 2] = 0.0, 0.1, 1e6
    X[:, 3] = 1e3 + RNG.normal(size=12)
    halves, columns = np.tile(X / 2, 2).ravel(), np.tile(np.arange(30), 24)
    csr = sparse.csr_matrix((halves, columns, 60 * np.arange(13)))
    assert_array_equal(csr.toarray(), X)
    y, weight = RNG.normal(size=(12, 2)), RNG.uniform(1, 2, 12)
    if rows is not None:
        y, weight = y[rows], weight[rows]
    return Samples(X, y, weight, rows), Samples(csr, y, weight, rows)


@pytest.mark.parametrize("rows", [None, np.array([5, 1, 3, 8, 9, 11])])
def test_moments_of_entries_are_those_of_rows(rows):
    (mean, std), (mean_of_entries, std_of_entries) = map(column_moments, pair(rows))
    assert_allclose(mean_of_entries, mean, rtol=1e-13)
    assert_allclose(std_of_entries, std, rtol=1e-12)
    assert_array_equal(std_of_entries[:3], 0.0)


def test_small_sparse_columns_are_dense():
    dense, small = (Moments(samples) for samples in pair())
    assert_allclose(small.gram.columns, dense.gram.columns, atol=1e-14)


def test_implicit_columns_are_the_dense_ones(monkeypatch):
    monkeypatch.setattr(lasso, "SMALL", 0)
    dense, implicit = (Moments(samples) for samples in pair())
    assert isinstance(dense.gram, Columns)
    assert not isinstance(implicit.gram, Columns)
    some, v, b = np.array([4, 3, 9]), RNG.normal(size=(12, 2)), RNG.normal(size=(30, 2))
    a, c = dense.gram, implicit.gram
    assert_allclose(implicit.cross, dense.cross, atol=1e-13)
    assert_allclose(c.take(some), a.take(some), atol=1e-13)
    assert_allclose(c.times_rows(v), a.times_rows(v), atol=1e-12)
    assert_allclose(c.times_rows(v[:, 0]), a.times_rows(v[:, 0]), atol=1e-12)
    assert_allclose(c.times(b), a.times(b), atol=1e-11)
    assert_allclose(c.block(some, some), a.block(some, some), atol=1e-13)
    assert_allclose(c.image(some, b[:3]), a.image(some, b[:3]), atol=1e-13)
    assert_allclose(c.slope(some, v), a.slope(some, v), atol=1e-13)
    assert_allclose(c.of(some).columns, a.of(some).columns, atol=1e-13)
    l2 = np.full(3, 0.1)
    assert_allclose(c.solve(some, l2, b[:3, 0]), a.solve(some, l2, b[:3, 0]), rtol=1e-11)


def test_working_columns_grow():
    columns = Columns(RNG.normal(size=(20, 200)))
    working, order = WorkingColumns(columns, 200), RNG.permutation(200)
    for entering in np.array_split(order, 7):
        working.admit(entering)
        members = working.members
        assert_allclose(working.gram.matrix, columns.block(members, members), atol=1e-12)
        assert_array_equal(working.place[members], np.arange(members.size))
    b = RNG.normal(size=3)
    image = columns.columns[:, order[[5, 150, 7]]] @ b
    assert_allclose(working.image(np.array([5, 150, 7]), b), image, atol=1e-12)
