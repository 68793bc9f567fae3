"""Paths of networks, their cross-validation and stability selection; and what may go wrong."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Lasso
from sklearn.metrics import mean_poisson_deviance, mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    batched_fits,
    regularization_path,
    stability_selection,
)
from skmlp.engine.paths.moving_penalty import Scheme
from skmlp.engine.train import train
from skmlp.paths.running.initial_networks import InitialNetworks, _adapted
from skmlp.paths.running.problems import problems_of
from skmlp.paths.running.reports import Tally
from skmlp.paths.running.trainer import Trainer
from skmlp.training_data.fit_data import checked_arrays

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
N_ROWS, N_FEATURES = 120, 6
X = RNG.normal(size=(N_ROWS, N_FEATURES))
y = 3 + np.tanh(2 * X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=N_ROWS)
FRAME = pd.DataFrame(X, columns=list("abcdef"))
NOISE = np.random.default_rng(1).normal(size=N_ROWS)


def network(**params):
    fixed = {
        "hidden_layer_sizes": 8,
        "activation": "tanh",
        "solver": "lbfgs",
        "alpha": 2.0,
        "tol": 1e-4,
        "max_iter": 300,
        "random_state": 0,
    }
    return RegularizedMLPRegressor(**{**fixed, **params})


def path_of(model=None, data=(X, y), **params):
    return regularization_path(model or network(), *data, **{"n_strengths": 8, **params})


def cv_of(model=None, **params):
    return RegularizedMLPRegressorCV(
        model or network(), **{"n_strengths": 6, "eps": 1e-4, "cv": 3, **params}
    )


# Paths


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
    counts = RNG.poisson(np.exp(0.5 * X[:, 0]))
    model = cv_of(network(loss="poisson"), strengths=[0.1, 100.0]).fit(X, counts)
    rows, others = next(KFold(3).split(X))
    assert_array_equal(model.n_features_path_ > 0, [True, False])
    constant = np.full(len(others), counts[rows].mean())
    assert model.mse_path_[-1, 0] == pytest.approx(
        mean_poisson_deviance(counts[others], constant), rel=1e-10
    )


# Cross-validation


def test_cv_behaves_as_its_estimator():
    model = cv_of().fit(FRAME, y)
    inner = model.estimator_
    assert_array_equal(model.predict(FRAME), inner.predict(FRAME))
    assert model.coefs_ is inner.coefs_
    assert_array_equal(model.get_support(), inner.get_support())
    assert_array_equal(model.selected_features_, FRAME.columns[inner.get_support()])
    assert_array_equal(model.feature_importances_, inner.feature_importances_)
    model.coefs_ = [np.zeros_like(coef) for coef in model.coefs_]
    assert_array_equal(model.predict(FRAME), np.full(N_ROWS, model.intercepts_[-1]))


def test_errors_are_those_of_paths_of_folds():
    """Each fold is a path of its own, with its own statistics of y."""
    strengths = [0.02, 0.1, 0.5]
    model = cv_of(adaptive=False, strengths=strengths).fit(X, y)
    for k, (rows, others) in enumerate(KFold(3).split(X)):
        path = path_of(data=(X[rows], y[rows]), adaptive=False, strengths=strengths)
        errors = [np.mean((y[others] - m.predict(X[others])) ** 2) for m in path.models]
        assert_allclose(model.mse_path_[:, k], errors, rtol=0.05)


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_threads_change_nothing(n_jobs):
    one, several = (cv_of(n_jobs=n).fit(X, y) for n in (None, n_jobs))
    assert_array_equal(one.mse_path_, several.mse_path_)
    assert_array_equal(one.coefs_[0], several.coefs_[0])


def test_in_pipelines_searches_and_batched_fits():
    model = make_pipeline(StandardScaler(), cv_of(n_strengths=3, adaptive=False))
    grid = {"regularizedmlpregressorcv__estimator__alpha": [1.0, 5.0]}
    search = GridSearchCV(model, grid, cv=2).fit(FRAME, y)
    with batched_fits():
        again = GridSearchCV(model, grid, cv=2).fit(FRAME, y)
    scores = search.cv_results_["mean_test_score"]
    assert (scores > 0.8).all()
    assert_array_equal(scores, again.cv_results_["mean_test_score"])
    assert cross_val_score(model, FRAME, y, cv=2).min() > 0.8


def test_rows_of_weight_zero_are_left_out():
    weight = np.ones(N_ROWS)
    weight[::5] = 0.0
    folds = [*KFold(3).split(X)]
    model = cv_of(cv=folds, adaptive=False).fit(X, y, sample_weight=weight)
    kept = np.flatnonzero(weight)
    place = np.cumsum(weight > 0) - 1
    inside = [tuple(place[rows[weight[rows] > 0]] for rows in fold) for fold in folds]
    again = cv_of(cv=inside, adaptive=False).fit(X[kept], y[kept])
    assert_array_equal(model.mse_path_, again.mse_path_)
    assert_array_equal(model.predict(X), again.predict(X))


def test_weights_count_in_training_and_errors():
    weight = np.where(np.arange(N_ROWS) % 2, 3.0, 1.0)
    folds = [*KFold(2).split(X)]
    repeat = np.repeat(np.arange(N_ROWS), weight.astype(int))
    repeated = [tuple(np.flatnonzero(np.isin(repeat, rows)) for rows in fold) for fold in folds]
    fine = network(tol=1e-6, max_iter=3000)
    params = {"adaptive": False, "strengths": [1e-3, 1e-2, 0.1, 0.3]}  # far from where it falls
    weighted = cv_of(fine, cv=folds, **params).fit(X, y, sample_weight=weight)
    twice = cv_of(fine, cv=repeated, **params).fit(X[repeat], y[repeat])
    assert_allclose(weighted.mse_path_, twice.mse_path_, rtol=1e-3)
    end, again = (
        path_of(data=data, n_strengths=1, adaptive=False, sample_weight=w).strengths
        for data, w in (((X, y), weight), ((X[repeat], y[repeat]), None))
    )
    assert_allclose(end, again, rtol=1e-10)


def test_a_failed_refit_leaves_the_old_fit():
    model = cv_of(n_strengths=3, adaptive=False).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), y)
    assert_array_equal(model.predict(X), before)
    with pytest.raises(NotFittedError):
        _ = cv_of().coefs_


CHECKED = {
    (): {"max_iter": 10**4},
    4: {"max_iter": 4, "alpha": 1.0},  # rounding grows with every iteration
}


@parametrize_with_checks(
    [
        RegularizedMLPRegressorCV(
            RegularizedMLPRegressor(
                hidden_layer_sizes=hidden, solver="lbfgs", random_state=0, **params
            ),
            n_strengths=3,
            cv=2,
        )
        for hidden, params in CHECKED.items()
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


# What may go wrong


@pytest.mark.parametrize(
    "change, message",
    [
        ({"strengths": [0.1, -1.0]}, r"strengths must be a list of finite .*, got \[0.1, -1.0\]"),
        ({"strengths": []}, "strengths must be a list of finite numbers > 0"),
        ({"strengths": [np.nan]}, "strengths must be a list of finite numbers > 0"),
        ({"strengths": [[0.1, 0.2]]}, r"strengths must be a list of .*, got \[\[0.1, 0.2\]\]"),
        ({"strengths": ["a"]}, r"strengths must hold numbers, got \['a'\]"),
        ({"param": "alpha"}, "'param' parameter"),
        ({"eps": 1.0}, "'eps' parameter"),
        ({"n_init": 0}, "'n_init' parameter"),
        ({"adaptive": "yes"}, "'adaptive' parameter"),
        ({"l1_ratio": 0.0}, "'l1_ratio' parameter"),
    ],
)
def test_parameters_without_meaning(change, message):
    with pytest.raises(ValueError, match=message):
        path_of(**change)
    with pytest.raises(ValueError, match=message):
        cv_of(**change).fit(X, y)


def test_later_layers_need_a_penalty():
    for model in (network(alpha=1e-4), network(hidden_layer_sizes=(4, 3), alpha=[1.0, 1.0, 0.0])):
        with pytest.raises(ValueError, match="needs a penalty on every later layer"):
            path_of(model)
    assert path_of(network(alpha=0.0, l1_per_layer=[0, 0.01])).n_features[-1] == 0
    assert path_of(network(alpha=0.0), param="l1_per_layer").n_features[-1] == 0


def test_the_estimator_must_be_a_network():
    with pytest.raises(ValueError, match="must be a RegularizedMLPRegressor, got Pipeline"):
        path_of(make_pipeline(StandardScaler(), network()))


def test_all_features_dropped():
    model = cv_of(strengths=[40.0, 80.0]).fit(X, y)
    assert not model.get_support().any()
    assert_allclose(model.predict(X[:3]), np.full(3, y.mean()), rtol=1e-12)
    assert model.strength_ == model.strength_1se_ == 80.0


def test_noise_alone_has_a_path_from_its_dense_end():
    """Also where the initial network of the adaptive penalty has dropped all features."""
    model = cv_of(strengths=[1e-4, 1.0, 50.0]).fit(X, RNG.normal(size=N_ROWS))
    assert model.n_features_path_[0] > 0
    assert model.n_features_path_[-1] == 0
    assert model.strength_1se_ == 50.0


def test_no_penalty_strong_enough():
    model = cv_of(strengths=[1e-6, 1e-5], adaptive=False).fit(X, y)
    assert_array_equal(model.n_features_path_, [N_FEATURES, N_FEATURES])


@pytest.mark.parametrize("adaptive", [False, True])
def test_constant_and_equal_columns(adaptive):
    odd = np.column_stack([X, np.full(N_ROWS, 7.0), X[:, 0]])
    model = cv_of(adaptive=adaptive, n_strengths=8).fit(odd, y)
    assert model.n_features_path_[-1] == 0
    assert np.isfinite(model.mse_path_).all()
    assert model.score(odd, y) > 0.8
    assert not model.path_.support[3:, 6].any()


def test_more_features_than_rows():
    wide = RNG.normal(size=(30, 60))
    target = 2 * wide[:, 0] + 0.1 * RNG.normal(size=30)
    model = cv_of(n_strengths=10).fit(wide, target)
    assert model.get_support()[0]
    assert model.get_support().sum() < 30


def test_one_feature():
    model = cv_of().fit(X[:, :1], y)
    assert model.n_features_path_[-1] == 0
    assert model.get_support()[0]


def test_two_rows_a_fold():
    model = cv_of(adaptive=False, cv=6, n_strengths=3).fit(X[:12], y[:12])
    assert model.mse_path_.shape[1] == 6
    assert np.isfinite(model.mse_se_).all()


def test_constant_target():
    model = cv_of(n_strengths=3).fit(X, np.full(N_ROWS, 2.0))
    assert_allclose(model.predict(X), 2.0)


def test_strengths_with_scores_that_are_not_finite_are_not_chosen(monkeypatch):
    from skmlp.paths import cross_validation

    errors = cross_validation.held_out_errors

    def spoilt(problems, fits):
        table = errors(problems, fits)
        table[[0, -1], 0] = np.nan
        return table

    monkeypatch.setattr(cross_validation, "held_out_errors", spoilt)
    model = cv_of(adaptive=False, strengths=[1e-4, 0.05, 1.0]).fit(X, y)
    assert np.isnan(model.mse_mean_[[0, 2]]).all()
    assert model.strength_ == model.strength_1se_ == 0.05
    with pytest.raises(ValueError, match="No strength has a finite error"):
        cv_of(adaptive=False, strengths=[1e-4]).fit(X, y)


# Stability selection


@pytest.mark.parametrize("hidden", [(), 8])
def test_stable_features_are_the_true_ones(hidden):
    model = network(hidden_layer_sizes=hidden)
    found = stability_selection(
        model, FRAME, y, n_subsamples=20, random_state=0, max_false=2.0, n_strengths=12
    )
    assert_array_equal(found.selected_features, ["a", "b"])
    assert_array_equal(found.support, [True, True, False, False, False, False])


def test_bound_of_meinshausen_and_buhlmann():
    found = stability_selection(
        network(hidden_layer_sizes=()), X, y, n_subsamples=15, threshold=0.8, random_state=0
    )
    again = stability_selection(
        network(hidden_layer_sizes=()), X, y, n_subsamples=15, threshold=0.8, random_state=0
    )
    assert_array_equal(found.frequency, again.frequency)
    assert found.frequency.shape == (len(found.strengths), N_FEATURES)
    assert_array_equal(found.frequency * 15, np.round(found.frequency * 15))
    assert (found.n_selected >= found.frequency.sum(1) - 1e-12).all()
    assert (np.diff(found.n_selected) <= 0).all()
    assert_allclose(found.false_bound, found.n_selected**2 / (0.6 * N_FEATURES))
    assert found.false_bound[found.start] <= 1.0 < found.false_bound[found.start - 1]
    assert_array_equal(found.stability, found.frequency[found.start :].max(0))


def test_half_of_three_rows():
    with pytest.raises(ValueError, match="at least 4 rows of positive weight in all, got 3"):
        stability_selection(network(hidden_layer_sizes=()), X[:3], y[:3])


@pytest.mark.parametrize("linear_error, largest", [(0.0, 10), (np.inf, 100)])
def test_a_network_no_better_than_a_linear_model_excludes_nothing_for_good(
    linear_error, largest, monkeypatch
):
    """Its factors stay below those of one that has found what is not linear."""
    monkeypatch.setattr(InitialNetworks, "_linear_error", lambda self, judges: linear_error)
    factor = path_of(n_strengths=2).penalty_factor
    assert factor.max() == pytest.approx(largest, rel=1e-9)


def test_the_linear_error_is_the_lasso_s():
    model = network(group_l1=1.0)
    networks = InitialNetworks(Scheme("group_l1"), Trainer(1, None), Tally(model))
    arrays, rows = (X, y[:, None], None), np.arange(N_ROWS)
    (judge,) = problems_of(model, arrays, [(rows[:80], rows[80:])], 0)[1:]
    end = np.abs((X[:80] - X[:80].mean(0)).T @ (y[:80] - y[:80].mean())).max() / 80
    errors = [
        mean_squared_error(
            y[80:], Lasso(share * end, tol=1e-10).fit(X[:80], y[:80]).predict(X[80:])
        )
        for share in (0.01, 0.03, 0.1)
    ]
    assert networks._linear_error([judge]) == pytest.approx(min(errors), rel=1e-6)


# The sum of the weights


def test_alpha_taken_for_a_plain_network_does_not_depend_on_the_sum_of_weights():
    """A network with its small default alpha gets 7 times the mean weight, said once."""
    weight = np.random.default_rng(2).uniform(0.5, 1.5, N_ROWS)
    weight /= weight.mean()
    plain = network(alpha=1e-4, tol=1e-2)
    models = []
    for unit in (1.0, 1 / N_ROWS):
        model = RegularizedMLPRegressorCV(
            plain, strengths=[0.02, 0.2], cv=3, adaptive=False, relaxed=False
        )
        with pytest.warns(UserWarning, match="only its default alpha") as seen:
            models.append(model.fit(X, y, sample_weight=unit * weight))
        said = [str(w.message) for w in seen if "only its default alpha" in str(w.message)]
        assert said == [said[0]]
        assert f"alpha={7 * unit:.4g} is taken" in said[0]
        assert model.estimator_.alpha == pytest.approx(7 * unit, rel=1e-12)
    assert_allclose(models[0].mse_mean_, models[1].mse_mean_, rtol=0.05)
    assert models[0].mse_mean_.min() < 0.3 * y.var()


def test_weights_of_a_small_sum_are_named_beside_an_alpha_of_the_user():
    weight = np.full(N_ROWS, 1 / N_ROWS)
    weight[0] *= 2
    settings = {"strengths": [0.1], "adaptive": False}
    for call in (
        lambda **s: cv_of(**settings, **s).fit(X, y, sample_weight=weight),
        lambda **s: path_of(**settings, **s, sample_weight=weight),
        lambda **s: stability_selection(
            network(), X, y, n_subsamples=2, random_state=0, **settings, **s, sample_weight=weight
        ),
    ):
        with pytest.warns(UserWarning, match="mean of sample_weight is 0.0084, and alpha=2.0"):
            call()
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            call(l1_ratio=0.5)


@pytest.mark.parametrize("mean", [2e4, 1e300])
def test_weights_of_a_large_sum_leave_no_penalty_of_later_layers(mean):
    """alpha=2 over weights of mean 2e4 is alpha=1e-4 without weights, which is an error as well."""
    with pytest.raises(ValueError, match="needs a penalty on every later layer"):
        path_of(network(alpha=2 / 2e4), adaptive=False)
    weight, settings = np.full(N_ROWS, mean), {"strengths": [0.1], "adaptive": False}
    for call in (
        lambda: cv_of(**settings).fit(X, y, sample_weight=weight),
        lambda: path_of(**settings, sample_weight=weight),
        lambda: stability_selection(network(), X, y, **settings, sample_weight=weight),
    ):
        with pytest.raises(ValueError, match=r"mean of sample_weight is .*, and alpha=2.0 is"):
            call()
    expected = path_of(network(alpha=1e-3), **settings)
    given = path_of(network(alpha=1e-3 * 2e4), sample_weight=np.full(N_ROWS, 2e4), **settings)
    assert_allclose(given.objective, expected.objective, rtol=1e-3)
