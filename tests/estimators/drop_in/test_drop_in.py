"""RegularizedMLPRegressor in MLPRegressor's place: its signature, fitted attributes and input."""

import inspect

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from support.drop_in import CLASSES, SMALL, SOLVERS, WEIGHTS, X, Y, quiet, regressor, y

from skmlp import RegularizedMLPRegressor

# Signature


def test_signature_is_mlp_regressors_then_keyword_only():
    ours = inspect.signature(RegularizedMLPRegressor).parameters
    reference = inspect.signature(MLPRegressor).parameters
    assert list(ours)[: len(reference)] == list(reference)
    for name, parameter in reference.items():
        assert (ours[name].default, ours[name].kind) == (parameter.default, parameter.kind)
    new = list(ours.values())[len(reference) :]
    assert {parameter.kind for parameter in new} == {inspect.Parameter.KEYWORD_ONLY}
    assert {parameter.name: parameter.default for parameter in new} == {
        "quantile": 0.5,
        "power": 1.5,
        "huber_delta": 1.35,
        "l1_per_layer": 0.0,
        "group_l1": 0.0,
        "feature_groups": None,
        "penalty_factor": None,
        "lower_limits": None,
        "upper_limits": None,
        "positive_weights": False,
        "monotonic_cst": None,
        "fit_intercept": True,
        "normalize_y": True,
        "normalization": None,
        "dropout": 0.0,
        "device": None,
    }


def test_fit_takes_offsets_and_validation_data_by_keyword():
    parameters = inspect.signature(RegularizedMLPRegressor().fit).parameters
    assert [*parameters][:3] == ["X", "y", "sample_weight"]
    assert [*parameters][3:] == ["offset", "X_val", "y_val", "sample_weight_val", "offset_val"]
    kinds = {parameter.kind for parameter in [*parameters.values()][3:]}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    steps = inspect.signature(RegularizedMLPRegressor().partial_fit).parameters
    assert [*steps] == ["X", "y", "sample_weight", "offset"]


# Fitted attributes


def kind(value):
    """Type, and the shape and dtype of arrays; np.float64 is a float."""
    if isinstance(value, list):
        return [kind(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype
    return float if isinstance(value, float) else type(value)


def published(model):
    return [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]


@quiet
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "three outputs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_publishes_what_mlp_regressor_publishes(solver, early_stopping, target):
    frame = pd.DataFrame(X, columns=list("abcd"))
    params = {**SMALL, "solver": solver, "early_stopping": early_stopping}
    reference, model = (cls(**params).fit(frame, target) for cls in CLASSES)
    for name in published(reference):
        assert kind(getattr(model, name)) == kind(getattr(reference, name)), name
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(model, name) == getattr(reference, name), name


@quiet
def test_publishes_the_additions():
    model = regressor(normalization="layer").fit(X, y)
    assert model.sparsity_.shape == (3,)
    assert isinstance(model.optimality_, float)
    assert isinstance(model.objective_, float)
    assert model.validation_loss_curve_ is None
    assert [gain.shape for gain in model.layer_norm_gains_] == [(6,), (5,)]
    assert [shift.shape for shift in model.layer_norm_shifts_] == [(6,), (5,)]
    assert not hasattr(regressor().fit(X, y), "layer_norm_gains_")
    assert not hasattr(regressor(normalization="batch").fit(X, y), "layer_norm_gains_")
    model = regressor(early_stopping=True).fit(X, y)
    assert len(model.validation_loss_curve_) == len(model.loss_curve_) == model.n_iter_


@quiet
def test_poisson_output_is_exponential():
    model = regressor(loss="poisson").fit(X, np.abs(y))
    assert model.out_activation_ == "exp"
    assert (model.predict(100 * X) > 0).all()


# Input


@quiet
@pytest.mark.parametrize("solver", SOLVERS)
def test_shapes_of_y(solver):
    model = regressor(solver=solver)
    one = model.fit(X, y).predict(X)
    assert one.shape == (60,)
    with pytest.warns(DataConversionWarning):
        column = model.fit(X, y[:, np.newaxis]).predict(X)
    assert_array_equal(column, one)
    assert model.fit(X, Y).predict(X).shape == (60, 3)
    assert model.predict(X[:1]).shape == (1, 3)


@quiet
def test_each_output_has_its_own_column():
    model = regressor(solver="lbfgs", hidden_layer_sizes=(), alpha=0, max_iter=500, tol=1e-10)
    together = model.fit(X, Y).predict(X)
    apart = np.column_stack([model.fit(X, column).predict(X) for column in Y.T])
    assert_allclose(together, apart, rtol=1e-6, atol=1e-8)


@quiet
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_floating_dtype_is_kept(solver, dtype, normalization):
    model = regressor(solver=solver, normalization=normalization).fit(X.astype(dtype), y)
    assert {array.dtype for array in model.coefs_ + model.intercepts_} == {np.dtype(dtype)}
    assert model.predict(X.astype(dtype)).dtype == dtype


@quiet
def test_integers_become_float64():
    integers = np.round(10 * X).astype(int)
    model = regressor().fit(integers, np.round(10 * y).astype(int))
    assert model.predict(integers).dtype == np.float64
    expected = regressor().fit(integers.astype(float), np.round(10 * y)).predict(integers)
    assert_array_equal(model.predict(integers), expected)


@quiet
def test_lists_equal_arrays():
    expected = regressor().fit(X, y, WEIGHTS).predict(X)
    model = regressor().fit(X.tolist(), y.tolist(), WEIGHTS.tolist())
    assert_array_equal(model.predict(X.tolist()), expected)


@quiet
def test_predict_takes_row_by_row():
    for normalization in (None, "batch", "layer"):
        model = regressor(normalization=normalization).fit(X, y)
        rows = np.concatenate([model.predict(row[np.newaxis]) for row in X])
        assert_allclose(rows, model.predict(X), rtol=1e-12)


@quiet
def test_data_frame():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = regressor().fit(frame, pd.Series(y))
    assert_array_equal(model.feature_names_in_, np.array(list("abcd"), dtype=object))
    assert_array_equal(model.predict(frame), regressor().fit(X, y).predict(X))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("badc")])


@quiet
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_equals_dense(solver, container, early_stopping):
    dense = np.where(np.abs(X) > 0.5, X, 0.0)
    params = {"solver": solver, "early_stopping": early_stopping, "batch_size": 25}
    expected = regressor(**params).fit(dense, y, WEIGHTS)
    model = regressor(**params).fit(container(dense), y, WEIGHTS)
    assert_allclose(model.predict(dense), expected.predict(dense), rtol=1e-7)
    assert_allclose(model.predict(container(dense)), expected.predict(dense), rtol=1e-7)


@quiet
def test_score_is_r2():
    model = regressor(max_iter=50).fit(X, Y)
    expected = r2_score(Y, model.predict(X), sample_weight=WEIGHTS)
    assert_allclose(model.score(X, Y, WEIGHTS), expected)
