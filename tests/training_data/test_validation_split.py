"""The random validation rows of early stopping: a choice among distinct rows, by their content."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skmlp.training_data.validation_split import validation_rows

RNG = np.random.default_rng(0)
DISTINCT = np.round(RNG.normal(size=(60, 4)), 1) * RNG.integers(2, size=(60, 4))
DISTINCT[:, 0] = RNG.normal(size=60)
OF_ROW = RNG.integers(60, size=200)  # which of the distinct rows each row repeats
X, y = DISTINCT[OF_ROW], np.sin(np.arange(60.0))[OF_ROW, None]
ONES = np.ones(len(X))
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_equal_rows_stay_on_one_side(seed):
    mask = validation_rows(X, y, ONES, 0.2, seed)
    assert set(OF_ROW[mask]).isdisjoint(OF_ROW[~mask])
    assert 0.2 * len(X) <= mask.sum() < 0.2 * len(X) + np.bincount(OF_ROW).max()


def test_rows_that_differ_in_y_alone_may_be_parted():
    same = np.zeros((200, 1))
    mask = validation_rows(same, np.arange(200.0)[:, None], ONES, 0.1, 0)
    assert mask.sum() == 20


@pytest.mark.parametrize("seed", SEEDS)
def test_the_choice_does_not_depend_on_how_rows_are_written(seed):
    mask = validation_rows(X, y, ONES, 0.2, seed)
    order = RNG.permutation(len(X))
    assert_array_equal(validation_rows(X[order], y[order], ONES, 0.2, seed), mask[order])
    assert_array_equal(validation_rows(sparse.csr_array(X), y, ONES, 0.2, seed), mask)
    assert_array_equal(validation_rows(X, 1e6 * y - 3, ONES, 0.2, seed), mask)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_are_repeated_rows(seed):
    used, first, counts = np.unique(OF_ROW, return_index=True, return_counts=True)
    once = validation_rows(X[first], y[first], counts.astype(float), 0.2, seed)
    mask = validation_rows(X, y, ONES, 0.2, seed)
    assert set(used[once]) == set(OF_ROW[mask])


@pytest.mark.parametrize("seed", SEEDS)
def test_each_class_has_its_share(seed):
    strata = np.repeat([0, 1, 2], [120, 60, 20])
    rows = np.arange(200.0)[:, None]
    mask = validation_rows(rows, np.eye(3)[strata], ONES, 0.2, seed, strata)
    assert_array_equal(np.bincount(strata[mask]), [24, 12, 4])
    order = RNG.permutation(200)
    y = np.eye(3)[strata][order]
    other = validation_rows(rows[order], y, ONES, 0.2, seed, strata[order])
    assert_array_equal(other, mask[order])


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_classes_are_of_weight(seed):
    strata = np.repeat([0, 1], 100)
    weight = np.where(np.arange(200) % 100 < 50, 3.0, 1.0)
    mask = validation_rows(np.arange(200.0)[:, None], strata[:, None], weight, 0.2, seed, strata)
    for k in (0, 1):
        inside = strata == k
        assert abs(weight[mask & inside].sum() - 0.2 * weight[inside].sum()) <= 3


def test_two_classes_need_two_rows_each():
    strata = np.append(np.zeros(199, dtype=bool), True)
    with pytest.raises(ValueError, match=r"have only 1 member.*few members are: \['True'\]"):
        validation_rows(np.arange(200.0)[:, None], strata[:, None], ONES, 0.2, 0, strata)
