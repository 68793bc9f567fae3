"""RegularizedMLPRegressor in MLPRegressor's place: attributes, input, warnings, single steps."""

import inspect
import warnings
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.utils._param_validation import InvalidParameterError

from skmlp import RegularizedMLPRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ("adam", "sgd", "lbfgs")
CLASSES = (MLPRegressor, RegularizedMLPRegressor)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=60)
Y = np.column_stack([y, X[:, 3] - y, y**2])
WEIGHTS = RNG.uniform(0.2, 3.0, size=60)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 5, "random_state": 0}


def regressor(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params})


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
        "l1_per_layer": 0.0,
        "group_l1": 0.0,
        "feature_groups": None,
        "penalty_factor": None,
        "positive_weights": False,
        "normalize_y": True,
        "normalization": None,
        "dropout": 0.0,
        "device": None,
    }


def test_fit_takes_validation_data_by_keyword():
    parameters = inspect.signature(RegularizedMLPRegressor().fit).parameters
    assert list(parameters) == ["X", "y", "sample_weight", "X_val", "y_val", "sample_weight_val"]
    assert parameters["X_val"].kind is inspect.Parameter.KEYWORD_ONLY
    assert list(inspect.signature(RegularizedMLPRegressor().partial_fit).parameters) == [
        "X",
        "y",
        "sample_weight",
    ]


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


# Warnings and errors


@pytest.mark.parametrize(
    "params",
    [{"solver": solver} for solver in SOLVERS]
    + [{"solver": "lbfgs", "max_fun": 3, "max_iter": 99}],
    ids=str,
)
def test_warns_that_iterations_ran_out(params):
    for cls in CLASSES:
        with pytest.warns(ConvergenceWarning):
            cls(**{**SMALL, "tol": 0, **params}).fit(X, y)


def test_converged_fit_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = regressor(tol=1.0, n_iter_no_change=2, max_iter=100).fit(X, y)
    assert model.n_iter_ < 10


@quiet
@pytest.mark.parametrize("cls", CLASSES)
def test_warns_of_a_batch_larger_than_the_sample(cls):
    with pytest.warns(UserWarning, match="batch_size"):
        model = cls(**SMALL, batch_size=61).fit(X, y)
    assert_array_equal(model.predict(X), cls(**SMALL, batch_size=60).fit(X, y).predict(X))


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(RegularizedMLPRegressor(solver="lbfgs"), "partial_fit")
    assert hasattr(RegularizedMLPRegressor(solver="sgd"), "partial_fit")
    with pytest.raises(AttributeError):
        RegularizedMLPRegressor(solver="lbfgs").partial_fit  # noqa: B018


def with_nan(array):
    array = array.copy()
    array[3] = np.nan
    return array


@quiet
@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.predict(X),
        lambda model: model.score(X, y),
        lambda model: model.fit(X[:, 0], y),
        lambda model: model.fit(X[:-1], y),
        lambda model: model.fit(X, None),
        lambda model: model.fit(with_nan(X), y),
        lambda model: model.fit(X, with_nan(y)),
        lambda model: model.fit(X * np.inf, y),
        lambda model: model.fit(X + 0j, y),
        lambda model: model.fit(X[..., np.newaxis], y),
        lambda model: model.fit(X[:0], y[:0]),
        lambda model: model.fit(X[:, :0], y),
        lambda model: model.fit(X, y, WEIGHTS[:-1]),
        lambda model: model.fit(X, y, with_nan(WEIGHTS)),
        lambda model: model.fit(X, y, WEIGHTS[:, np.newaxis]),
        lambda model: model.fit(X, y).predict(X[:, :3]),
        lambda model: model.fit(X, y).predict(X[0]),
        lambda model: model.fit(X, y).predict(with_nan(X)),
        lambda model: model.fit(X, y).partial_fit(X[:, :3], y),
        lambda model: model.set_params(early_stopping=True).partial_fit(X, y),
        lambda model: model.set_params(early_stopping=True).fit(X[:2], y[:2]),
        lambda model: model.set_params(hidden_layer_sizes=(-1,)).fit(X, y),
        lambda model: model.set_params(hidden_layer_sizes=(3, 0)).fit(X, y),
    ],
)
def test_same_error_as_mlp_regressor(call):
    with pytest.raises(Exception) as expected:  # noqa: PT011
        call(MLPRegressor(**SMALL))
    with pytest.raises(type(expected.value)) as error:
        call(regressor())
    message = str(error.value).replace("RegularizedMLPRegressor", "MLPRegressor")
    assert message.startswith(str(expected.value).partition("\n")[0].rstrip("."))


INVALID = {
    "loss": "absolute_error",
    "hidden_layer_sizes": -1,
    "activation": "cube",
    "solver": "newton",
    "alpha": -1.0,
    "batch_size": 0,
    "learning_rate": "cosine",
    "learning_rate_init": 0.0,
    "power_t": -1.0,
    "max_iter": 0,
    "shuffle": "no",
    "random_state": "seed",
    "tol": -1.0,
    "verbose": "loud",
    "warm_start": "no",
    "momentum": 1.5,
    "nesterovs_momentum": "no",
    "early_stopping": "no",
    "validation_fraction": 1.0,
    "beta_1": 1.0,
    "beta_2": 1.0,
    "epsilon": 0.0,
    "n_iter_no_change": 0,
    "max_fun": 0,
    "l1_per_layer": -1.0,
    "group_l1": -1.0,
    "feature_groups": "pairs",
    "penalty_factor": "adaptive",
    "positive_weights": "no",
    "normalize_y": "no",
    "normalization": "group",
    "dropout": 1.0,
    "device": 3.5,
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_parameter_is_named(name):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
        regressor(**{name: INVALID[name]}).fit(X, y)


def test_every_parameter_is_checked():
    assert set(INVALID) == set(RegularizedMLPRegressor().get_params())


# Steps of the solvers from given weights

STEPS = [
    {"solver": "adam"},
    {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9},
    {"solver": "sgd", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate_init": 0.1, "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.5, "learning_rate": "invscaling"},
]


def given_weights(n_outputs):
    rng = np.random.default_rng(1)
    units = (4, 6, 5, n_outputs)
    coefs = [rng.normal(size=shape) / np.sqrt(shape[0]) for shape in pairwise(units)]
    return coefs, [rng.normal(size=size) for size in units[1:]]


def epochs(cls, target, sample_weight=None, max_iter=1, **params):
    """The model after ``max_iter`` epochs of a warm start from given weights."""
    if cls is RegularizedMLPRegressor:
        params["normalize_y"] = False
    model = cls(**{**SMALL, "shuffle": False, "max_iter": 1, "tol": 0, **params}).fit(X, target)
    model.coefs_, model.intercepts_ = given_weights(np.atleast_2d(target.T).shape[0])
    return model.set_params(warm_start=True, max_iter=max_iter).fit(X, target, sample_weight)


def assert_same_weights(model, reference, rtol=1e-6):
    for ours, theirs in zip(
        model.coefs_ + model.intercepts_, reference.coefs_ + reference.intercepts_, strict=True
    ):
        assert_allclose(ours, theirs, rtol=rtol, atol=1e-9)


@quiet
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "three outputs"])
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_full_batch_step(step, activation, sample_weight, target):
    params = {**step, "activation": activation, "alpha": 10.0}
    reference, model = (epochs(cls, target, sample_weight, **params) for cls in CLASSES)
    assert_same_weights(model, reference)
    assert np.abs(model.coefs_[0] - given_weights(1)[0][0]).min() > 1e-6


@quiet
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_many_steps_in_mini_batches(step, loss):
    params = {**step, "alpha": 0.0, "batch_size": 20, "max_iter": 5, "loss": loss}
    params["activation"] = "tanh"
    reference, model = (epochs(cls, np.abs(y), **params) for cls in CLASSES)
    assert_same_weights(model, reference)
    assert (model.t_, model.n_iter_) == (reference.t_, reference.n_iter_)


@quiet
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_keeps_the_solvers_state(solver):
    params = {"solver": solver, "learning_rate_init": 0.01}
    model = regressor(**params)
    for _ in range(5):
        model.partial_fit(X, y)
    assert_allclose(model.predict(X), regressor(**params).fit(X, y).predict(X), rtol=1e-7)
    assert len(model.loss_curve_) == 5
    assert model.t_ == 5 * 60


@quiet
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_reported_loss_is_summed_over_outputs(solver):
    reference, model = (epochs(cls, Y, solver=solver, alpha=0.0) for cls in CLASSES)
    assert_allclose(model.loss_curve_[-1], 3 * reference.loss_curve_[-1], rtol=1e-9)
    reference, model = (epochs(cls, y, WEIGHTS, solver=solver, alpha=10.0) for cls in CLASSES)
    assert_allclose(model.loss_curve_[-1], reference.loss_curve_[-1], rtol=1e-9)


# What differs on purpose


@quiet
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_alpha_is_divided_by_the_sample_not_the_batch(sample_weight):
    """With X = 0 and y = 0 the penalty alone acts on the weights: W (1 - rate alpha / S)^steps."""
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        momentum=0,
        learning_rate_init=0.5,
        alpha=7.0,
        batch_size=20,
        max_iter=1,
        warm_start=True,
    ).fit(0 * X, 0 * y, sample_weight)
    start = np.array([[1.0], [-2.0], [3.0], [-4.0]])
    model.coefs_ = [start.copy()]
    model.fit(0 * X, 0 * y, sample_weight)
    S = 60 if sample_weight is None else WEIGHTS.sum()
    assert_allclose(model.coefs_[0], start * (1 - 0.5 * 7.0 / S) ** 3, rtol=1e-9)


@quiet
def test_output_bias_starts_at_the_mean():
    params = {"learning_rate_init": 1e-12, "max_iter": 1}
    for normalize_y in (False, True):
        model = regressor(**params, normalize_y=normalize_y, hidden_layer_sizes=())
        model.fit(X * 1e-12, Y, WEIGHTS)
        expected = np.average(Y, axis=0, weights=WEIGHTS)
        assert_allclose(model.predict(np.zeros((1, 4)))[0], expected, rtol=1e-9)


@quiet
def test_tol_is_relative_to_the_loss():
    """From W = 0 sgd is linear in y, so y in other units must stop at the same epoch."""
    n_iter = []
    for scale in (1e-3, 1.0, 1e3):
        model = RegularizedMLPRegressor(
            hidden_layer_sizes=(),
            solver="sgd",
            learning_rate_init=0.01,
            shuffle=False,
            max_iter=1,
            tol=1e-3,
            normalize_y=False,
        ).fit(X, scale * y)
        model.coefs_, model.intercepts_ = [np.zeros((4, 1))], [np.zeros(1)]
        n_iter.append(model.set_params(warm_start=True, max_iter=5000).fit(X, scale * y).n_iter_)
    assert n_iter[0] == n_iter[1] == n_iter[2] < 5000


@quiet
def test_weights_move_between_the_two_classes():
    model = regressor(max_iter=20).fit(X, Y)
    reference = MLPRegressor(**SMALL).fit(X, Y)
    reference.coefs_, reference.intercepts_ = deepcopy((model.coefs_, model.intercepts_))
    assert_allclose(reference.predict(X), model.predict(X), rtol=1e-12)


def test_repr_shows_the_changed_parameters():
    model = RegularizedMLPRegressor(l1_per_layer=0.1)
    assert repr(model) == "RegularizedMLPRegressor(l1_per_layer=0.1)"
