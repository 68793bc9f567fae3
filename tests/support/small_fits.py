"""Small data and the configurations whose fits are compared bit by bit."""

import joblib
import numpy as np
import pytest

from skmlp import RegularizedMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
y = 100 + 10 * (np.sin(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=50))
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 10, "batch_size": 20, "random_state": 0}
CONFIGURATIONS = [
    {},
    {"solver": "sgd"},
    {"solver": "lbfgs"},
    {"l1_per_layer": 0.01},
    {"l1_per_layer": 0.01, "solver": "lbfgs"},
    {"positive_weights": True},
    {"early_stopping": True},
    {"dropout": 0.3},
    {"normalization": "batch"},
    {"normalization": "layer"},
]
configurations = pytest.mark.parametrize("params", CONFIGURATIONS, ids=str)


def regressor(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params})


def state(model):
    """Hash of everything published, to the bit."""
    return joblib.hash({name: value for name, value in vars(model).items() if name.endswith("_")})
