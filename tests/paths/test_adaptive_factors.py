"""The adaptive penalty divides each feature's by the root mean square derivative towards it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.engine_tasks import task_of

from skmlp.engine.task import Solution, Status, Weights
from skmlp.paths.running.initial_networks import _adapted

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 5))


def factors(coef, largest_factor, hidden=(), **params):
    """The adaptive factors that a network gives whose function has these slopes (n_features,)."""
    task = task_of(X, X[:, 0], hidden_layer_sizes=hidden, activation="identity", **params)
    layers = [np.array(coef, dtype=float)[:, None], *[np.ones((1, 1)) for _ in hidden]]
    shifts = [np.zeros(1) for _ in layers]
    solution = Solution(Weights(layers, shifts, [], []), Status.CONVERGED, n_iter=1)
    return _adapted(task, solution, largest_factor).adaptive_factor


@pytest.mark.parametrize("hidden", [(), (1,)])
def test_factors_are_those_of_the_adaptive_lasso(hidden):
    """The largest over each one's own, as far as the limit: what has left may come back."""
    found = factors([4.0, -2.0, 0.5, 0.01, 0.0], 100.0, hidden)
    assert_allclose(found, [1, 2, 8, 100, 100], rtol=1e-12)
    assert_allclose(factors([4.0, -2.0, 0.5, 0.01, 0.0], 10.0, hidden), [1, 2, 8, 10, 10])


def test_features_of_a_group_share_their_root_mean_square():
    groups = {"group_l1": 0.1, "feature_groups": [[0, 1], [2, 3, 4]]}
    found = factors([3.0, 4.0, 0.0, 0.0, 1.0], 100.0, **groups)
    ratio = np.sqrt(25 / 2) / np.sqrt(1 / 3)
    assert_allclose(found, [1, 1, ratio, ratio, ratio], rtol=1e-12)


def test_a_network_without_features_weighs_none():
    assert factors(np.zeros(5), 100.0) is None
