"""Designs with dependent columns, and the models fitted to them."""

import warnings

import numpy as np

from skmlp import RegularizedMLPRegressor

LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "normalize_y": False}
LINEAR |= {"random_state": 0}
EXACT = {"tol": 1e-12, "max_iter": 10**6}


def fitted(X, y, sample_weight=None, **params):
    """A linear model whose fit does not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return RegularizedMLPRegressor(**{**LINEAR, **params}).fit(X, y, sample_weight)


def dummies(rng, n, n_variables):
    return np.hstack([np.eye(5)[rng.integers(0, 5, n)] for _ in range(n_variables)])


def with_totals(rng, n):
    parts = rng.normal(size=(n, 12))
    return np.c_[parts, parts[:, :4] + parts[:, 4:8], parts.sum(1), parts[:, 1]]


DESIGNS = {
    "totals": lambda rng: with_totals(rng, 90),
    "full dummies": lambda rng: dummies(rng, 100, 5),
    "more dummies than rows": lambda rng: dummies(rng, 30, 8),
    "columns twice": lambda rng: np.tile(rng.normal(size=(60, 9)), 2),
    "opposite columns": lambda rng: np.hstack([X := rng.normal(size=(50, 7)), -X, X[:, :1] + 3]),
    "rows twice": lambda rng: np.repeat(rng.normal(size=(12, 40)), 2, 0),
    "bootstrap": lambda rng: rng.normal(size=(20, 50))[rng.integers(0, 20, 20)],
    "low rank": lambda rng: rng.normal(size=(40, 3)) @ rng.normal(size=(3, 30)),
}


def problem(name, n_outputs=1):
    rng = np.random.default_rng(len(name))
    X = DESIGNS[name](rng)
    Y = X @ rng.normal(size=(X.shape[1], n_outputs)) + 0.3 * rng.normal(size=(len(X), n_outputs))
    return X, (Y[:, 0] if n_outputs == 1 else Y)


def largest_l1(X, y):
    return np.abs((X - X.mean(0)).T @ (y - y.mean(0))).max() / len(X)
