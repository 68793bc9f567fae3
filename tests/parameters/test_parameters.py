"""Every parameter changes the fit, may be set after construction and has the documented default."""

import ast
import inspect
import re

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
y = np.exp(0.3 * X[:, 0] + 0.2 * X[:, 1] * X[:, 2]) + 0.1 * RNG.uniform(size=60)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 12, "batch_size": 20, "random_state": 0}
INVSCALING = {"solver": "sgd", "learning_rate": "invscaling"}
EARLY = {"early_stopping": True}
LOOSE = {"tol": 1.0, "max_iter": 40}

# What another value is, and the parameters beside which it matters
CHANGES = {
    "loss": ("poisson", {}),
    "hidden_layer_sizes": ((6, 3), {}),
    "activation": ("tanh", {}),
    "solver": ("lbfgs", {}),
    "alpha": (1.0, {}),
    "batch_size": (30, {}),
    "learning_rate": ("invscaling", {"solver": "sgd"}),
    "learning_rate_init": (0.002, {}),
    "power_t": (0.7, INVSCALING),
    "max_iter": (13, {}),
    "shuffle": (False, {}),
    "random_state": (1, {}),
    "tol": (1.0, {"max_iter": 40}),
    "momentum": (0.5, {"solver": "sgd"}),
    "nesterovs_momentum": (False, {"solver": "sgd"}),
    "early_stopping": (True, {}),
    "validation_fraction": (0.3, EARLY),
    "beta_1": (0.5, {}),
    "beta_2": (0.9, {}),
    "epsilon": (0.1, {}),
    "n_iter_no_change": (2, LOOSE),
    "max_fun": (4, {"solver": "lbfgs"}),
    "quantile": (0.8, {"loss": "quantile"}),
    "power": (1.9, {"loss": "tweedie"}),
    "huber_delta": (0.1, {"loss": "huber"}),
    "l1_per_layer": (0.01, {}),
    "group_l1": (0.01, {}),
    "feature_groups": (((0, 1),), {"group_l1": 0.01}),
    "penalty_factor": ((0.0, 1.0, 2.0, 3.0), {"l1_per_layer": 0.01}),
    "lower_limits": (0.0, {}),
    "upper_limits": ((0.0, np.inf, np.inf, 0.0), {}),
    "positive_weights": (True, {}),
    "monotonic_cst": ((1, 0, -1, 0), {"activation": "tanh"}),
    "fit_intercept": (False, {"hidden_layer_sizes": (), "tol": 1e-9}),
    "normalize_y": (False, {}),
    "normalization": ("batch", {}),
    "dropout": (0.2, {}),
}
ELSEWHERE = {"verbose", "warm_start", "device"}
DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(RegularizedMLPRegressor).parameters.items()
}


def predictions(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params}).fit(X, y).predict(X)


def test_every_parameter_is_tested_here():
    assert set(CHANGES) | ELSEWHERE == set(RegularizedMLPRegressor().get_params())


@pytest.mark.parametrize("name", CHANGES)
def test_parameter_changes_the_fit(name):
    value, beside = CHANGES[name]
    assert not np.array_equal(predictions(**beside), predictions(**beside, **{name: value}))


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_each_normalization_changes_the_fit(normalization):
    other = {"batch": "layer", "layer": "batch"}[normalization]
    base = predictions(normalization=normalization)
    assert not np.array_equal(base, predictions())
    assert not np.array_equal(base, predictions(normalization=other))


@pytest.mark.parametrize("name", ["alpha", "l1_per_layer", "positive_weights", "dropout"])
def test_each_layer_has_its_own_value(name):
    value, neutral = CHANGES[name][0], 0.0 if name != "positive_weights" else False
    base = {"hidden_layer_sizes": (6, 5)}
    n_values = 2 if name == "dropout" else 3
    rows = [[value if k == j else neutral for k in range(n_values)] for j in range(n_values)]
    fits = [predictions(**base, **{name: row}) for row in [*rows, neutral]]
    assert len({fit.tobytes() for fit in fits}) == n_values + 1
    assert_array_equal(predictions(**base, **{name: [neutral] * n_values}), fits[-1])


@pytest.mark.parametrize("name", CHANGES)
def test_set_params_equals_the_constructor(name):
    value, beside = CHANGES[name]
    constructed = RegularizedMLPRegressor(**{**SMALL, **beside, name: value})
    assigned = RegularizedMLPRegressor(**{**SMALL, **beside}).set_params(**{name: value})
    assert assigned.get_params() == constructed.get_params()
    assert assigned.get_params()[name] is value
    assert_array_equal(assigned.fit(X, y).predict(X), constructed.fit(X, y).predict(X))


@pytest.mark.parametrize("name", CHANGES)
def test_fit_leaves_the_parameters(name):
    value, beside = CHANGES[name]
    model = RegularizedMLPRegressor(**{**SMALL, **beside, name: value})
    before = model.get_params()
    assert model.fit(X, y).get_params() == before
    assert all(model.get_params()[key] is value for key, value in before.items())


# Parameters that do not change one fit's numbers


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_verbose_prints_each_epoch(capsys, solver):
    quiet = predictions(solver=solver, max_iter=3)
    assert capsys.readouterr().out == ""
    assert_array_equal(predictions(solver=solver, max_iter=3, verbose=True), quiet)
    assert re.findall(r"Iteration (\d+), loss = \d", capsys.readouterr().out) == ["1", "2", "3"]
    predictions(solver=solver, max_iter=3, verbose=True, early_stopping=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    line = r"Iteration \d, loss = [\d.]+, validation loss = [\d.]+, validation score = -?[\d.]+"
    assert all(re.fullmatch(line, printed) for printed in lines)


def test_warm_start_changes_the_second_fit():
    cold, warm = (RegularizedMLPRegressor(**SMALL, warm_start=flag) for flag in (False, True))
    first = cold.fit(X, y).predict(X)
    assert_array_equal(warm.fit(X, y).predict(X), first)
    assert_array_equal(cold.fit(X, y).predict(X), first)
    assert not np.array_equal(warm.fit(X, y).predict(X), first)


def test_device():
    expected = predictions()
    assert_array_equal(predictions(device="cpu"), expected)
    for name, present in (
        ("cuda", torch.cuda.is_available()),
        ("mps", torch.backends.mps.is_available()),
    ):
        if present:
            np.testing.assert_allclose(predictions(device=name), expected, rtol=1e-2)
        else:
            with pytest.raises((ValueError, RuntimeError), match=name):
                predictions(device=name)
    if not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        assert_array_equal(predictions(device="auto"), expected)


# Penalty factors


def test_penalty_factor_by_name_equals_by_position():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = RegularizedMLPRegressor(**SMALL, l1_per_layer=0.02)
    model.set_params(penalty_factor=(1.0, 3.0, 1.0, 0.0))
    expected = model.fit(frame, y).predict(frame)
    model.set_params(penalty_factor={"d": 0.0, "b": 3.0})
    assert_array_equal(model.fit(frame, y).predict(frame), expected)
    with pytest.raises(ValueError, match="penalty_factor"):
        model.set_params(penalty_factor={"e": 0.0}).fit(frame, y)


@pytest.mark.parametrize("l1", [0.0, 0.02])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_infinite_penalty_factor_excludes(solver, l1):
    model = RegularizedMLPRegressor(**SMALL, solver=solver, l1_per_layer=l1)
    model.set_params(penalty_factor=(1.0, np.inf, 0.0, 1.0)).fit(X, y)
    assert (model.coefs_[0][1] == 0).all()
    assert (model.coefs_[0][2] != 0).all()
    assert np.isfinite([model.objective_, model.optimality_, model.loss_]).all()


# Documentation


def section(title):
    """The entries of a section of the class's docstring: name -> type line."""
    doc = inspect.cleandoc(RegularizedMLPRegressor.__doc__)
    text = re.search(rf"^{title}\n-+\n(.*?)(?=\n\n^\S[^\n]*\n-+\n|\Z)", doc, re.M | re.S).group(1)
    entries = re.findall(r"^(\w+(?:, \w+)*) : (.*(?:\n\w.*)?)$", text, re.M)
    return {name: line for names, line in entries for name in names.split(", ")}


@pytest.mark.parametrize("name", DEFAULTS)
def test_documented_default_is_the_signatures(name):
    line = section("Parameters")[name]
    assert ast.literal_eval(re.search(r"default=(.+)$", line).group(1)) == DEFAULTS[name]


def test_parameters_are_documented_in_order():
    assert list(section("Parameters")) == list(DEFAULTS)


@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"normalization": "layer"}], ids=str)
def test_every_fitted_attribute_is_documented(params):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = RegularizedMLPRegressor(**{**SMALL, **params}).fit(frame, y)
    published = {name for name in vars(model) if re.fullmatch(r"[a-z]\w*[^_]_", name)}
    assert published <= set(section("Attributes"))
