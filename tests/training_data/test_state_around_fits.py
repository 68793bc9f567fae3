"""Warm starts across changes, torch's settings of the caller, and interrupted fits."""

import os
import re
import signal
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import permutations

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from support.hostile_input import NORMALIZATIONS, SOLVERS, X, public_state, regressor, y

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:overflow:RuntimeWarning"
)


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
