"""Parameters and data that are anybody's: what the estimators' docstrings allow, small."""

import numpy as np
from hypothesis import strategies as st

FINITE = {"allow_nan": False, "allow_infinity": False}
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "silu", "gelu", "softplus", "leaky_relu"]
INCREASING = ["identity", "logistic", "tanh", "relu", "softplus", "leaky_relu"]
LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma", "tweedie"]


def strength(largest=1.0):
    return st.one_of(st.just(0.0), st.floats(1e-6, largest))


@st.composite
def tables(draw, most_rows=40):
    """X with columns on scales of their own, some of them constant or equal, and the generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_features = draw(st.integers(6, most_rows)), draw(st.integers(1, 6))
    scales = 10.0 ** rng.integers(-3, 4, size=n_features)
    X = rng.normal(size=(n_rows, n_features)) * scales + draw(st.sampled_from([0.0, 1.0, 100.0]))
    if n_features > 1 and draw(st.booleans()):
        X[:, -1] = draw(st.sampled_from([X[:, 0], np.zeros(n_rows)]))
    return X.astype(draw(st.sampled_from([np.float64, np.float32]))), rng


@st.composite
def networks(draw, n_features):
    """Parameters that both estimators share."""
    hidden = tuple(draw(st.lists(st.integers(1, 5), max_size=2)))
    solver = draw(st.sampled_from(["adam", "sgd", "lbfgs"]))
    params = {
        "hidden_layer_sizes": hidden,
        "activation": draw(st.sampled_from(ACTIVATIONS)),
        "solver": solver,
        "alpha": draw(strength()),
        "l1_per_layer": draw(st.one_of(strength(), st.just([0.01] * (len(hidden) + 1)))),
        "group_l1": draw(strength(0.1)),
        "positive_weights": draw(st.booleans()),
        "max_iter": draw(st.integers(1, 8)),
        "random_state": draw(st.integers(0, 9)),
        "penalty_factor": draw(st.sampled_from([None, [1.0] * n_features])),
    }
    if solver != "lbfgs":
        params |= {
            "batch_size": draw(st.one_of(st.just("auto"), st.integers(1, 6))),
            "early_stopping": draw(st.booleans()),
            "learning_rate_init": draw(st.floats(1e-4, 0.1)),
            "n_iter_no_change": draw(st.integers(1, 5)),
            "shuffle": draw(st.booleans()),
            "validation_fraction": 0.5,
        }
    if hidden and solver != "lbfgs":
        params["dropout"] = draw(st.sampled_from([0.0, 0.3]))
    if hidden:
        params["normalization"] = draw(st.sampled_from([None, "batch", "layer"]))
    return params


def weights_of_rows(rng, n_rows, choice):
    """None, whole numbers with noughts among them, or any positive numbers."""
    if choice == "none":
        return None
    if choice == "whole":
        return rng.integers(0, 3, size=n_rows) + (np.arange(n_rows) < 4)
    return rng.uniform(0.1, 5.0, size=n_rows)


ROW_WEIGHTS = st.sampled_from(["none", "whole", "any"])


@st.composite
def regressions(draw):
    """Parameters of the regressor, X, y and weights of rows."""
    X, rng = draw(tables())
    params = draw(networks(X.shape[1]))
    params["loss"] = draw(st.sampled_from(LOSSES))
    params["normalize_y"] = draw(st.booleans())
    signal = np.tanh(X[:, 0] / (1e-9 + np.abs(X[:, 0]).max())) + 0.1 * rng.normal(size=len(X))
    y = draw(st.sampled_from([1e-3, 1.0, 1e3])) * signal
    if params["loss"] in ("poisson", "gamma", "tweedie"):
        y = np.exp(signal)
    elif params["loss"] != "quantile" and draw(st.booleans()):
        y = np.column_stack([y, -2 * y + 1])
    return params, X, y, weights_of_rows(rng, len(X), draw(ROW_WEIGHTS))


@st.composite
def classifications(draw):
    """Parameters of the classifier, X, y and weights of rows."""
    X, rng = draw(tables())
    params = draw(networks(X.shape[1]))
    params["class_weight"] = draw(st.sampled_from([None, "balanced"]))
    labels = draw(st.sampled_from([[0, 1], ["a", "b", "c"], [2.0, -1.0], [True, False]]))
    n_classes = len(labels)
    y = np.array(labels)[np.arange(len(X)) % n_classes]
    rng.shuffle(y[2 * n_classes :])
    return params, X, y, weights_of_rows(rng, len(X), draw(ROW_WEIGHTS))
