"""Cross-validation of networks, its weights and its place among scikit-learn's tools."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from support.paths_of_networks import FRAME, N_ROWS, X, cv_of, network, path_of, y

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    batched_fits,
    stability_selection,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
    model = cv_of(adaptive=False, strengths=strengths, cv=KFold(3)).fit(X, y)
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
            network(),
            X,
            y,
            n_subsamples=2,
            max_false=10,
            random_state=0,
            **settings,
            **s,
            sample_weight=weight,
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
        path_of(network(alpha=[2.0, 2 / 2e4]), adaptive=False)
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
