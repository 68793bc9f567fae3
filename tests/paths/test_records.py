"""What paths and stability selections say of themselves, and when they are equal."""

import copy
import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skmlp import RegularizedMLPRegressor, regularization_path, stability_selection

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 30))
y = X[:, 0] + 0.5 * rng.normal(size=50)
LASSO = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
NETWORK = RegularizedMLPRegressor(
    hidden_layer_sizes=3, activation="tanh", solver="lbfgs", alpha=1, tol=1e-2, random_state=0
)


def path(model=LASSO, **settings):
    settings = {"n_strengths": 4, "adaptive": False} | settings
    return regularization_path(model, X, y, **settings)


def selection(**settings):
    settings = {"n_subsamples": 5, "n_strengths": 4, "random_state": 0} | settings
    return stability_selection(LASSO, X, y, **settings)


RECORDS = {
    "lasso": lambda: path(),
    "network": lambda: path(NETWORK, relaxed=False),
    "layer normalisation": lambda: path(
        clone(NETWORK).set_params(normalization="layer"), n_strengths=2
    ),
    "selection": lambda: selection(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("record", RECORDS.values(), ids=list(RECORDS))
def test_copies_are_equal_and_other_numbers_are_not(record):
    record = record()
    assert record == copy.copy(record) == copy.deepcopy(record)
    assert pickle.loads(pickle.dumps(record)) == record
    assert record != replace(record, strengths=record.strengths * 2)
    assert record != replace(record, strengths=record.strengths[1:])
    assert record != replace(record, feature_names=np.array([f"x{j}" for j in range(30)], object))
    assert (record == 3, record == None, record != "path") == (False, False, True)  # noqa: E711


def test_paths_with_other_weights_are_not_equal():
    one, other = path(), path()
    assert one == other
    other.models[1].coefs_[0] = other.models[1].coefs_[0] + 1e-9
    assert one != other
    assert one != replace(one, models=one.models[:-1])
    assert one != path(relaxed=False)


def test_numbers_that_are_not_are_equal_in_the_same_place():
    one = path()
    gap = replace(one, r2=np.where(np.arange(len(one.r2)) == 1, np.nan, one.r2))
    assert gap == copy.deepcopy(gap)
    assert gap != one


def test_selection_and_path_are_not_equal():
    assert selection() != path()


def test_equal_things_with_arrays_have_no_hash():
    for record in (path(), selection()):
        with pytest.raises(TypeError, match="unhashable type"):
            hash(record)


def test_path_in_one_line():
    record = path(strengths=[0.05, 0.1, 10])
    left = record.n_features[0]
    assert repr(record) == (
        f"<RegularizationPath of group_l1: 3 strengths from 0.05 to 10; {left} to 0 of 30 "
        "features, with relaxed refits>"
    )
    assert repr(path(strengths=[10], relaxed=False)) == (
        "<RegularizationPath of group_l1: 1 strength from 10 to 10; 0 to 0 of 30 features>"
    )


def test_selection_in_one_line():
    record = selection()
    bound = f"{record.false_bound[record.start]:.3g}"
    assert repr(record).startswith(
        f"<StabilitySelection: {record.support.sum()} of 30 features stable at threshold=0.75, "
        f"bound on false ones {bound}; 4 strengths from "
    )
    assert "bound on false ones none" in repr(replace(record, start=None))


# Tables


def test_table_of_a_path():
    record = path()
    table = record.to_frame()
    assert [*table] == [
        "strength",
        "n_features",
        "n_groups",
        "objective",
        "optimality",
        "r2",
        "relaxed_r2",
    ]
    assert_array_equal(table["strength"], record.strengths)
    for name in [*table][1:]:
        assert_array_equal(table[name], getattr(record, name))
    assert "relaxed_r2" not in path(relaxed=False).to_frame()


def test_groups_count_once_where_a_penalty_holds_them_together():
    groups = np.arange(30) // 3
    model = clone(LASSO).set_params(feature_groups=groups)
    together = path(model)
    assert_array_equal(together.n_features, 3 * together.n_groups)
    assert 1 < together.n_groups[0] <= 10
    assert together.n_groups[-1] == 0
    held = path(model.set_params(group_l1=0.01), param="l1_per_layer")
    inside = held.support.reshape(-1, 10, 3).any(2).sum(1)
    assert_array_equal(held.n_groups, inside)
    assert (inside < held.n_features).any()
    for single in (path(), path(model.set_params(group_l1=0.0), param="l1_per_layer")):
        assert_array_equal(single.n_groups, single.n_features)


def test_table_without_pandas_says_what_to_install(monkeypatch):
    record = path()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_frame needs pandas: pip install pandas"):
        record.to_frame()
