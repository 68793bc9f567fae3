"""Penalties, constraints and certificates of networks, recomputed by torch autograd and by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from support.draws import begin_again
from support.penalised_networks import LARGEST, RNG, SOLVERS, WEIGHT, X, network, y
from torch.nn import functional

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:normalization=", "ignore:Layers"
)


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


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
    model = network(
        "lbfgs",
        hidden_layer_sizes=hidden,
        l1_per_layer=l1,
        tol=8e-6,
        max_iter=20_000,
        max_fun=100_000,
    ).fit(*LARGEST)
    assert model.optimality_ <= 1e-5
    assert certificate(model, *LARGEST)[1] <= 1e-5
    assert 0.3 < model.sparsity_[0] < 1


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
