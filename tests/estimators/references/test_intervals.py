"""Intervals of the folds' networks are CV+ and conformalised quantiles, by their definitions."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPClassifierCV,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
)
from skmlp.paths.cross_validated import fold_networks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = X[:, 0] + 0.5 * X[:, 1] * X[:, 2] + 0.3 * RNG.normal(size=60)
X_NEW = RNG.normal(size=(25, 3))
CV = KFold(4, shuffle=True, random_state=0)
STRENGTHS = [0.01, 0.1, 0.3]


def lasso_cv(**params):
    linear = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0, "normalize_y": False}
    lasso = RegularizedMLPRegressor(**linear)
    given = {"param": "l1_per_layer", "strengths": [0.1], "relaxed": False, "cv": CV}
    given["keep_folds"] = True
    return RegularizedMLPRegressorCV(lasso, **given | params)


def network_cv(loss="squared_error", n_strengths=3, **params):
    given = {"activation": "tanh", "solver": "lbfgs", "alpha": 3, "max_iter": 60, **params}
    network = RegularizedMLPRegressor(loss, 4, random_state=0, **given)
    return RegularizedMLPRegressorCV(network, n_strengths=n_strengths, cv=CV, keep_folds=True)


@pytest.fixture(scope="module")
def bands():
    return network_cv("quantile", 2, quantile=[0.1, 0.5, 0.9], max_iter=15).fit(X, y)


def cv_plus(predictions, distances, coverage):
    """The definition, row by row: predictions (n_folds, n_new), distances by fold."""
    n = sum(map(len, distances))
    place = int(np.ceil(coverage * (n + 1)))
    ends = []
    for k in range(predictions.shape[1]):
        pairs = zip(predictions[:, k], distances, strict=True)
        each = [(mu - r, mu + r) for mu, own in pairs for r in own]
        low, high = (sorted(side) for side in zip(*each, strict=True))
        ends.append([low[n - place], high[place - 1]])
    return np.array(ends)


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_of_a_lasso_is_cv_plus_around_scikit_learn_s(coverage):
    fits = [Lasso(0.1, tol=1e-12).fit(X[rows], y[rows]) for rows, _ in CV.split(X)]
    held_out = [others for _, others in CV.split(X)]
    distances = [np.abs(y[o] - f.predict(X[o])) for f, o in zip(fits, held_out, strict=True)]
    expected = cv_plus(np.array([fit.predict(X_NEW) for fit in fits]), distances, coverage)
    model = lasso_cv().fit(X, y)
    assert_allclose(model.predict_interval(X_NEW, coverage), expected, atol=1e-8)


@pytest.mark.parametrize("relaxed", ["auto", False])
def test_networks_of_the_folds_are_those_whose_errors_are_shown(relaxed):
    model = network_cv().set_params(relaxed=relaxed).fit(X, y)
    for k, (network, (_, others)) in enumerate(
        zip(model.fold_networks_.networks, CV.split(X), strict=True)
    ):
        distance = np.abs(y[others] - network.predict(X[others]))
        assert_allclose(model.fold_networks_.misses[k], distance, rtol=1e-9)
    if not model.relaxed_:
        place = np.flatnonzero(model.strengths_ == model.strength_)[0]
        errors = [np.mean(misses**2) for misses in model.fold_networks_.misses]
        assert_allclose(errors, model.mse_path_[place], rtol=1e-9)


def test_networks_of_the_folds_where_alphas_are_compared():
    model = network_cv().set_params(alphas=[0.1, 3.0], n_average=2).fit(X, y)
    errors = [np.mean(misses**2) for misses in model.fold_networks_.misses]
    assert np.mean(errors) == pytest.approx(model.mse_, rel=1e-9)


@pytest.mark.parametrize("coverage", [0.8, 0.02])
def test_bands_of_quantiles_are_widened_by_one_number_each_fold(bands, coverage):
    """Or narrowed, and where that is more than their width the middle is left."""
    lows, highs = [], []
    for network, (_, others) in zip(bands.fold_networks_.networks, CV.split(X), strict=True):
        band, new = network.predict(X[others]), network.predict(X_NEW)
        misses = np.maximum(band[:, 0] - y[others], y[others] - band[:, -1])
        lows.append(new[:, [0]] - misses)
        highs.append(new[:, [-1]] + misses)
    n, place = 60, int(np.ceil(coverage * 61))
    low, high = np.sort(np.hstack(lows))[:, n - place], np.sort(np.hstack(highs))[:, place - 1]
    assert (low > high).any() == (coverage < 0.1)
    middle = (low + high) / 2
    expected = np.where(low > high, middle, [low, high]).T
    assert_allclose(bands.predict_interval(X_NEW, coverage), expected, rtol=1e-12)


def test_rows_are_covered():
    """Nine in ten of new rows, over forty draws of the data."""
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(560, 3))
        values = rows[:, 0] + rng.standard_t(4, size=560)
        model = lasso_cv().fit(rows[:60], values[:60])
        low, high = model.predict_interval(rows[60:]).T
        shares.append(np.mean((low <= values[60:]) & (values[60:] <= high)))
    assert 0.88 < np.mean(shares) < 0.93


@pytest.mark.parametrize("keep_folds", [True, "nested"])
def test_intervals_are_in_the_units_of_y(keep_folds):
    lasso = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    model = lasso_cv(keep_folds=keep_folds).set_params(estimator=lasso)
    expected = 8 * model.fit(X, y).predict_interval(X_NEW)
    assert_allclose(model.fit(X, 8 * y).predict_interval(X_NEW), expected, rtol=1e-10)


def test_blocks_of_rows_are_all_rows(monkeypatch):
    model = lasso_cv().fit(X, y)
    whole = model.predict_interval(X_NEW)
    monkeypatch.setattr(fold_networks, "BLOCK_NUMBERS", 100)
    assert_array_equal(model.predict_interval(X_NEW), whole)


@pytest.mark.parametrize("keep_folds", [True, "nested"])
def test_offsets_move_intervals(keep_folds):
    model = lasso_cv(keep_folds=keep_folds).fit(X, y + 5, offset=np.full(60, 5.0))
    assert_allclose(
        model.predict_interval(X_NEW, offset=np.zeros(25)),
        lasso_cv(keep_folds=keep_folds).fit(X, y).predict_interval(X_NEW),
        atol=1e-8,
    )
    shift = np.linspace(0, 3, 25)
    moved = model.predict_interval(X_NEW, offset=shift)
    still = model.predict_interval(X_NEW, offset=np.zeros(25))
    assert_allclose(moved - still, np.c_[shift, shift], atol=1e-12)


def test_more_coverage_than_rows_is_infinite_with_a_warning():
    model = lasso_cv().fit(X, y)
    with pytest.warns(UserWarning, match=r"coverage=0\.99 of 60 rows left out cannot be had"):
        interval = model.predict_interval(X_NEW, 0.99)
    assert_array_equal(interval, np.tile([-np.inf, np.inf], (25, 1)))


def test_what_cannot_be_had_is_refused():
    model = lasso_cv().fit(X, y)
    for coverage in (0, 1, 1.5):
        with pytest.raises(ValueError, match=f"coverage must lie between 0 and 1, got {coverage}"):
            model.predict_interval(X_NEW, coverage)
    with pytest.raises(ValueError, match="fit with keep_folds=True"):
        lasso_cv(keep_folds=False).fit(X, y).predict_interval(X_NEW)
    with pytest.raises(ValueError, match="predict_interval is for one output, got 2"):
        lasso_cv().fit(X, np.c_[y, y]).predict_interval(X_NEW)


# The choice nested in each fold


@pytest.mark.parametrize("is_weighted", [False, True])
def test_nested_choices_are_those_of_lasso_cv_on_each_fold_s_rows(is_weighted):
    weight = np.linspace(0.5, 2, 60) if is_weighted else np.ones(60)
    given = {"strengths": STRENGTHS, "keep_folds": "nested"}
    model = lasso_cv(**given).fit(X, y, weight if is_weighted else None)
    fits, distances = [], []
    for rows, others in CV.split(X):
        lasso = LassoCV(alphas=STRENGTHS, cv=CV, tol=1e-12)
        fits.append(lasso.fit(X[rows], y[rows], weight[rows]))
        distances.append(np.abs(y[others] - lasso.predict(X[others])))
    assert [n.l1_per_layer for n in model.fold_networks_.networks] == [f.alpha_ for f in fits]
    expected = cv_plus(np.array([fit.predict(X_NEW) for fit in fits]), distances, 0.9)
    assert_allclose(model.predict_interval(X_NEW), expected, atol=1e-7)


def test_nested_choices_have_the_groups_and_the_names_of_columns():
    frame, groups = pd.DataFrame(X, columns=[*"abc"]), np.arange(60) % 12
    model = lasso_cv(keep_folds="nested", cv=GroupKFold(3)).fit(frame, y, groups=groups)
    for network in model.fold_networks_.networks:
        assert_array_equal(network.feature_names_in_, frame.columns)
    for network, (rows, _) in zip(
        model.fold_networks_.networks, GroupKFold(3).split(X, y, groups), strict=True
    ):
        assert_allclose(network.predict(X), Lasso(0.1).fit(X[rows], y[rows]).predict(X), atol=1e-4)


def test_nested_choices_need_a_splitter():
    splits = [*CV.split(X)]
    with pytest.raises(ValueError, match="give cv as a number or a splitter, got the splits"):
        lasso_cv(keep_folds="nested", cv=splits).fit(X, y)
    with pytest.raises(ValueError, match=r"'keep_folds' parameter .* must be .*'nested'.*'always'"):
        lasso_cv(keep_folds="always").fit(X, y)


# Rows that are not exchangeable


@pytest.mark.parametrize(
    "cv, message",
    [
        (GroupKFold(3), "groups were given, whose rows are alike: the guarantee .* is lost"),
        (KFold(3), "rows that follow each other: where they come in an order, the guarantee"),
        (TimeSeriesSplit(3), "rows that follow each other: .*rows beyond the last ones"),
        (ShuffleSplit(3, random_state=0), "some rows several times, or never: the guarantee"),
        (RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), "some rows several times"),
        ([*CV.split(X)][:2], "some rows several times, or never"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_warning_says_what_is_lost(cv, message):
    groups = np.arange(60) % 12 if isinstance(cv, GroupKFold) else None
    model = lasso_cv(cv=cv).fit(X, y, groups=groups)
    with pytest.warns(UserWarning, match=message):
        model.predict_interval(X_NEW)


@pytest.mark.parametrize("cv", [None, 3, CV, LeaveOneOut(), [*CV.split(X)]])
def test_exchangeable_rows_are_without_a_warning(cv):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lasso_cv(cv=cv).fit(X, y).predict_interval(X_NEW)


# What is kept


def test_networks_of_folds_are_kept_when_asked_for_alone():
    model = lasso_cv().fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_interval(X_NEW), model.predict_interval(X_NEW))
    size = len(pickle.dumps(model))
    model.set_params(keep_folds=False, keep_path=False).fit(X, y)
    assert not hasattr(model, "fold_networks_")
    assert not hasattr(model, "path_")
    assert len(pickle.dumps(model)) < size / 2


def test_classes_keep_networks_of_folds_too():
    linear = RegularizedMLPClassifier((), solver="lbfgs", alpha=0.1)
    model = RegularizedMLPClassifierCV(linear, n_strengths=3, cv=3, keep_folds=True)
    model.fit(X, np.where(y > 0, "up", "down"))
    networks = model.fold_networks_.networks
    assert len(networks) == 3
    assert {*networks[0].predict(X)} == {"up", "down"}
