"""Columns that go together, in every form in which users write them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils._param_validation import InvalidParameterError

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)
from skmlp.parameters.feature_groups import feature_groups

NAMES = ["hood_A", "hood_B", "area", "type_x", "hood", "type_y"]
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(60, 6)), columns=NAMES)
y = FRAME["hood_A"] + 0.3 * FRAME["area"] + RNG.normal(size=60)
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0, "random_state": 0}


def groups_of(groups, names=NAMES):
    return feature_groups(groups, 6, names, None)


SAME = {
    "names": [["hood_A", "hood_B"], ["type_x", "type_y"]],
    "positions": [[5, 3], [0, -5]],
    "prefixes": ["hood_*", "type_*"],
    "prefixes and lists": ["hood_*", ["type_y", 3]],
    "numbers": [7, 7, 0, -1, 2, -1],
    "array": np.array([0, 0, 1, 2, 3, 2]),
    "strings": ["h", "h", "area", "t", "hood", "t"],
    "array of strings": np.array(["h", "h", "a", "t", "b", "t"]),
    "Categorical": pd.Categorical(["h", "h", "a", "t", "b", "t"]),
    "numbers and strings": ("1", "1", 1, 0.5, 2, 0.5),
    "dict": {"type_y": 1, "hood_A": "h", "hood_B": "h", "type_x": 1},
    "Series by name": pd.Series([1, 0, 1, 0], index=["hood_A", "type_y", "hood_B", "type_x"]),
    "Series by position": pd.Series([0, 0, 1, 2, 3, 2]),
    "callable": lambda names: ["hood_*", [name for name in names if name.startswith("type_")]],
    "callable that labels": lambda names: [
        name.split("_")[0] if "_" in name else j for j, name in enumerate(names)
    ],
}


@pytest.mark.parametrize("form", SAME)
def test_forms_of_the_same_groups(form):
    assert groups_of(SAME[form]) == (0, 0, 1, 2, 3, 2)


def test_what_a_callable_gets():
    seen = []
    assert groups_of(seen.append) == tuple(range(6))
    assert groups_of(seen.append, None) == tuple(range(6))
    assert_array_equal(seen[0], NAMES)
    assert seen[1] == 6
    assert groups_of(lambda n: np.arange(n) // 2, None) == (0, 0, 1, 1, 2, 2)


def test_no_groups():
    assert groups_of([]) == groups_of({}) == groups_of(None) == tuple(range(6))


WRONG = {
    "too few labels": ([0, 0, 1], r"feature_groups holds 3 labels, but X has 6 features.*\[0, 0"),
    "missing label": ([0, 0, 1, 1, 2, np.nan], "feature_groups must have .* as labels, got nan"),
    "no label": ([0, 0, 1, 1, 2, None], "feature_groups must have .* as labels, got None"),
    "number in lists": ([["area"], 3], r"feature_groups must hold non-empty lists.* got 3 in it"),
    "name in lists": ([["area"], "hood"], r"or strings 'prefix\*', got 'hood' in it"),
    "unknown prefix": (["Hood_*"], r"feature_groups names 'Hood_\*'.* none whose name begins so"),
    "prefixes of one column": (["hood*", "hood_*"], "feature_groups holds a column twice"),
    "unknown name": ({"Hood": 1}, "feature_groups names 'Hood', a column that X does not have"),
    "columns by group": ({"area": ["hood_A"]}, r"as labels, got \['hood_A'\]"),
    "name twice": (pd.Series([0, 1], ["area", "area"]), "feature_groups has an index with a name"),
    "string returned": (lambda names: "hood", "feature_groups must be lists of .* got 'hood'"),
    "number returned": (lambda names: 3, "feature_groups must be lists of columns.* got 3"),
    "callable returned": (lambda names: len, "feature_groups must be lists .* got <built-in func"),
}


@pytest.mark.parametrize("case", WRONG)
def test_groups_that_make_no_sense(case):
    groups, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        groups_of(groups)


@pytest.mark.parametrize("groups", [["hood_*"], {"hood_A": 1}])
def test_names_where_there_are_none(groups):
    with pytest.raises(ValueError, match=r"feature_groups .* no column names"):
        groups_of(groups, None)


@pytest.mark.parametrize("groups", ["hood_*", 3])
def test_what_is_no_form_at_all(groups):
    with pytest.raises(InvalidParameterError, match="'feature_groups' parameter"):
        RegularizedMLPRegressor(feature_groups=groups).fit(FRAME, y)


def chosen(model):
    cv = RegularizedMLPRegressorCV(model, n_strengths=5, cv=3).fit(FRAME, y)
    return cv.mse_path_, cv.path_.feature_norms


ENTRIES = {
    "fit": lambda model: clone(model).fit(FRAME, y).coefs_,
    "path": lambda model: regularization_path(model, FRAME, y, n_strengths=5).feature_norms,
    "CV": chosen,
    "stability": lambda model: (
        stability_selection(model, FRAME, y, n_subsamples=6, random_state=0).frequency
    ),
}


@pytest.mark.parametrize("form", ["prefixes", "strings", "dict", "callable"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_takes_every_form(entry, form):
    model = RegularizedMLPRegressor(**LINEAR, group_l1=0.1, feature_groups=SAME["names"])
    expected = ENTRIES[entry](model)
    found = ENTRIES[entry](model.set_params(feature_groups=SAME[form]))
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b)


def groups_of_levels(names):
    return [name.rsplit("__", 1)[-1].split("_")[0] for name in names]


def test_folds_without_a_rare_level():
    """Each fold's encoder makes other columns; the callable groups those there are."""
    levels = np.array(["a", "b", "c"])[np.arange(60) % 3]
    levels[7] = "rare"
    table = pd.DataFrame({"hood": levels, "area": FRAME["area"]})
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encoder = make_column_transformer((encoder, ["hood"]), remainder="passthrough")
    model = RegularizedMLPRegressor(**LINEAR, group_l1=0.1, feature_groups=groups_of_levels)
    pipeline = make_pipeline(encoder.set_output(transform="pandas"), model)
    by_prefix = clone(pipeline).set_params(
        regularizedmlpregressor__feature_groups=["onehotencoder__hood_*"]
    )
    scores = cross_val_score(pipeline, table, y, cv=3, error_score="raise")
    assert_array_equal(scores, cross_val_score(by_prefix, table, y, cv=3, error_score="raise"))
    support = pipeline.fit(table, y)[-1].get_support()
    assert len(support) == 5
    assert len(set(support[:4])) == 1
    by_name = clone(pipeline).set_params(
        regularizedmlpregressor__feature_groups=[["onehotencoder__hood_rare"]]
    )
    with pytest.raises(ValueError, match="names 'onehotencoder__hood_rare'"):
        cross_val_score(by_name, table, y, cv=3, error_score="raise")
