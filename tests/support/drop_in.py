"""Data and a small network that the tests against MLPRegressor share."""

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from skmlp import RegularizedMLPRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ("adam", "sgd", "lbfgs")
CLASSES = (MLPRegressor, RegularizedMLPRegressor)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=60)
Y = np.column_stack([y, X[:, 3] - y, y**2])
WEIGHTS = RNG.uniform(0.2, 3.0, size=60)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 5, "random_state": 0}


def regressor(**params):
    return RegularizedMLPRegressor(**{**SMALL, **params})
