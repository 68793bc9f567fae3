"""Data, and the ways to search strengths of a penalty: CV, path and stability selection."""

import numpy as np

from skmlp import (
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
y = np.tanh(2 * X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=90)
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "random_state": 0}
WEIGHT = RNG.uniform(0.5, 1.5, 90)
NETWORK = {
    "hidden_layer_sizes": 6,
    "activation": "tanh",
    "solver": "lbfgs",
    "alpha": 2.0,
    "tol": 1e-3,
    "max_iter": 1000,
    "random_state": 0,
}


def run_cv(model, **params):
    return RegularizedMLPRegressorCV(model, **{"n_strengths": 5, "cv": 3, **params}).fit(X, y)


def run_path(model, **params):
    return regularization_path(model, X, y, **{"n_strengths": 4, **params})


def run_selection(model, **params):
    return stability_selection(model, X, y, n_subsamples=4, n_strengths=3, random_state=0, **params)


ENTRIES = [run_cv, run_path, run_selection]
