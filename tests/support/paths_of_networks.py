"""Data, and small networks with their paths and cross-validation."""

import numpy as np
import pandas as pd

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
)

RNG = np.random.default_rng(0)
N_ROWS, N_FEATURES = 120, 6
X = RNG.normal(size=(N_ROWS, N_FEATURES))
y = 3 + np.tanh(2 * X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=N_ROWS)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0]))
UNRELATED = RNG.normal(size=N_ROWS)
WIDE = RNG.normal(size=(30, 60))
WIDE_Y = 2 * WIDE[:, 0] + 0.1 * RNG.normal(size=30)
FRAME = pd.DataFrame(X, columns=list("abcdef"))


def network(**params):
    fixed = {
        "hidden_layer_sizes": 8,
        "activation": "tanh",
        "solver": "lbfgs",
        "alpha": 2.0,
        "tol": 1e-4,
        "max_iter": 300,
        "random_state": 0,
    }
    return RegularizedMLPRegressor(**{**fixed, **params})


def path_of(model=None, data=(X, y), **params):
    return regularization_path(model or network(), *data, **{"n_strengths": 8, **params})


def cv_of(model=None, **params):
    return RegularizedMLPRegressorCV(
        model or network(), **{"n_strengths": 6, "eps": 1e-4, "cv": 3, **params}
    )
