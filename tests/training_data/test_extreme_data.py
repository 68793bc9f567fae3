"""Data at the edges: few rows, extreme values and units, small batches, arrays of any layout."""

import re
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from support.hostile_input import NORMALIZATIONS, SOLVERS, WEIGHTS, X, public_state, regressor, y

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:overflow:RuntimeWarning"
)
ONES = np.ones(40)


def assert_clear_error_or_finite(words, model, X, y, *args, **kwargs):
    """A ValueError that contains one of ``words`` and an unfitted model, or finite predictions."""
    message = ""
    try:
        model.fit(X, y, *args, **kwargs)
    except ValueError as error:
        message = str(error)
    if message:
        assert re.search(words, message)
        assert not public_state(model)
    else:
        assert np.isfinite(model.predict(X)).all()


# Data at the edges


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_single_row(solver, normalization):
    words = "row|sample|normalization"
    model = regressor(solver=solver, normalization=normalization)
    assert_clear_error_or_finite(words, model, X[:1], y[:1])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_empty(early_stopping):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        regressor(early_stopping=early_stopping).fit(X[:0], y[:0])
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        regressor(early_stopping=early_stopping).fit(X[:, :0], y)


@pytest.mark.parametrize("params", [{}, {"positive_weights": True}, {"l1_per_layer": 0.1}], ids=str)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_constant_columns(solver, normalization, params):
    constant = X.copy()
    constant[:, :2] = (0.0, 7.0)
    for data in (constant, np.full_like(X, 3.0)):
        model = regressor(solver=solver, normalization=normalization, **params).fit(data, y)
        assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("params", [{}, {"positive_weights": True}, {"l1_per_layer": 0.1}], ids=str)
@pytest.mark.parametrize("solver", SOLVERS)
def test_constant_y(solver, params):
    for value in (0.0, 5.0, -1e8):
        model = regressor(solver=solver, max_iter=300, tol=1e-9, **params).fit(
            X, np.full(40, value)
        )
        assert np.isfinite(model.predict(X)).all()
        if solver == "lbfgs":
            assert_allclose(model.predict(X), value, rtol=1e-3, atol=1e-3)
    columns = np.column_stack([y, np.full(40, 5.0)])
    model = regressor(solver=solver, **params).fit(X, columns)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scale", [1e39, 1e160, 1e300])
def test_huge_values(scale, solver):
    words = "[Ss]cale|large|infinity"
    for data in ((X, y * scale), (X * scale, y), (X.astype(np.float32), y * scale)):
        assert_clear_error_or_finite(words, regressor(solver=solver), *data)


@pytest.mark.parametrize("solver", SOLVERS)
def test_too_large_for_float32(solver):
    single = X.astype(np.float32)
    model = regressor(solver=solver)
    with pytest.raises(ValueError, match="too large for dtype"):
        model.fit(single * np.float32(1e38) * np.float32(1e3), y)
    assert not public_state(model)
    for data in ((single, y * 1e37), (single * np.float32(1e37), y)):
        assert_clear_error_or_finite("[Ss]cale|large", regressor(solver=solver), *data)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_mini_batch_without_weight(solver, normalization):
    """The weights of rows 10 to 19, one batch when nothing is shuffled, are all zero."""
    weights = np.where(np.arange(40) // 10 == 1, 0.0, WEIGHTS)
    params = {"solver": solver, "normalization": normalization, "batch_size": 10}
    model = regressor(**params, shuffle=False).fit(X, y, weights)
    other = np.where(weights == 0, 1e3, y)
    assert np.isfinite(model.predict(X)).all()
    expected = regressor(**params, shuffle=False).fit(X, other, weights)
    assert_array_equal(model.predict(X), expected.predict(X))


# Batches


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_last_partial_batch_is_used(solver, normalization):
    params = {"solver": solver, "normalization": normalization, "batch_size": 10, "shuffle": False}
    for n in (21, 25):
        model = regressor(**params).fit(X[:n], y[:n])
        other = X[:n].copy()
        other[-1] += 1
        assert model.t_ == 10 * n
        changed = regressor(**params).fit(other, y[:n])
        assert np.abs(model.coefs_[0] - changed.coefs_[0]).max() > 1e-6


@pytest.mark.parametrize("batch_size", [1, 2, 39])
def test_tiny_batches_with_normalization(batch_size):
    for normalization in NORMALIZATIONS:
        model = regressor(normalization=normalization, batch_size=batch_size)
        assert_clear_error_or_finite("batch_size", model, X, y)


# Arrays


def negative_strides(array):
    return array[::-1].copy()[::-1]


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def strided(array):
    return np.repeat(array, 2, axis=0)[::2]


def unaligned(array):
    buffer = np.zeros(array.nbytes + 1, dtype=np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    "variant",
    [
        read_only,
        negative_strides,
        strided,
        unaligned,
        np.asfortranarray,
        partial(np.asarray, dtype=">f8"),
        partial(np.asarray, dtype=np.longdouble),
        partial(np.asarray, dtype=object),
    ],
)
def test_arrays_of_every_layout(variant, solver):
    plain = regressor(solver=solver, batch_size=15)
    other = regressor(solver=solver, batch_size=15)
    plain.fit(X, y, WEIGHTS)
    other.fit(variant(X), variant(y), variant(WEIGHTS))
    assert_allclose(other.predict(variant(X)), plain.predict(X), rtol=1e-9)


def test_weights_without_strides():
    expected = regressor().fit(X, y, ONES).predict(X)
    assert_array_equal(regressor().fit(X, y, np.broadcast_to(1.0, 40)).predict(X), expected)


def test_sparse_with_long_indices_and_read_only_data():
    matrix = sparse.csr_array(np.where(X > 0, X, 0))
    long = matrix.copy()
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    locked = matrix.copy()
    locked.data = read_only(locked.data)
    expected = regressor().fit(matrix, y).predict(matrix)
    for variant in (long, locked):
        assert_array_equal(regressor().fit(variant, y).predict(variant), expected)


@pytest.mark.parametrize("solver", SOLVERS)
def test_input_is_not_changed(solver):
    arrays = [X.copy(), y.copy(), WEIGHTS.copy()]
    regressor(solver=solver, normalization="batch").fit(*arrays).predict(arrays[0])
    for array, original in zip(arrays, (X, y, WEIGHTS), strict=True):
        assert_array_equal(array, original)


# Units of y


@pytest.mark.parametrize("shift, scale", [(1e4, 1.0), (0.0, 1e6), (0.0, 1e-3)])
@pytest.mark.parametrize(
    "params",
    [{"solver": solver, "normalization": kind} for solver in SOLVERS for kind in NORMALIZATIONS]
    + [
        {"early_stopping": True},
        {"l1_per_layer": 0.01},
        {"positive_weights": True},
        {"dropout": 0.1},
        {"batch_size": 8},
        {"hidden_layer_sizes": ()},
        {"solver": "lbfgs", "hidden_layer_sizes": (), "l1_per_layer": 0.01},
    ],
    ids=str,
)
def test_predictions_are_equivariant_to_units_of_y(params, shift, scale):
    model = regressor(**params)
    expected = model.fit(X, y, WEIGHTS).predict(X)
    predictions = model.fit(X, shift + scale * y, WEIGHTS).predict(X)
    assert_allclose((predictions - shift) / scale, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("scale", [1e6, 1e-3])
def test_poisson_is_equivariant_to_scale(scale):
    model = regressor(loss="poisson", solver="lbfgs")
    counts = np.exp(y)
    expected = model.fit(X, counts).predict(X)
    assert_allclose(model.fit(X, scale * counts).predict(X), scale * expected, rtol=1e-6)
