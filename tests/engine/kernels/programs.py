"""Random programs that the compiled loops serve."""

import numpy as np
from support.engine_tasks import ACTIVATIONS, task_of

from skmlp.engine.kernels import binding
from skmlp.engine.losses.table import CLASSIFICATION, loss_of

SMOOTH = ["squared_error", *(name for name in binding.LOSSES if loss_of(name).smooth)]


def _choice(rng, options):
    return options[rng.integers(len(options))]


def random_network(rng):
    """Parameters of a network: depth, widths and activation."""
    hidden = tuple(int(n) for n in rng.integers(1, 24, rng.integers(0, 4)))
    return {"hidden_layer_sizes": hidden, "activation": _choice(rng, list(ACTIVATIONS))}


def random_penalty(rng, n_features):
    """Parameters of a penalty, each part of it acting in some of the draws."""
    params = {"alpha": _choice(rng, [0.0, 0.3])}
    if rng.random() < 0.5:
        params["l1_per_layer"] = 0.003
    if rng.random() < 0.4:
        params["group_l1"] = 0.01
        if n_features > 3 and rng.random() < 0.5:
            params["feature_groups"] = [[0, 2], [1, 3]]
    if rng.random() < 0.3:
        params["positive_weights"] = True
    if "feature_groups" not in params and rng.random() < 0.4:
        factor = rng.uniform(0.5, 2, n_features)
        factor[0] = np.inf if n_features > 1 else 1.0
        params["penalty_factor"] = factor
    return params


def random_solver(rng):
    """Parameters of adam or sgd and their schedules."""
    if rng.random() < 0.5:
        return {"solver": "adam", "learning_rate_init": 0.01, "beta_1": _choice(rng, [0.9, 0.5])}
    return {
        "solver": "sgd",
        "learning_rate_init": 0.01,
        "learning_rate": _choice(rng, ["constant", "invscaling", "adaptive"]),
        "momentum": _choice(rng, [0.9, 0.0]),
        "nesterovs_momentum": bool(rng.integers(2)),
    }


def random_data(rng, n_rows, loss):
    """(X, y, sample weights or None) as an estimator is given them."""
    X = rng.normal(size=(n_rows, rng.integers(1, 9)))
    n_outputs = _choice(rng, [1, 1, 2, 5])
    y = rng.normal(size=(n_rows, n_outputs)) + X[:, :1]
    if loss in ("poisson", "tweedie", "gamma"):
        y = rng.poisson(np.exp(0.3 * y)) + 1.0 * (loss == "gamma")
    if loss in CLASSIFICATION:
        y = classes_of(y, loss)
    weight = rng.uniform(0.5, 2, n_rows) if rng.random() < 0.5 else None
    return X, y[:, 0] if n_outputs == 1 else y, weight


def classes_of(y, loss):
    """Columns of zeros and ones: where y is above its mean, or the place of each row's largest."""
    if loss == "log_loss":
        return (y > y.mean()).astype(float)
    return np.eye(y.shape[1])[y.argmax(axis=1)]


def random_task(seed, losses=SMOOTH, **params):
    """A task of a random program, float64 and with the given parameters."""
    rng = np.random.default_rng(seed)
    loss = _choice(rng, losses)
    X, y, weight = random_data(rng, int(rng.integers(5, 70)), loss)
    drawn = {**random_network(rng), **random_penalty(rng, X.shape[1]), **random_solver(rng)}
    return task_of(X, y, weight, **{"loss": loss, "random_state": seed, **drawn, **params})


def numbers_of(weights):
    """All parameters of a network, flat."""
    return np.concatenate([array.ravel() for group in weights for array in group])
