"""Ranks of rows are lexicographic whatever the order, and folds keep units whole."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from scipy.stats import rankdata

from skmlp.training_data.row_order import drawn_folds, row_ranks

RNG = np.random.default_rng(0)
TABLES = {
    "distinct": RNG.normal(size=(50, 3)),
    "ties in the first columns": RNG.integers(0, 3, size=(60, 4)).astype(float),
    "all equal": np.ones((7, 2)),
    "one column": RNG.integers(0, 5, size=(30, 1)).astype(float),
}


@pytest.mark.parametrize("name", TABLES)
def test_ranks_are_those_of_sorted_rows(name):
    table = TABLES[name]
    _, inverse = np.unique(table, axis=0, return_inverse=True)
    expected = rankdata(inverse.ravel(), method="min") - 1
    assert_array_equal(row_ranks(table), expected)
    assert_array_equal(row_ranks(sparse.csr_array(table)), expected)
    assert_array_equal(row_ranks(table[:, :1], table[:, 1:]), expected)
    assert_array_equal(row_ranks(3.3 * table + 1e3), expected)


def test_ranks_do_not_depend_on_the_order_of_rows():
    table, order = TABLES["ties in the first columns"], RNG.permutation(60)
    assert_array_equal(row_ranks(table[order]), row_ranks(table)[order])


@pytest.mark.parametrize("n_folds", [2, 5])
def test_folds_are_as_equal_as_units_let_them(n_folds):
    singles = drawn_folds(n_folds, np.arange(52), np.random.RandomState(0))
    assert np.ptp(np.bincount(singles)) <= 1
    unit = np.repeat(np.arange(20), RNG.integers(1, 6, 20))
    fold = drawn_folds(n_folds, unit, np.random.RandomState(0))
    assert all(len({*fold[unit == one]}) == 1 for one in range(20))
    assert np.ptp(np.bincount(fold)) <= 5
    again = drawn_folds(n_folds, unit, np.random.RandomState(1))
    assert (fold != again).any()


@pytest.mark.parametrize("n_folds", [2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_labels_are_shared_out_evenly(seed, n_folds):
    """Those of single rows to one row; rows without a label make up for the sizes."""
    labels = np.random.default_rng(seed).uniform(size=(203, 5)) < [0.03, 0.1, 0.2, 0.3, 0.4]
    fold = drawn_folds(n_folds, np.arange(203), np.random.RandomState(seed), labels)
    counts = np.array([labels[fold == k].sum(0) for k in range(n_folds)])
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(np.bincount(fold)) <= 1


def test_one_label_is_shared_out_as_two_classes_are():
    label = np.random.default_rng(0).uniform(size=101) < 0.2
    fold = drawn_folds(4, np.arange(101), np.random.RandomState(0), label[:, None])
    for side in (label, ~label):
        assert np.ptp(np.bincount(fold[side])) <= 1


def test_units_with_labels_stay_whole():
    unit, labels = RNG.integers(30, size=100), RNG.uniform(size=(100, 3)) < 0.3
    fold = drawn_folds(5, unit, np.random.RandomState(0), labels)
    assert all(len(np.unique(fold[unit == one])) == 1 for one in np.unique(unit))
