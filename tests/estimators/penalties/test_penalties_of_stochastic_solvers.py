"""Closing steps of adam and sgd, and penalties of folded batch normalisation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Lasso
from support.draws import begin_again
from support.penalised_networks import LARGE, RNG, SOLVERS, WEIGHT, X, network, nonlinear, y

from skmlp.engine import fitting
from skmlp.engine.epochs import progress
from skmlp.engine.epochs.solvers import Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:normalization=", "ignore:Layers"
)


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


# adam and sgd


@pytest.fixture
def without_closing_steps(monkeypatch):
    monkeypatch.setattr(fitting, "_settles", lambda task, outcome: False)


@pytest.fixture(scope="module")
def closing():
    """Fits with the whole closing phase, without its deterministic steps, and without all of it."""
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
            ).fit(*LARGE)
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
