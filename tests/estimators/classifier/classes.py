"""Data of classes, and a small classifier, that the tests here share."""

import numpy as np

from skmlp import RegularizedMLPClassifier

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
SIGNAL = np.column_stack([X[:, 0], X[:, 1] * X[:, 2], -X[:, 0] - X[:, 3]])
CODES = (2 * SIGNAL + RNG.gumbel(size=(90, 3))).argmax(1)
TARGETS = {
    "binary": CODES > 0,
    "multinomial": np.array(["red", "green", "blue"])[CODES],
    "multilabel": (SIGNAL + RNG.logistic(size=(90, 3)) > 0).astype(int),
}
KINDS = [*TARGETS]
WEIGHT = RNG.uniform(0.2, 3, 90)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 20, "random_state": 0, "activation": "tanh"}
EXACT = {"solver": "lbfgs", "hidden_layer_sizes": (), "alpha": 1.0, "tol": 1e-9, "max_iter": 5000}


def classifier(**params):
    return RegularizedMLPClassifier(**{**SMALL, **params})
