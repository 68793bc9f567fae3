"""What the tests of batched fits share: small data, and the sizes of the engine's calls."""

import _thread
import threading
import time
import warnings
from unittest import mock

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, batched_fits
from skmlp.batching.own_threads import OwnThreads
from skmlp.engine.train import train

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
y = X @ [1.0, -1.0, 0.5, 0.0] + 0.3 * rng.normal(size=60)
Y = np.column_stack([y, -y + rng.normal(size=60), y**2])
ALPHAS = [0.001, 0.1, 1.0, 10.0]


def network(**params):
    """A small network that trains for a few epochs, without a word."""
    given = {"hidden_layer_sizes": (4,), "max_iter": 3, "n_iter_no_change": 3, "random_state": 0}
    return RegularizedMLPRegressor(**{**given, **params})


def fit(alpha):
    return network(alpha=alpha).fit(X, y)


def pipeline(**params):
    return make_pipeline(StandardScaler(), network(**params))


GRID = {"regularizedmlpregressor__alpha": ALPHAS}


class Sizes(list):
    """Sizes of the calls of the engine made by a function."""

    def train(self, tasks, n_threads=1):
        self.append(len(tasks))
        self.n_threads = n_threads
        return train(tasks, n_threads=n_threads)


def counted(function, engine=None, own_threads=False):
    """What the function returns, and the sizes of the engine's calls.

    All fits wait for each other, unless they may train in their own threads.
    """
    sizes = Sizes()
    engine = engine or sizes.train
    serves = OwnThreads.serves if own_threads else lambda self, task: False
    with (
        mock.patch.object(OwnThreads, "serves", serves),
        mock.patch("skmlp.batching.meeting.train", engine),
        mock.patch("skmlp.batching.joblib_backend.train", engine),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        result = function()
    return result, sizes


def plain_and_batched(function, own_threads=False, **options):
    """Results and sizes of a function, as it is and in a block."""
    plain, plain_sizes = counted(function)
    with batched_fits(**options):
        batched, sizes = counted(function, own_threads=own_threads)
    assert_no_threads()
    assert sum(plain_sizes) == len(plain_sizes)
    return plain, batched, sizes


def assert_no_threads():
    """None but what an interrupt may leave in ``Thread.start``: a thread that never begins."""
    living = [thread.name for thread in threading.enumerate() if thread.is_alive()]
    assert [name for name in living if "skmlp" in name] == []


def assert_same_search(a, b):
    """All that a search publishes is equal, bit for bit, but for times."""
    assert list(a.cv_results_) == list(b.cv_results_)
    for name in a.cv_results_:
        if not name.endswith("_time"):
            np.testing.assert_array_equal(a.cv_results_[name], b.cv_results_[name], err_msg=name)
    for name in ("best_params_", "best_index_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(a, name, None) == getattr(b, name, None), name
    if a.refit:
        np.testing.assert_array_equal(a.predict(X), b.predict(X))


class Step(TransformerMixin, BaseEstimator):
    """A transformer that does ``action`` in fit."""

    def __init__(self, action="pass"):
        self.action = action

    def fit(self, X, y=None):
        if self.action == "fail":
            raise RuntimeError("no step")
        if self.action == "interrupt":
            _thread.interrupt_main()
            time.sleep(0.2)
        if self.action == "sleep":
            time.sleep(0.5)
        return self

    def transform(self, X):
        return X
