"""The adaptive penalty divides each feature's by the root mean square derivative towards it."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from support.engine_tasks import task_of

from skmlp import RegularizedMLPRegressorCV, default_network, regularization_path
from skmlp.engine.paths import interactions
from skmlp.engine.paths.used_features import OnUsedFeatures
from skmlp.engine.task import Solution, Status, Weights
from skmlp.engine.train import train
from skmlp.paths.running.initial_networks import Screen, _adapted
from skmlp.paths.running.problems import problems_of
from skmlp.paths.running.reports import Tally
from skmlp.paths.running.trainer import Trainer

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


WIDE = np.random.default_rng(2).normal(size=(80, 210))
EFFECTS = {"square": [0], "product": [0, 1]}


def effect(name):
    if name == "square":
        return WIDE[:, 0] ** 2
    return WIDE[:, 0] * WIDE[:, 1]


@pytest.mark.parametrize("name, as_matrix", [("square", np.asarray), ("product", sparse.csr_array)])
def test_features_of_wide_data_without_a_slope_are_found(name, as_matrix):
    """They act through a square, or a product, alone; others of 210 columns do not."""
    model = RegularizedMLPRegressorCV(selection="1se", n_strengths=5).fit(
        as_matrix(WIDE), effect(name)
    )
    assert np.flatnonzero(model.get_support()).tolist() == EFFECTS[name]
    assert model.strengths_[4] / model.strengths_[0] == pytest.approx(100)


def test_products_that_are_not_looked_at_are_said(monkeypatch):
    monkeypatch.setattr(interactions, "MOST_OPERATIONS", 1e4)
    with pytest.warns(UserWarning, match="210 columns: of their products with each other those"):
        regularization_path(None, WIDE, effect("square"), n_strengths=2, relaxed=False)


def test_groups_of_wide_data_come_whole():
    """Where one of its features tells, the others are in the initial networks as well."""
    groups = [[0, 5, 9], [1, 2]]
    factor = np.where(np.arange(210) == 9, np.inf, 1.0)
    network = default_network(feature_groups=groups, penalty_factor=factor)
    arrays = (WIDE, effect("product")[:, None], None, None)
    rows = [(np.arange(50), np.arange(50, 80)), (np.arange(30, 80), np.arange(30))]
    problems = problems_of(network.set_params(group_l1=1.0), arrays, rows, 0)
    screen = Screen(Trainer(1, None), Tally(network), problems[1:])
    for columns in screen.options:
        for chosen in columns:
            assert 9 not in chosen
            assert (0 in chosen) == (5 in chosen)
            assert (1 in chosen) == (2 in chosen)
    assert all(0 in columns for columns in screen.columns(problems[:1], 0))


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
def test_paths_of_wide_data_begin_with_few_features_without_factors_too(param, monkeypatch):
    """The two of a product here; others come in where they violate their condition."""
    sizes, run = [], Trainer.__call__

    def counting(trainer, tasks):
        sizes.extend(task.program.layer_sizes[0] for task in tasks if task.program.n_layers > 1)
        return run(trainer, tasks)

    monkeypatch.setattr(Trainer, "__call__", counting)
    plain = {"param": param, "adaptive": False, "relaxed": False, "n_strengths": 2, "eps": 0.3}
    path = regularization_path(default_network(), WIDE, effect("product"), **plain)
    assert max(sizes[:6]) <= 3
    assert max(sizes) < 210
    assert path.penalty_factor is None


def test_networks_of_wide_data_are_kept_on_the_features_that_they_use():
    """Their weights of all features are made when they are asked for."""
    task = task_of(WIDE, effect("square"), hidden_layer_sizes=3, alpha=1.0, solver="lbfgs")
    solution = train([replace(task, max_iter=3)])[0]
    weights = solution.weights.embed(np.arange(0, 420, 2), 420)
    kept = OnUsedFeatures(replace(solution, weights=weights))
    assert_array_equal(kept.support, weights.support)
    for ours, theirs in zip(kept.weights, weights, strict=True):
        for array, other in zip(ours, theirs, strict=True):
            assert_array_equal(array, other)
    assert kept.objective == solution.objective
    assert kept.is_usable
    assert len(pickle.dumps(kept)) < 0.6 * len(pickle.dumps(replace(solution, weights=weights)))
