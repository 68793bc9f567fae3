"""Paths of networks: their ends, fields, refits and kinds of data."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import KFold
from support.paths_of_networks import (
    COUNTS,
    FRAME,
    N_FEATURES,
    N_ROWS,
    X,
    cv_of,
    network,
    path_of,
    y,
)

from skmlp.engine.train import train
from skmlp.paths.running.initial_networks import _adapted
from skmlp.paths.running.problems import problems_of
from skmlp.training_data.fit_data import checked_arrays

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NOISE = np.random.default_rng(1).normal(size=N_ROWS)


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("hidden", [8, (6, 4)])
def test_path_goes_from_dense_to_nothing(hidden, param):
    """At the end no feature is left and the prediction is the mean."""
    path = path_of(network(hidden_layer_sizes=hidden), param=param, adaptive=False)
    assert (np.diff(path.strengths) > 0).all()
    assert path.n_features[0] >= N_FEATURES - 1
    assert path.n_features[-1] == 0 < path.n_features[-2]
    assert_allclose(path.models[-1].predict(X), np.full(N_ROWS, y.mean()), rtol=1e-12)
    assert path.r2[-1] == pytest.approx(0, abs=1e-12)
    assert path.r2[0] > 0.9


def test_fields_of_a_path_agree_with_its_models():
    path = path_of(data=(FRAME, y))
    for k, (strength, model) in enumerate(zip(path.strengths, path.models, strict=True)):
        assert_array_equal(path.support[k], model.get_support())
        assert path.n_features[k] == model.get_support().sum()
        assert_array_equal(path.feature_norms[k], model.feature_importances_)
        assert (path.objective[k], path.optimality[k]) == (model.objective_, model.optimality_)
        assert path.r2[k] == pytest.approx(model.score(FRAME, y), rel=1e-12)
        assert path.relaxed_r2[k] == pytest.approx(path.relaxed_models[k].score(FRAME, y))
        assert_array_equal(path.coefs[k][0], model.coefs_[0])
        W, V = model.coefs_
        assert strength > 0
        assert (W.shape, V.shape) == ((N_FEATURES, 8), (8, 1))
    assert_array_equal(path.feature_names, FRAME.columns)


def test_a_model_of_the_path_is_the_estimator_at_its_strength():
    """Fitted on from there, it stays where it is."""
    path = path_of(network(tol=1e-6, max_iter=3000), adaptive=False)
    model, strength = path.models[3], path.strengths[3]
    again = clone(model).set_params(group_l1=strength, warm_start=True, max_iter=3000).fit(X, y)
    again.coefs_, again.intercepts_ = model.coefs_, model.intercepts_
    again.fit(X, y)
    assert again.objective_ == pytest.approx(model.objective_, rel=1e-8)
    assert_allclose(again.coefs_[0], model.coefs_[0], atol=1e-5)


def test_relaxed_refits_fit_better_on_the_same_features():
    path = path_of()
    for k, model in enumerate(path.relaxed_models):
        assert_array_equal(model.get_support(), path.support[k])
        assert path.relaxed_r2[k] >= path.r2[k] - 1e-6
    same = [(path.support[k] == path.support[k + 1]).all() for k in range(len(path.support) - 1)]
    shared = [a is b for a, b in zip(path.relaxed_models, path.relaxed_models[1:], strict=False)]
    assert shared == same


def test_relaxed_refits_without_features_are_the_mean():
    path = path_of(strengths=[50.0])
    assert_allclose(path.relaxed_models[0].predict(X), y.mean(), rtol=1e-12)


@pytest.mark.parametrize("activation, alpha", [("tanh", 1.0), ("tanh", 10.0), ("logistic", 1.0)])
def test_end_of_the_path_is_where_the_last_feature_leaves(activation, alpha):
    """One feature, alone: nothing is left above the end, and something a little below it."""
    data = X[:, :1], np.tanh(X[:, 0])
    params = {"activation": activation, "alpha": [0.0, alpha], "max_iter": 3000, "tol": 1e-6}
    end = path_of(network(**params), data, adaptive=False, n_strengths=2).strengths[1]
    grid = end * np.array([1e-3, 1e-2, 0.1, 0.5, 0.8, 1.05])
    path = path_of(network(**params), data, adaptive=False, strengths=grid)
    assert_array_equal(path.n_features, [1, 1, 1, 1, 1, 0])


def test_adaptive_factors_multiply_the_user_s():
    """From one for the feature that matters most to a hundred for those that do not."""
    path = path_of(network(penalty_factor=[0, 1, 2, 1, 1, np.inf]), n_strengths=3)
    factor = path.penalty_factor
    assert factor[0] == 0
    assert np.isinf(factor[5])
    assert factor[1] < 2
    assert (factor[2:5] > 5 * factor[1]).all()
    assert factor[[3, 4]].max() <= 100 * (1 + 1e-12)
    plain = path_of(network(penalty_factor=[1, 1, 2, 1, 1, 1]), adaptive=False, n_strengths=2)
    assert_array_equal(plain.penalty_factor, [1, 1, 2, 1, 1, 1])


def test_l1_ratio_puts_the_rest_on_every_layer():
    """A model of the path is the estimator with this L2 in the place of alpha."""
    precise = {"tol": 1e-6, "max_iter": 3000, "alpha": 0.0}
    path = path_of(network(**precise), adaptive=False, l1_ratio=0.4, strengths=[0.05, 0.2])
    model = clone(path.models[1]).set_params(
        group_l1=0.4 * 0.2, alpha=0.6 * 0.2 * N_ROWS, warm_start=True
    )
    model.fit(X, y)
    model.coefs_, model.intercepts_ = path.models[1].coefs_, path.models[1].intercepts_
    model.fit(X, y)
    assert model.objective_ == pytest.approx(path.objective[1], rel=1e-8)
    assert_allclose(model.coefs_[0], path.coefs[1][0], atol=1e-5)


@pytest.mark.parametrize("selection", ["min", "1se"])
def test_relaxed_auto_refits_the_network_chosen_where_that_lowers_the_error(selection):
    """The penalised curve chooses; a clean y gains by the refit, and one of noise does not."""
    kinds = []
    for target in (y, y + 2 * NOISE):
        plain, auto = (
            cv_of(relaxed=flag, selection=selection, n_strengths=4).fit(X, target)
            for flag in (False, "auto")
        )
        kinds.append(auto.relaxed_)
        assert_array_equal(auto.mse_path_, plain.mse_path_)
        assert auto.strength_ == plain.strength_
        assert_array_equal(auto.get_support(), plain.get_support())
        scores = [model.score(X, target) for model in (plain, auto)]
        assert scores[1] > scores[0] if auto.relaxed_ else scores[1] == scores[0]
    assert kinds == [True, False]


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_relaxed_auto_compares_the_errors_of_the_folds(noise):
    target = y + noise * NOISE
    plain, relaxed, auto = (
        cv_of(relaxed=flag, strengths=[0.05]).fit(X, target) for flag in (False, True, "auto")
    )
    assert auto.relaxed_ == (relaxed.mse_mean_ < plain.mse_mean_)


def test_more_first_weights_are_no_worse():
    one, three = (path_of(adaptive=False, n_init=n, n_strengths=3) for n in (1, 3))
    assert three.objective[0] <= one.objective[0] * (1 + 1e-3)


def test_first_weights_of_the_adaptive_penalty_are_tried_too():
    def factors(seed, n_init):
        return path_of(network(random_state=seed), n_init=n_init, n_strengths=2).penalty_factor

    assert any(not np.array_equal(factors(seed, 1), factors(seed, 3)) for seed in range(3))


def test_excluded_columns_do_not_enter_a_group_s_sensitivity():
    """The factors of a group of three with one excluded are those of the group of two."""
    kept = [0, 1, 3, 4, 5]
    groups = {"feature_groups": [[0, 1, 2]], "penalty_factor": [1, 1, np.inf, 1, 1, 1]}
    models = network(group_l1=0.1, **groups), network(group_l1=0.1, feature_groups=[[0, 1]])
    task, without = (
        problems_of(model, checked_arrays(model, data, y, None, reset=True), (), 0)[0].task
        for model, data in zip(models, (X, X[:, kept]), strict=True)
    )
    (solution,) = train([task])
    first, *others = solution.weights.coefs
    assert not first[2].any()
    smaller = replace(solution, weights=solution.weights._replace(coefs=[first[kept], *others]))
    factors = (
        _adapted(task, solution, 100.0).adaptive_factor,
        _adapted(without, smaller, 100.0).adaptive_factor,
    )
    assert_allclose(factors[0][kept], factors[1], rtol=1e-12)


@pytest.mark.parametrize("normalization", [None, "batch"])
def test_relaxed_models_of_a_path_can_be_trained_on(normalization):
    """After a vanishing step they predict as before."""
    model = network(solver="adam", learning_rate_init=0.01, max_iter=30)
    model.set_params(normalization=normalization, penalty_factor=[np.inf, 1, 1, 1, 1, 1])
    path = path_of(model, adaptive=False, strengths=[0.001, 0.01])
    for relaxed in path.relaxed_models:
        before = relaxed.predict(X)
        relaxed.set_params(learning_rate_init=1e-12).partial_fit(X, y)
        assert_allclose(relaxed.predict(X), before, rtol=0, atol=1e-5)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_stochastic_solvers_have_paths_too(solver):
    model = network(solver=solver, learning_rate_init=0.01, max_iter=60)
    path = path_of(model, adaptive=False, strengths=[0.01, 0.3, 20.0])
    assert path.n_features[0] > 2
    assert path.n_features[2] == 0


def test_sparse_data():
    strengths = [0.01, 0.1, 0.5]
    model = network(tol=1e-6, max_iter=3000)
    dense, path = (
        path_of(model, data=(data, y), adaptive=False, strengths=strengths)
        for data in (X, sparse.csr_matrix(X))
    )
    assert_allclose(path.objective, dense.objective, rtol=1e-2)
    assert (path.optimality < 1e-5).all()


def test_poisson_paths_have_deviances():
    model = cv_of(network(loss="poisson"), strengths=[0.1, 100.0], cv=KFold(3)).fit(X, COUNTS)
    rows, others = next(KFold(3).split(X))
    assert_array_equal(model.n_features_path_ > 0, [True, False])
    constant = np.full(len(others), COUNTS[rows].mean())
    assert model.mse_path_[-1, 0] == pytest.approx(
        mean_poisson_deviance(COUNTS[others], constant), rel=1e-10
    )
