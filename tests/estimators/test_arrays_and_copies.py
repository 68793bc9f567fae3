"""The published arrays are the model: edited, copied, pickled and cloned."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from sklearn.base import clone
from support.small_fits import X, configurations, regressor, state, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
normalizations = pytest.mark.parametrize("normalization", [None, "batch", "layer"])


# The arrays are the model

ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": special.expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "silu": lambda z: z * special.expit(z),
    "gelu": lambda z: z * special.ndtr(z),
    "softplus": lambda z: np.logaddexp(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
}


def forward(model, X):
    """The network of ``coefs_`` and ``intercepts_``."""
    for coef, intercept in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        X = ACTIVATIONS[model.activation](X @ coef + intercept)
    return (X @ model.coefs_[-1] + model.intercepts_[-1]).ravel()


@pytest.mark.parametrize("normalization", [None, "batch"])
@pytest.mark.parametrize("normalize_y", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_prediction_is_the_published_network(activation, normalize_y, normalization):
    params = {"activation": activation, "normalize_y": normalize_y, "normalization": normalization}
    for solver in ("adam", "lbfgs"):
        model = regressor(**params, solver=solver, dropout=0.2 * (solver == "adam")).fit(X, y)
        assert_allclose(model.predict(X), forward(model, X), rtol=1e-7)


@normalizations
def test_edited_weights_predict(normalization):
    model = regressor(normalization=normalization).fit(X, y)
    before = model.predict(X)
    model.coefs_[-1][:] = 0
    assert_allclose(model.predict(X), model.intercepts_[-1][0])
    rng = np.random.default_rng(1)
    model.coefs_ = [rng.normal(size=coef.shape) for coef in model.coefs_]
    assert not np.allclose(model.predict(X), before)
    assert np.ptp(model.predict(X)) > 0
    model.intercepts_[-1] += 5
    shifted = model.predict(X)
    model.intercepts_ = [*model.intercepts_[:-1], model.intercepts_[-1] - 5]
    assert_allclose(model.predict(X), shifted - 5)
    if normalization == "layer":
        model.layer_norm_gains_[-1][:] = 0
        assert_allclose(np.ptp(model.predict(X)), 0, atol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("normalize_y", [False, True])
@normalizations
def test_training_goes_on_from_edited_weights(normalization, normalize_y, solver):
    """With a learning rate near 0 training can only leave the model where it was put."""
    params = {"normalization": normalization, "normalize_y": normalize_y, "solver": solver}
    model = regressor(**params, learning_rate_init=1e-13, batch_size=50).fit(X, y)
    rng = np.random.default_rng(1)
    model.coefs_ = [coef + rng.normal(size=coef.shape) for coef in model.coefs_]
    model.intercepts_[0][:] += 1
    edited = model.predict(X)
    assert_allclose(copy.deepcopy(model).partial_fit(X, y).predict(X), edited, rtol=1e-7)
    assert_allclose(model.set_params(warm_start=True).fit(X, y).predict(X), edited, rtol=1e-7)
    model.set_params(warm_start=False).fit(X, y)
    assert not np.allclose(model.predict(X), edited, rtol=1e-3)


@normalizations
def test_lbfgs_goes_on_from_given_weights(normalization):
    params = {"solver": "lbfgs", "normalization": normalization, "activation": "tanh", "alpha": 0}
    converged = regressor(**params, max_iter=300).fit(X, y)
    model = regressor(**params, max_iter=2, random_state=1).fit(X, y)
    assert model.objective_ > 2 * converged.objective_
    model.coefs_, model.intercepts_ = copy.deepcopy((converged.coefs_, converged.intercepts_))
    for name in ("layer_norm_gains_", "layer_norm_shifts_"):
        if normalization == "layer":
            setattr(model, name, copy.deepcopy(getattr(converged, name)))
    model.set_params(warm_start=True).fit(X, y)
    assert model.objective_ <= converged.objective_ * (1 + 1e-6)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_warm_start_is_not_a_new_start(solver):
    model = regressor(solver=solver, warm_start=True).fit(X, y)
    first = model.objective_
    assert model.fit(X, y).objective_ < first
    assert model.set_params(warm_start=False).fit(X, y).objective_ == first


# Copies


def skops_round_trip(model):
    io = pytest.importorskip("skops.io")
    data = io.dumps(model)
    types = io.get_untrusted_types(data=data)
    assert not [name for name in types if "torch" in name]
    return io.loads(data, trusted=types)


COPIES = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "deepcopy": copy.deepcopy,
    "skops": skops_round_trip,
}


@pytest.mark.parametrize("name", COPIES)
@configurations
def test_copies_predict_and_train_alike(params, name):
    model = regressor(**params).fit(X, y)
    twin = COPIES[name](model)
    assert state(twin) == state(model)
    assert_array_equal(twin.predict(X), model.predict(X))
    if hasattr(model, "partial_fit"):
        for one in (model, twin):
            one.set_params(early_stopping=False).partial_fit(X, y).partial_fit(X, y)
        assert state(twin) == state(model)


def test_joblib_file(tmp_path):
    model = regressor().fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for mmap_mode in (None, "r"):
        twin = joblib.load(tmp_path / "model.joblib", mmap_mode=mmap_mode)
        assert_array_equal(twin.predict(X), model.predict(X))
        twin.partial_fit(X, y)
    assert_array_equal(twin.predict(X), copy.deepcopy(model).partial_fit(X, y).predict(X))


def test_copies_share_nothing():
    model = regressor().fit(X, y)
    before = model.predict(X)
    twin = copy.deepcopy(model)
    twin.coefs_[0][:] = 0
    twin.partial_fit(X, y)
    assert_array_equal(model.predict(X), before)


@configurations
def test_fitted_state_holds_no_torch(params):
    model = regressor(**params).fit(X, y)
    assert b"torch" not in pickle.dumps(model)
    if hasattr(model, "partial_fit") and not model.early_stopping:
        assert b"torch" not in pickle.dumps(model.partial_fit(X, y))


def test_clone_forgets_the_fit():
    model = regressor(l1_per_layer=(0.1, 0.2, 0.3), penalty_factor=[1, 2, 3, 4]).fit(X, y)
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "coefs_")
