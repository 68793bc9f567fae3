"""Small data and a small network for tests of hostile input."""

import numpy as np

from skmlp import RegularizedMLPRegressor

SOLVERS = ("adam", "sgd", "lbfgs")
NORMALIZATIONS = (None, "batch", "layer")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
y = np.sin(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=40)
WEIGHTS = RNG.uniform(0.2, 3.0, size=40)
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 10, "random_state": 0}


def regressor(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params})


def public_state(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}
