"""What breaks other estimators: each ends in a clear error or in finite, right predictions."""

import os
import re
import signal
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import permutations

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:overflow:RuntimeWarning"
)

SOLVERS = ("adam", "sgd", "lbfgs")
NORMALIZATIONS = (None, "batch", "layer")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
y = np.sin(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=40)
WEIGHTS = RNG.uniform(0.2, 3.0, size=40)
ONES = np.ones(40)
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 10, "random_state": 0}


def regressor(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params})


def public_state(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


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


# Fits that fail


def with_value(array, value):
    array = array.copy()
    array[3] = value
    return array


def diverging(model):
    """sgd on a network with the activation 'identity', which predictions need as well."""
    return model.set_params(solver="sgd", learning_rate_init=1e6, max_iter=200).fit(X, y)


FAILURES = {
    "negative weights": lambda model: model.fit(X[:, :2], y, with_value(WEIGHTS, -1.0)),
    "zero weights": lambda model: model.fit(X[:, :2], y, 0 * WEIGHTS),
    "NaN weight": lambda model: model.fit(X[:, :2], y, with_value(WEIGHTS, np.nan)),
    "too few weights": lambda model: model.fit(X[:, :2], y, WEIGHTS[:-1]),
    "NaN in X": lambda model: model.fit(with_value(X, np.nan)[:, :2], y),
    "infinity in y": lambda model: model.fit(X[:, :2], with_value(y, np.inf)),
    "too few rows": lambda model: model.fit(X[:-1, :2], y),
    "names, then negative weights": lambda model: model.fit(
        pd.DataFrame(X[:, :2], columns=["a", "b"]), y, -WEIGHTS
    ),
    "too many penalties": lambda model: model.set_params(l1_per_layer=(1, 1, 1)).fit(X[:, :2], y),
    "penalty factors": lambda model: model.set_params(penalty_factor=(1, 1)).fit(X[:, :3], y),
    "nested sizes": lambda model: model.set_params(hidden_layer_sizes=((5,),)).fit(X[:, :2], y),
    "validation X alone": lambda model: model.fit(X[:, :2], y, X_val=X[:, :2]),
    "validation features": lambda model: model.fit(X[:, :2], y, X_val=X, y_val=y),
    "validation rows": lambda model: model.fit(X[:, :2], y, X_val=X[:5, :2], y_val=y),
    "tiny validation set": lambda model: model.set_params(early_stopping=True).fit(X[:3], y[:3]),
    "divergence": diverging,
}


# Values that are no numbers


@pytest.mark.parametrize(
    "values, message",
    [
        ([None] * 12, "Input {name} contains NaN"),
        ([1.0, np.nan] * 6, "Input {name} contains NaN"),
        (pd.date_range("2020", periods=12), "{name} must hold numbers"),
    ],
    ids=["None", "NaN", "dates"],
)
def test_y_that_is_no_number_is_named(values, message):
    with pytest.raises(ValueError, match=message.format(name="y")):
        regressor().fit(X[:12], values)
    with pytest.raises(ValueError, match=message.format(name="y_val")):
        regressor().fit(X[:12], y[:12], X_val=X[:12], y_val=values)


@pytest.mark.parametrize(
    "given, argument",
    [
        ({"X_val": with_value(X[:12], np.nan), "y_val": y[:12]}, "X_val"),
        ({"X_val": X[:12, :2], "y_val": y[:12]}, "X_val"),
        ({"X_val": X[:12], "y_val": y[:10]}, "X_val and y_val"),
        ({"X_val": X[:12], "y_val": y[:12], "sample_weight_val": np.ones(9)}, "sample_weight_val"),
        (
            {"X_val": X[:12], "y_val": y[:12], "sample_weight_val": np.zeros(12)},
            "sample_weight_val",
        ),
    ],
    ids=["NaN", "features", "rows", "short weights", "zero weights"],
)
def test_validation_data_at_fault_are_named(given, argument):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        regressor().fit(X, y, **given)


@pytest.mark.parametrize("name", FAILURES)
def test_failed_fit_leaves_the_model_unfitted(name):
    model = regressor(activation="identity")
    with pytest.raises(ValueError):  # noqa: PT011
        FAILURES[name](model)
    assert not public_state(model)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("name", FAILURES)
def test_failed_refit_leaves_the_old_model(name, warm_start):
    model = regressor(warm_start=warm_start, activation="identity").fit(X, y)
    state, predictions = joblib.hash(public_state(model)), model.predict(X)
    with pytest.raises(ValueError):  # noqa: PT011
        FAILURES[name](model)
    assert model.n_features_in_ == 4
    assert joblib.hash(public_state(model)) == state
    assert_array_equal(model.predict(X), predictions)


@pytest.mark.parametrize(
    "data",
    [
        (X[:, :2], y),
        (with_value(X, np.nan), y),
        (X, y[:-1]),
        (X, y, -WEIGHTS),
        (X, y, 0 * WEIGHTS),
        (X, np.column_stack([y, y])),
    ],
)
def test_failed_partial_fit_leaves_the_old_model(data):
    model, twin = (regressor().partial_fit(X, y) for _ in range(2))
    state = joblib.hash(public_state(model))
    with pytest.raises(ValueError):  # noqa: PT011
        model.partial_fit(*data)
    assert joblib.hash(public_state(model)) == state
    assert_array_equal(model.partial_fit(X, y).predict(X), twin.partial_fit(X, y).predict(X))


def test_divergence_says_what_to_try():
    with pytest.raises(ValueError, match="learning_rate_init") as error:
        diverging(regressor(activation="identity"))
    assert re.search(r"[Ss]cal\w* .*\bX\b|\bX\b.* scal", str(error.value))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "weights, word", [(with_value(WEIGHTS, -1.0), "egative"), (0 * WEIGHTS, "zero|positive")]
)
def test_impossible_sample_weights(weights, word, solver):
    with pytest.raises(ValueError, match=word) as error:
        regressor(solver=solver).fit(X, y, weights)
    assert "weight" in str(error.value)


# Hyperparameters


@pytest.mark.parametrize(
    "name, value, lengths",
    [
        ("l1_per_layer", (0.1, 0.1, 0.1), "32"),
        ("alpha", (0.1,), "12"),
        ("positive_weights", (True, False, True, False), "42"),
        ("dropout", (0.1, 0.1, 0.1), "31"),
        ("penalty_factor", (1.0, 1.0, 1.0, 0.0, 2.0, 0.0, 1.0), "74"),
    ],
)
def test_wrong_length_names_both_lengths(name, value, lengths):
    with pytest.raises(ValueError, match=name) as error:
        regressor(**{name: value}).fit(X, y)
    assert set(lengths) <= set(re.findall(r"\d+", str(error.value)))


@pytest.mark.parametrize(
    "name, value",
    [
        ("hidden_layer_sizes", ((5,), (3,))),
        ("hidden_layer_sizes", (np.nan,)),
        ("hidden_layer_sizes", ((5,), (3, 2))),
        ("hidden_layer_sizes", ("five",)),
        ("hidden_layer_sizes", (2.5,)),
        ("hidden_layer_sizes", (None,)),
        ("hidden_layer_sizes", (0,)),
        ("l1_per_layer", (0.1, -0.1)),
        ("l1_per_layer", np.nan),
        ("l1_per_layer", (0.1, np.inf)),
        ("l1_per_layer", ("a", "b")),
        ("l1_per_layer", ((0.1,), (0.1,))),
        ("alpha", (0.1, np.nan)),
        ("alpha", (0.1, -1.0)),
        ("alpha", np.inf),
        ("positive_weights", ("yes", "no")),
        ("dropout", (1.0,)),
        ("dropout", (-0.1,)),
        ("penalty_factor", (1.0, 1.0, 1.0, -1.0)),
        ("penalty_factor", (1.0, 1.0, 1.0, np.nan)),
        ("penalty_factor", {"a": 2.0}),
        ("learning_rate_init", np.nan),
        ("tol", np.nan),
    ],
)
def test_impossible_value_names_its_parameter(name, value):
    model = regressor(**{name: value})
    with pytest.raises(ValueError, match=name):
        model.fit(X, y)
    assert not public_state(model)


@pytest.mark.parametrize("container", [tuple, list, np.array])
def test_values_by_layer_in_any_container(container):
    scalars = {"alpha": 0.2, "l1_per_layer": 0.01, "positive_weights": True, "dropout": 0.1}
    lengths = {"alpha": 2, "l1_per_layer": 2, "positive_weights": 2, "dropout": 1}
    by_layer = {name: container([value] * lengths[name]) for name, value in scalars.items()}
    model = regressor(**by_layer, hidden_layer_sizes=container([5])).fit(X, y)
    assert_array_equal(model.predict(X), regressor(**scalars).fit(X, y).predict(X))


# Warm starts across changes


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("before, after", list(permutations(SOLVERS, 2)))
def test_solver_may_change_between_warm_starts(before, after, normalization):
    model = regressor(solver=before, warm_start=True, normalization=normalization).fit(X, y)
    loss = model.objective_
    model.set_params(solver=after, learning_rate_init=1e-4).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert model.objective_ < loss * 1.01


@pytest.mark.parametrize("before", [False, True])
def test_early_stopping_may_change_between_warm_starts(before):
    model = regressor(early_stopping=before, warm_start=True).fit(X, y)
    model.set_params(early_stopping=not before).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert (model.best_loss_ is None) == (not before)
    assert (model.validation_scores_ is None) == before


def test_partial_fit_goes_on_from_any_fit():
    for before in ({"solver": "lbfgs"}, {"early_stopping": True}, {"solver": "sgd"}):
        model = regressor(**before).fit(X, y)
        model.set_params(solver="adam", early_stopping=False).partial_fit(X, y)
        assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_sizes_may_not_change_between_warm_starts(solver):
    model = regressor(solver=solver, warm_start=True).fit(X, y)
    predictions = model.predict(X)
    with pytest.raises(ValueError, match="hidden_layer_sizes") as error:
        model.set_params(hidden_layer_sizes=(7, 6)).fit(X, y)
    assert {"5", "6", "7"} <= set(re.findall(r"\d+", str(error.value)))
    assert_array_equal(model.predict(X), predictions)


def test_outputs_may_not_change_between_warm_starts():
    model = regressor(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="output"):
        model.fit(X, np.column_stack([y, y]))
    assert model.n_outputs_ == 1


def test_dtype_may_change_between_warm_starts():
    model = regressor(warm_start=True).fit(X, y)
    for dtype in (np.float32, np.float64):
        model.fit(X.astype(dtype), y)
        assert model.predict(X.astype(dtype)).dtype == dtype


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


# torch in the caller's program


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(name):
    torch.set_default_device(name)
    try:
        yield
        assert torch.get_default_device() == torch.device(name)
    finally:
        torch.set_default_device(None)


CALLERS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64": partial(default_dtype, torch.float64),
    "float16": partial(default_dtype, torch.float16),
    "meta": partial(default_device, "meta"),
    "with meta": partial(torch.device, "meta"),
    "autocast": partial(torch.autocast, "cpu"),
}


@pytest.mark.parametrize(
    "params",
    [{"solver": solver} for solver in SOLVERS]
    + [{"normalization": "batch", "dropout": 0.1}, {"l1_per_layer": 0.01, "early_stopping": True}],
    ids=str,
)
@pytest.mark.parametrize("name", CALLERS)
def test_torch_settings_of_the_caller_do_not_matter(name, params):
    fits = []
    for context in (nullcontext, CALLERS[name]):
        with context():
            model = regressor(**params).fit(X, y)
            fits.append((joblib.hash(public_state(model)), model.predict(X)))
    assert fits[0][0] == fits[1][0]
    assert_array_equal(fits[0][1], fits[1][1])


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


# Interrupts


@contextmanager
def interrupt(seconds):
    """Control-C after a while: the endless fit inside it is running by then."""
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except KeyboardInterrupt:
        pytest.fail("fit was ended by KeyboardInterrupt")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no interval timer")
@pytest.mark.parametrize(
    "params",
    [{"solver": solver} for solver in SOLVERS]
    + [{"early_stopping": True}, {"normalization": "batch"}],
    ids=str,
)
def test_interrupted_fit_warns_and_keeps_its_weights(params):
    wide = np.random.default_rng(0).normal(size=(2000, 20))
    target = np.sin(wide[:, 0] * wide[:, 1]) + wide[:, 2]
    endless = {"hidden_layer_sizes": (50, 50), "activation": "tanh", "max_iter": 10**7, "tol": 0}
    endless |= {"n_iter_no_change": np.inf, "max_fun": 10**9}
    constraints = {"positive_weights": (True, False, True), "l1_per_layer": 0.001}
    model = regressor(**endless, **constraints, **params)
    regressor(**params).fit(X, y)  # imports torch before the clock runs
    with interrupt(0.6), pytest.warns(UserWarning, match="Training interrupted by user."):
        model.fit(wide, target)
    assert np.isfinite(model.predict(wide)).all()
    assert np.isfinite([model.loss_, model.objective_, model.optimality_]).all()
    assert model.n_iter_ > 0
    if "normalization" not in params:
        assert min(model.coefs_[0].min(), model.coefs_[2].min()) >= 0 > model.coefs_[1].min()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no interval timer")
def test_interrupted_refit_can_be_fitted_again():
    model = regressor(tol=0, n_iter_no_change=np.inf)
    expected = model.fit(X, y).predict(X)
    model.set_params(max_iter=10**7)
    with interrupt(0.3), pytest.warns(UserWarning, match="Training interrupted by user."):
        model.fit(X, y)
    assert 10 < model.n_iter_ == len(model.loss_curve_)
    assert_array_equal(model.set_params(max_iter=10).fit(X, y).predict(X), expected)


def test_partial_fit_after_another_network_was_assigned():
    """The state of adam belongs to the network it was made for."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    model = RegularizedMLPRegressor(hidden_layer_sizes=5, max_iter=3, random_state=0)
    model.fit(X, y).set_params(hidden_layer_sizes=2)
    model.coefs_ = [np.ones((3, 2)), np.ones((2, 1))]
    model.intercepts_ = [np.zeros(2), np.zeros(1)]
    model.partial_fit(X, y)
    assert [coef.shape for coef in model.coefs_] == [(3, 2), (2, 1)]
    assert all(np.isfinite(coef).all() for coef in model.coefs_)
