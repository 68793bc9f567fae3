"""Penalties, constraints and certificates of networks, recomputed by torch autograd and by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Lasso
from torch.nn import functional

from skmlp import RegularizedMLPRegressor
from skmlp.engine import fitting
from skmlp.engine.epochs import progress
from skmlp.engine.epochs.solvers import Adam
from skmlp.engine.network.activations import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:normalization=", "ignore:Layers"
)

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    RNG.bit_generator.state = np.random.default_rng(1).bit_generator.state


def nonlinear(n_samples, n_features):
    """X and y of standard deviation one: a sine, a product and a square of four features."""
    X = RNG.normal(size=(n_samples, n_features))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] ** 2 + 0.1 * RNG.normal(size=n_samples)
    return X, (y - y.mean()) / y.std()


X, y = nonlinear(120, 6)
WEIGHT = RNG.uniform(0.5, 2, len(y))
SOLVERS = {
    "adam": {"learning_rate_init": 0.01, "batch_size": 40},
    "sgd": {"learning_rate_init": 0.03, "batch_size": 40},
    "lbfgs": {},
}


def network(solver, **params):
    defaults = {
        "hidden_layer_sizes": (8, 4),
        "activation": "tanh",
        "max_iter": 60,
        "random_state": 0,
        "normalize_y": False,
    }
    return RegularizedMLPRegressor(**{**defaults, "solver": solver, **SOLVERS[solver], **params})


# Exact zeros


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_each_layer_has_its_own_zeros(solver, layer):
    """The layer with the strong penalty has exact zeros, those without one have none."""
    l1 = [0.0, 0.0, 0.0]
    l1[layer] = 0.05
    model = network(solver, l1_per_layer=l1, alpha=2.0, max_iter=150).fit(X, y)
    zeros = [np.count_nonzero(coef == 0) for coef in model.coefs_]
    assert [count > 0 for count in zeros] == [k == layer for k in range(3)]
    sizes = [coef.size for coef in model.coefs_]
    assert_array_equal(model.sparsity_, np.divide(zeros, sizes))
    assert all((intercept != 0).all() for intercept in model.intercepts_[:-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_more_penalty_more_zeros(solver, dtype):
    data = X.astype(dtype), y.astype(dtype)
    zeros = [
        network(solver, l1_per_layer=l1, max_iter=150).fit(*data).sparsity_.mean()
        for l1 in (0.0, 0.003, 0.03)
    ]
    assert zeros[0] == 0 < zeros[1] < zeros[2] <= 1


# The certificate


def loss_of(model, X, y, weight, coefs, intercepts):
    """The weighted mean loss of published weights, by torch's own functions."""
    a = torch.tensor(X)
    for k, (coef, intercept) in enumerate(zip(coefs[:-1], intercepts[:-1], strict=True)):
        z = a @ coef + intercept
        if model.normalization == "layer":
            gain, shift = (
                torch.tensor(values[k])
                for values in (model.layer_norm_gains_, model.layer_norm_shifts_)
            )
            z = functional.layer_norm(z, z.shape[1:], gain, shift)
        a = torch.tanh(z)
    output, y = a @ coefs[-1] + intercepts[-1], torch.tensor(y).reshape(len(y), -1)
    if model.loss == "poisson":
        each = output.exp() - y * output + torch.xlogy(y, y) - y
    else:
        each = 0.5 * (output - y) ** 2
    return (torch.tensor(weight)[:, None] * each).sum() / weight.sum()


def certificate(model, X, y, weight=None):
    """F and max |w - prox(w - grad)| at the published weights, from their definitions."""
    weight = np.ones(len(y)) if weight is None else weight
    coefs = [torch.tensor(coef, requires_grad=True) for coef in model.coefs_]
    intercepts = [torch.tensor(intercept, requires_grad=True) for intercept in model.intercepts_]
    n_layers = len(coefs)
    l1, alpha, positive = (
        np.broadcast_to(getattr(model, name), n_layers)
        for name in ("l1_per_layer", "alpha", "positive_weights")
    )
    smooth = loss_of(model, X, y, weight, coefs, intercepts)
    first = np.ones(X.shape[1]) if model.penalty_factor is None else model.penalty_factor
    factors = [torch.tensor(np.asarray(first, dtype=float))[:, None]] + [1.0] * n_layers
    objective = 0.0
    for coef, own_l1, own_alpha, factor in zip(coefs, l1, alpha, factors, strict=False):
        smooth = smooth + own_alpha / (2 * weight.sum()) * (factor * coef**2).sum()
        objective += float(own_l1 * (factor * coef.detach().abs()).sum())
    smooth.backward()
    objective += float(smooth.detach())
    residual = max(float(intercept.grad.abs().max()) for intercept in intercepts)
    for coef, own_l1, factor, sign in zip(coefs, l1, factors, positive, strict=False):
        step = (coef - coef.grad).detach()
        moved = functional.relu(step.abs() - float(own_l1) * factor) * step.sign()
        moved = moved.clamp(min=0) if sign else moved
        residual = max(residual, float((coef.detach() - moved).abs().max()))
    return objective, residual


def positive_target(y):
    return RNG.poisson(np.exp(0.5 * y)).astype(float)


CASES = {
    "plain": {},
    "L1 and L2 by layer": {"l1_per_layer": (0.01, 0.003, 0.001), "alpha": (1.0, 2.0, 3.0)},
    "penalty factor": {
        "l1_per_layer": 0.003,
        "alpha": 1.0,
        "penalty_factor": np.array([0.0, 1, 2, 0.5, 1, 3]),
    },
    "positive": {"l1_per_layer": 0.001, "positive_weights": (True, False, True)},
    "no hidden layer": {"hidden_layer_sizes": (), "l1_per_layer": 0.05, "alpha": 1.0},
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_certificate_is_autograds(solver, case, loss, weighted):
    target = positive_target(y) if loss == "poisson" else y
    weight = WEIGHT if weighted else None
    model = network(solver, loss=loss, max_iter=20, **CASES[case]).fit(X, target, weight)
    objective, residual = certificate(model, X, target, weight)
    assert model.objective_ == pytest.approx(objective, rel=1e-12)
    assert model.optimality_ == pytest.approx(residual, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("solver", SOLVERS)
def test_certificate_with_several_outputs(solver):
    targets = np.column_stack([y, 2 * X[:, 0], y**2])
    model = network(solver, l1_per_layer=0.003, alpha=2.0, max_iter=20).fit(X, targets, WEIGHT)
    assert (model.objective_, model.optimality_) == pytest.approx(
        certificate(model, X, targets, WEIGHT), rel=1e-9, abs=1e-13
    )


def test_objective_with_layer_normalization():
    """The residual also counts gains and shifts, so it is at least that of the weights."""
    for solver in SOLVERS:
        model = network(solver, normalization="layer", l1_per_layer=0.001, max_iter=20)
        model.fit(X, y, WEIGHT)
        objective, residual = certificate(model, X, y, WEIGHT)
        assert model.objective_ == pytest.approx(objective, rel=1e-12)
        assert model.optimality_ >= residual * (1 - 1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_certificate_of_normalized_y_is_in_its_units(solver):
    """Of y centred and scaled, and on the grid on which networks are trained."""
    model = network(solver, normalize_y=True, l1_per_layer=0.003, max_iter=20)
    model.fit(X, 50 * y + 1000)
    model.coefs_[-1] = model.coefs_[-1] / 50
    model.intercepts_[-1] = (model.intercepts_[-1] - 1000) / 50
    on_grid = np.rint(y * 2**24) / 2**24
    assert (model.objective_, model.optimality_) == pytest.approx(
        certificate(model, X, on_grid - on_grid.mean()), rel=1e-8, abs=1e-12
    )


@pytest.mark.parametrize("hidden, l1", [((10,), 1e-2), ((10,), 3e-3), ((10, 5), 1e-2)])
def test_lbfgs_reaches_a_stationary_point(hidden, l1):
    """2000 x 20 with tanh layers: a residual of 1e-5, by our account and by autograd's."""
    large = nonlinear(2000, 20)
    model = network(
        "lbfgs",
        hidden_layer_sizes=hidden,
        l1_per_layer=l1,
        tol=8e-6,
        max_iter=20_000,
        max_fun=100_000,
    ).fit(*large)
    assert model.optimality_ <= 1e-5
    assert certificate(model, *large)[1] <= 1e-5
    assert 0.3 < model.sparsity_[0] < 1


# adam and sgd


@pytest.fixture
def without_closing_steps(monkeypatch):
    monkeypatch.setattr(fitting, "_settles", lambda task, outcome: False)


@pytest.fixture(scope="module")
def closing():
    """Fits with the whole closing phase, without its deterministic steps, and without all of it."""
    data = nonlinear(1000, 10)
    fits = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, target, value in [
            ("whole", None, None),
            ("averaged", (fitting, "_settles"), lambda task, outcome: False),
            ("none", (progress, "CLOSING_MOMENTUM"), 0.9),
        ]:
            if target:
                patch.setattr(*target, value)
            model = network(
                "adam",
                hidden_layer_sizes=(20, 10),
                l1_per_layer=1e-3,
                max_iter=100,
                batch_size=50,
                learning_rate_init=0.003,
                n_iter_no_change=np.inf,
            ).fit(*data)
            fits[name] = model.objective_, sum(np.count_nonzero(c == 0) for c in model.coefs_)
    return fits


def test_closing_phase_lowers_the_objective(closing):
    assert closing["whole"][0] < min(closing["averaged"][0], closing["none"][0])


def test_longer_averages_of_the_gradient_add_zeros(closing):
    assert closing["averaged"][1] > closing["none"][1]


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu"])
@pytest.mark.parametrize("seed", range(4))
def test_deterministic_steps_never_end_above_the_last_epoch(activation, seed, monkeypatch):
    params = {"hidden_layer_sizes": (10, 5), "activation": activation, "l1_per_layer": 3e-3}
    params |= {"max_iter": 40, "learning_rate_init": 0.02, "random_state": seed}
    data = nonlinear(200, 6)
    whole = network("adam", **params).fit(*data)
    monkeypatch.setattr(fitting, "_settles", lambda task, outcome: False)
    before = network("adam", **params).fit(*data)
    assert whole.loss_curve_ == before.loss_curve_
    assert whole.objective_ <= before.objective_


def test_closing_phase_adds_zeros(closing):
    assert closing["whole"][1] > closing["none"][1]


LINEAR = {"hidden_layer_sizes": (), "alpha": 0.0, "l1_per_layer": 0.05, "n_iter_no_change": np.inf}


def lasso_error(solver, **params):
    """(largest difference from the lasso, whether the supports are the same)."""
    reference = Lasso(0.05, tol=1e-14).fit(X, y).coef_
    params = {**LINEAR, "batch_size": len(y), "max_iter": 3000, **params}
    coef = network(solver, **params).fit(X, y).coefs_[0][:, 0]
    assert 0 < np.count_nonzero(reference) < len(reference)
    return np.abs(coef - reference).max(), np.array_equal(coef != 0, reference != 0)


@pytest.mark.usefixtures("without_closing_steps")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_fixed_point_is_the_lasso(solver):
    error, same_support = lasso_error(solver)
    assert error < 1e-8
    assert same_support


@pytest.mark.usefixtures("without_closing_steps")
@pytest.mark.usefixtures("through_torch")
def test_threshold_of_the_learning_rate_alone_solves_another_problem(monkeypatch):
    """Thresholds lr * l1 in place of those in adam's metric."""
    update = Adam.update
    monkeypatch.setattr(Adam, "update", lambda *args: (update(*args)[0], None))
    error, _ = lasso_error("adam")
    assert error > 0.01


# Positive weights


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("l1", [0.0, 0.01])
@pytest.mark.parametrize("solver", SOLVERS)
def test_positive_weights(solver, l1, normalization):
    """All weights >= 0, zeros exact; predictions increase in every feature without layer norm."""
    model = network(
        solver, positive_weights=True, l1_per_layer=l1, normalization=normalization
    ).fit(X, y)
    assert all((coef >= 0).all() for coef in model.coefs_)
    assert model.sparsity_[0] > 0
    if normalization != "layer":
        low = RNG.normal(size=(200, 6))
        high = low + RNG.uniform(size=low.shape)
        assert (model.predict(high) - model.predict(low)).min() >= -1e-12


def warnings_of_falls(**params):
    """Those that a fit with positive weights gives, and its least increment in any feature."""
    model = network("lbfgs", **{"positive_weights": True, "max_iter": 300, **params})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y - X[:, 0])
    low = RNG.normal(size=(400, 6))
    high = low + np.eye(6)[RNG.integers(6, size=400)] * RNG.uniform(size=(400, 1))
    least = (model.predict(high) - model.predict(low)).min()
    return [str(w.message) for w in caught if "need not increase" in str(w.message)], least


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_positive_weights_say_where_the_function_may_fall(normalization, activation):
    messages, least = warnings_of_falls(normalization=normalization, activation=activation)
    may_fall = activation in ("silu", "gelu") or normalization == "layer"
    assert len(messages) == may_fall
    if may_fall:
        assert (f"activation={activation!r}" in messages[0]) == (activation in ("silu", "gelu"))
        assert ("normalization='layer'" in messages[0]) == (normalization == "layer")
    else:
        assert least >= -1e-12


def test_layer_normalisation_does_fall():
    assert warnings_of_falls(normalization="layer")[1] < -0.01


@pytest.mark.parametrize(
    "params",
    [{"positive_weights": (True, True, False)}, {"hidden_layer_sizes": ()}],
    ids=["not all layers", "linear"],
)
def test_no_such_claim_no_warning(params):
    assert not warnings_of_falls(activation="silu", **params)[0]


@pytest.mark.parametrize("solver", SOLVERS)
def test_positive_weights_by_layer(solver):
    model = network(solver, positive_weights=(False, True, False)).fit(X, y)
    assert [(coef >= 0).all() for coef in model.coefs_] == [False, True, False]


def test_positive_weights_begin_standardised():
    """After no more than a vanishing step every unit's product has standard deviation one."""
    a = X * np.logspace(-2, 2, 6)
    model = network(
        "sgd", positive_weights=True, learning_rate_init=1e-18, max_iter=1, batch_size=len(y)
    ).fit(a, y)
    for coef, intercept in zip(model.coefs_, model.intercepts_, strict=True):
        z = a @ coef + intercept
        assert_allclose(z.std(0), 1, rtol=1e-9)
        assert np.abs(z.mean(0)).max() <= 1
        a = np.tanh(z)


# Batch normalisation


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_folded_network_predicts_with_batch_statistics(solver, weighted, monkeypatch):
    """The published plain weights against the normalised network, worked out by hand."""
    weight = WEIGHT if weighted else None
    rows = {}
    original = fitting.fold

    def remember(task, weights):
        rows["weights"] = weights
        return original(task, weights)

    monkeypatch.setattr(fitting, "fold", remember)
    model = network(solver, normalization="batch", max_iter=15).fit(X, y, weight)
    normalised, a = rows["weights"], X
    for k in range(2):
        z = a @ normalised.coefs[k] + normalised.intercepts[k]
        mean = np.average(z, axis=0, weights=weight)
        variance = np.average((z - mean) ** 2, axis=0, weights=weight)
        z = (z - mean) / np.sqrt(variance + 1e-5)
        a = np.tanh(z * normalised.gains[k] + normalised.shifts[k])
    expected = a @ normalised.coefs[2] + normalised.intercepts[2]
    assert_allclose(model.predict(X), expected[:, 0], rtol=1e-10, atol=1e-12)
    assert not hasattr(model, "layer_norm_gains_")


def test_folding_keeps_zeros_and_signs():
    model = network("adam", normalization="batch", l1_per_layer=0.01, positive_weights=True)
    model.fit(X, y)
    assert all((coef >= 0).all() and (coef == 0).any() for coef in model.coefs_[:2])


# Penalty factors


@pytest.mark.parametrize("solver", SOLVERS)
def test_penalty_factors(solver):
    """Nought leaves a feature free, infinity excludes it, and names are positions."""
    factor = {"a": 0.0, "c": np.inf, "d": 100.0}
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = network(solver, l1_per_layer=0.003, penalty_factor=factor).fit(frame, y)
    by_position = [0.0, 1.0, np.inf, 100.0, 1.0, 1.0]
    same = network(solver, l1_per_layer=0.003, penalty_factor=by_position).fit(X, y)
    for ours, expected in zip(model.coefs_, same.coefs_, strict=True):
        assert_array_equal(ours, expected)
    free, excluded, penalised = model.coefs_[0][[0, 2, 3]]
    assert (free != 0).all()
    assert (excluded == 0).all()
    assert (penalised == 0).all()
    other = frame.assign(c=1e6)
    assert_array_equal(model.predict(other), model.predict(frame))


# Warnings

WARNINGS = {
    "Layers 1, 2 .*no penalty beside penalised ones": {"l1_per_layer": (0.01, 0, 0)},
    "Layers 0 .*no penalty beside penalised ones": {"alpha": (0, 1, 1)},
    "normalization='batch' undoes the scale": {"normalization": "batch", "l1_per_layer": 0.01},
    "normalization='layer' undoes the scale": {"normalization": "layer", "alpha": 1.0},
    r"All weights of layers \[0, 1, 2\] .*are zero": {"l1_per_layer": 10.0},
    r"All weights of layers \[1\] .*are zero": {"l1_per_layer": (0.0, 10.0, 0.0)},
}


@pytest.mark.parametrize("message", WARNINGS)
def test_warning(message):
    with pytest.warns(UserWarning, match=message):
        network("adam", **WARNINGS[message]).fit(X, y)


@pytest.mark.filterwarnings("error:Layers", "error:normalization=", "error:All weights")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"l1_per_layer": 0.001},
        {"l1_per_layer": (0.001, 0.0, 0.001), "alpha": (0, 1, 0)},
        {"normalization": "batch"},
    ],
)
def test_no_warning_without_cause(params):
    network("adam", max_iter=5, **params).fit(X, y)
