"""Small fitted networks of every activation, normalisation, link and kind of y."""

import warnings
from functools import cache

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPClassifierCV,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
y = 100 + 10 * (np.sin(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=60))
NEW = 3 * RNG.normal(size=(40, 4))
CODES = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=60), [-0.5, 0.5])
TARGETS = {
    "binary": CODES > 0,
    "numbered": 10 + 5 * (CODES > 0),
    "named": np.array(["blue", "green", "red"])[CODES],
    "several labels": np.c_[CODES > 0, CODES > 1, X[:, 1] > 0].astype(int),
}
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 10, "batch_size": 20, "random_state": 0}
SMALL |= {"activation": "tanh", "learning_rate_init": 0.01}

AS_SKLEARN = {
    **{name: {"activation": name} for name in ("identity", "logistic", "tanh", "relu")},
    "batch": {"normalization": "batch", "activation": "relu"},
    "alphas": {"alpha": (0.1, 0.2, 0.3), "l1_per_layer": 0.01, "random_state": None},
    "units of y": {"normalize_y": False},
    "linear": {"hidden_layer_sizes": (), "activation": "gelu", "solver": "lbfgs"},
    "absolute_error": {"loss": "absolute_error"},
    "huber": {"loss": "huber"},
    "quantile": {"loss": "quantile", "quantile": 0.2, "normalization": "batch"},
    "poisson": {"loss": "poisson"},
    "gamma": {"loss": "gamma", "hidden_layer_sizes": ()},
    "tweedie": {"loss": "tweedie", "solver": "lbfgs"},
    "outputs": {},
    "float32": {},
}
BEYOND_SKLEARN = {
    **{name: {"activation": name} for name in ("silu", "gelu", "softplus", "leaky_relu")},
    "layer": {"normalization": "layer"},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
}
REGRESSORS = {**AS_SKLEARN, **BEYOND_SKLEARN}
Y = {"outputs": np.c_[y, np.cos(y)]}


@cache
def regressor(name):
    """The network of a name, fitted."""
    dtype = np.float32 if name == "float32" else np.float64
    return quiet_fit(
        RegularizedMLPRegressor(**{**SMALL, **REGRESSORS[name]}), Y.get(name, y), dtype
    )


@cache
def classifier(name, **params):
    """A network for the classes of a name, fitted."""
    return quiet_fit(RegularizedMLPClassifier(**{**SMALL, **params}), TARGETS[name])


@cache
def chosen(name):
    """Networks chosen by cross-validation, of y or of the classes of a name."""
    if name == "y":
        return quiet_fit(RegularizedMLPRegressorCV(n_strengths=3, cv=2, n_average=2), y)
    network = RegularizedMLPClassifier(**SMALL, alpha=2.0)
    return quiet_fit(RegularizedMLPClassifierCV(network, n_strengths=3, cv=2), TARGETS[name])


def quiet_fit(model, target, dtype=np.float64, **given):
    """Without a word on few epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X.astype(dtype), target, **given)


def with_offset(**params):
    """A network whose rows have an offset, with a log link unless another loss is given."""
    model = RegularizedMLPRegressor(**{**SMALL, "loss": "poisson", **params})
    return quiet_fit(model, y, offset=X[:, 2])
