"""Thousands of random programs: none is published unconverged in silence.

A fit that gives no ConvergenceWarning cannot be improved, by going on from where it ended, by more
than its tolerance, and its residual is below it. At the kinks of ReLU neither says that much: there
other steps of the same searches gain nothing, and hardly ever more than a hundredth is found later.
"""

import copy
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skmlp import RegularizedMLPRegressor
from skmlp.engine.network.activations import ACTIVATIONS

N_PROGRAMS = 1000
N_BLOCKS = 20
AT_KINKS = 0.03
SMOOTH = [name for name, activation in ACTIVATIONS.items() if activation.smooth]


def random_data(rng):
    """(X, y, weights) of few rows, now and then with columns that depend on each other."""
    n_rows, n_features, n_outputs = rng.integers(12, 30), rng.integers(2, 7), rng.choice([1, 1, 2])
    X = rng.normal(size=(n_rows, n_features))
    if rng.random() < 0.3:
        X[:, -1] = X[:, 0]
    X = scale(X)
    y = np.sin(2 * X[:, :1]) + X[:, 1:2] + 0.3 * rng.normal(size=(n_rows, n_outputs))
    return X, y.squeeze(), [None, rng.uniform(0.2, 2, n_rows)][rng.integers(2)]


def random_model(rng, seed):
    """Any penalties, constraints, activation, loss and layers, with a deterministic end."""

    def one_of(*values):
        return values[rng.integers(len(values))]

    hidden = one_of((), (3,), (6,), (4, 3))
    l1, group_l1 = one_of((0, 0), (1e-2, 0), (0.1, 0), (0, 1e-2), (0, 0.1), (1e-2, 1e-2))
    return RegularizedMLPRegressor(
        loss=one_of("squared_error", "squared_error", "poisson"),
        hidden_layer_sizes=hidden,
        activation=one_of(*ACTIVATIONS),
        solver=one_of("lbfgs", "lbfgs", "adam") if l1 or group_l1 else "lbfgs",
        l1_per_layer=l1,
        group_l1=group_l1,
        alpha=10 ** rng.uniform(-2, 1),
        tol=one_of(1e-4, 1e-5, 1e-6),
        positive_weights=one_of(False, False, True),
        normalization=one_of(None, None, "layer") if hidden else None,
        learning_rate_init=0.01,
        max_iter=60,
        random_state=seed,
    )


def warns_of_convergence(model, *data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data)
    return any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def gain_of_going_on(model, *data):
    """By how much of F, or of the loss of a constant where that is nearly nought, it falls."""
    further = copy.deepcopy(model).set_params(warm_start=True, solver="lbfgs", max_iter=300)
    warns_of_convergence(further, *data)
    return (model.objective_ - further.objective_) / max(model.objective_, 1e-2)


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_no_fit_is_unconverged_in_silence(block):
    n_silent = 0
    for seed in range(block, N_PROGRAMS, N_BLOCKS):
        rng = np.random.default_rng(seed)
        X, y, weight = random_data(rng)
        model = random_model(rng, seed)
        data = X, np.exp(y) if model.loss == "poisson" else y, weight
        if warns_of_convergence(model, *data):
            continue
        n_silent += 1
        is_smooth = not model.hidden_layer_sizes or model.activation in SMOOTH
        largest = model.tol if is_smooth else AT_KINKS
        assert gain_of_going_on(model, *data) <= largest, (seed, model)
        if is_smooth and weight is None:  # weights move the scale on which searches see columns
            assert model.optimality_ <= 2 * model.tol, (seed, model)
    assert n_silent > N_PROGRAMS / N_BLOCKS / 3
