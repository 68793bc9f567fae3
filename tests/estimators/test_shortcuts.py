"""Shortcuts around fits of plain arrays give what scikit-learn's longer ways give."""

import re
from numbers import Real

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, InvalidParameterError
from sklearn.utils.validation import validate_data

from skmlp import RegularizedMLPRegressor
from skmlp.estimators.shortcuts import r2_of_arrays, valid_defaults
from skmlp.training_data.plain_arrays import checked_pair, checked_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(37, 4))
Y = np.column_stack([X @ [1.0, -1.0, 0.5, 0.0], X[:, 0] ** 2, RNG.normal(size=37)])


def network(**params):
    given = {"hidden_layer_sizes": (3,), "solver": "lbfgs", "tol": 1.0, "random_state": 0}
    return RegularizedMLPRegressor(**{**given, **params})


# R2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(2,), (3,), (37,), (1000,), (50, 1), (37, 3), (400, 7)])
def test_r2_has_the_bits_of_scikit_learn(dtype, shape):
    for size, offset in [(1.0, 0.0), (1e-2, 3.0), (1e6, -1e3)]:
        y = (size * RNG.normal(size=shape) + offset).astype(dtype)
        prediction = (y + size * RNG.normal(size=shape)).astype(dtype)
        for given in (y, y[::-1], np.asfortranarray(y)):
            found = r2_of_arrays(given, prediction)
            assert type(found) is float
            assert found == r2_score(given, prediction)
        assert r2_of_arrays(y, y) == 1.0 == r2_score(y, y)


@pytest.mark.parametrize(
    "y, prediction",
    [
        (np.ones(5), np.arange(5.0)),  # no variance
        (np.column_stack([np.ones(5), np.arange(5.0)]), np.zeros((5, 2))),
        (np.ones(1), np.ones(1)),
        (np.arange(5), np.arange(5.0)),
        (np.arange(5.0), np.arange(5.0, dtype=np.float32)),
        (np.arange(5.0)[:, None], np.arange(5.0)),
        ([0.0, 1.0], np.arange(2.0)),
        (np.array([0.0, np.nan]), np.arange(2.0)),
        (np.array([0.0, np.inf]), np.arange(2.0)),
        (np.arange(2.0), np.array([0.0, -np.inf])),
        (np.array([0.0, 1e200]), np.arange(2.0)),
        (np.array(["a", "b"]), np.arange(2.0)),
    ],
)
def test_r2_of_anything_else_is_left_to_scikit_learn(y, prediction):
    assert r2_of_arrays(y, prediction) is None


def test_scores_are_those_of_scikit_learn():
    weight = np.linspace(0.5, 2.0, 37)
    for y in (Y[:, 0], Y):
        model = network().fit(X, y)
        prediction = model.predict(X)
        for given in (y, y.tolist(), y.astype(np.float32)):
            assert model.score(X, given) == r2_score(given, prediction)
        assert model.score(X, y, weight) == r2_score(y, prediction, sample_weight=weight)
    with pytest.raises(ValueError, match="NaN"):
        model.score(X, np.full_like(Y, np.nan))


# Parameters


class Wider(RegularizedMLPRegressor):
    """Another parameter, and a default that its own constraints forbid."""

    _parameter_constraints = {
        **RegularizedMLPRegressor._parameter_constraints,
        "alpha": [Interval(Real, 1.0, None, closed="left")],
    }

    def __init__(self, width=7, alpha=0.5):
        super().__init__(alpha=alpha)
        self.width = width


def test_names_are_those_of_each_class():
    assert Wider._get_param_names() == ["alpha", "width"]
    names = RegularizedMLPRegressor._parameter_constraints
    assert RegularizedMLPRegressor._get_param_names() == sorted(names)
    assert clone(Wider(width=3)).get_params() == {"alpha": 0.5, "width": 3}


def test_defaults_are_valid_and_known():
    assert valid_defaults(RegularizedMLPRegressor) == RegularizedMLPRegressor().get_params()
    assert valid_defaults(Wider) == {"width": 7}


def test_defaults_that_are_not_allowed_are_errors():
    with pytest.raises(InvalidParameterError, match=r"'alpha' parameter of Wider.* Got 0\.5"):
        Wider()._validate_params()
    Wider(alpha=1.0)._validate_params()


@pytest.mark.parametrize("name", RegularizedMLPRegressor._parameter_constraints)
def test_every_other_value_is_checked(name):
    model = network().set_params(**{name: object()})
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of Regularized"):
        model.fit(X, Y)


# Arrays

AWKWARD = [
    X[:, :3],
    X[:0],
    X[0],
    X[None],
    np.where(X > 1, np.nan, X),
    np.where(X > 1, np.inf, X),
    X.astype(complex),
    X > 0,
    X.astype(int),
    X.astype(np.float16),
    X.astype(np.float32),
    X.tolist(),
    np.asfortranarray(X),
    X[::2],
    X[:, ::-1],
    X.view(np.matrix),
    X.astype(">f8"),
    None,
    "text",
]


def outcome(function):
    """What it returns, with the dtypes and orders of arrays, or the kind and words of its error."""
    try:
        arrays = function()
    except Exception as error:
        return type(error), re.sub("0x[0-9a-f]+", "", str(error))
    arrays = arrays if isinstance(arrays, tuple) else (arrays,)
    return [(type(a), a.dtype, a.flags.c_contiguous, a.tolist()) for a in arrays]


@pytest.mark.parametrize("rows", [X, *AWKWARD], ids=lambda rows: type(rows).__name__)
def test_rows_are_checked_as_scikit_learn_checks_them(rows):
    model = network().fit(X, Y)
    found = outcome(lambda: checked_rows(model, rows))
    sparse = {"accept_sparse": ["csr", "csc"]}
    assert found == outcome(lambda: validate_data(model, rows, **sparse, reset=False))


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("rows", [X, *AWKWARD], ids=lambda rows: type(rows).__name__)
def test_pairs_are_checked_as_scikit_learn_checks_them(rows, reset):
    params = {
        "accept_sparse": ["csr", "csc"],
        "multi_output": True,
        "y_numeric": True,
        "dtype": (np.float64, np.float32),
        "order": "C",
        "reset": reset,
    }
    for y in (Y, Y[:, 0], Y[:, :1], Y[1:], Y[None], np.where(Y > 1, np.nan, Y), Y.tolist(), None):
        ours, theirs = network().fit(X, Y), network().fit(X, Y)
        found = outcome(lambda y=y, model=ours: checked_pair(model, rows, y, reset=reset))
        assert found == outcome(lambda y=y, model=theirs: validate_data(model, rows, y, **params))
        assert ours.n_features_in_ == theirs.n_features_in_


def test_plain_arrays_are_not_copied():
    model = network().fit(X, Y)
    assert checked_rows(model, X) is X
    assert checked_pair(model, X, Y, reset=True)[0] is X


def test_names_are_compared_and_forgotten():
    pandas = pytest.importorskip("pandas")
    model = network().fit(pandas.DataFrame(X, columns=list("abcd")), Y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        found = model.predict(X)
    assert list(model.feature_names_in_) == list("abcd")
    model.fit(X, Y)
    assert not hasattr(model, "feature_names_in_")
    assert_array_equal(model.predict(X), found)
