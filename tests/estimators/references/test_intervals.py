"""Intervals of the folds' networks are CV+ and conformalised quantiles, by their definitions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Lasso
from sklearn.model_selection import KFold

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV
from skmlp.paths import fold_networks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = X[:, 0] + 0.5 * X[:, 1] * X[:, 2] + 0.3 * RNG.normal(size=60)
X_NEW = RNG.normal(size=(25, 3))
CV = KFold(4)


def lasso_cv(**params):
    linear = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0, "normalize_y": False}
    lasso = RegularizedMLPRegressor(**linear)
    given = {"param": "l1_per_layer", "strengths": [0.1], "relaxed": False, "cv": CV}
    given["keep_folds"] = True
    return RegularizedMLPRegressorCV(lasso, **given | params)


def network_cv(loss="squared_error", **params):
    network = RegularizedMLPRegressor(
        loss, 4, activation="tanh", solver="lbfgs", alpha=3, max_iter=60, random_state=0, **params
    )
    return RegularizedMLPRegressorCV(network, n_strengths=3, cv=CV, keep_folds=True)


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


def test_bands_of_quantiles_are_widened_by_one_number_each_fold():
    model = network_cv("quantile", quantile=[0.1, 0.5, 0.9]).fit(X, y)
    networks = model.fold_networks_.networks
    bands = [network.predict(X_NEW)[:, [0, -1]] for network in networks]
    misses = []
    for network, (_, others) in zip(networks, CV.split(X), strict=True):
        band = network.predict(X[others])
        misses.append(np.maximum(band[:, 0] - y[others], y[others] - band[:, -1]))
    n, place = 60, int(np.ceil(0.8 * 61))
    pairs = [*zip(bands, misses, strict=True)]
    lows = np.sort(np.hstack([band[:, [0]] - miss for band, miss in pairs]))
    highs = np.sort(np.hstack([band[:, [1]] + miss for band, miss in pairs]))
    expected = np.stack([lows[:, n - place], highs[:, place - 1]], axis=1)
    assert_allclose(model.predict_interval(X_NEW, 0.8), expected, rtol=1e-12)


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


def test_blocks_of_rows_are_all_rows(monkeypatch):
    model = lasso_cv().fit(X, y)
    whole = model.predict_interval(X_NEW)
    monkeypatch.setattr(fold_networks, "BLOCK_NUMBERS", 100)
    assert_array_equal(model.predict_interval(X_NEW), whole)


def test_offsets_move_intervals():
    model = lasso_cv().fit(X, y + 5, offset=np.full(60, 5.0))
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
