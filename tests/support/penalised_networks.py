"""A nonlinear problem, and the small networks fitted to it under penalties."""

import numpy as np
from support.draws import begin_again

from skmlp import RegularizedMLPRegressor

RNG = np.random.default_rng(0)


def nonlinear(n_samples, n_features):
    """X and y of standard deviation one: a sine, a product and a square of four features."""
    X = RNG.normal(size=(n_samples, n_features))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] ** 2 + 0.1 * RNG.normal(size=n_samples)
    return X, (y - y.mean()) / y.std()


X, y = nonlinear(120, 6)
WEIGHT = RNG.uniform(0.5, 2, len(y))
begin_again(RNG)
LARGEST = nonlinear(2000, 20)
LARGE = nonlinear(1000, 10)
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
