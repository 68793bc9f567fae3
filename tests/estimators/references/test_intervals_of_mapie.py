"""MAPIE's intervals around our estimators: in a block bit for bit as outside; ours are its."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import KFold
from support.counting import X, network, plain_and_batched, y

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV

pytest.importorskip("mapie")
regression = pytest.importorskip("mapie.regression")
pytestmark = pytest.mark.filterwarnings("ignore")
CV = KFold(4, shuffle=True, random_state=0)
X_NEW = np.random.default_rng(1).normal(size=(20, 4))
LEVELS = [0.05, 0.95, 0.5]  # as MAPIE wants them


def lasso():
    linear = {"solver": "lbfgs", "alpha": 0, "normalize_y": False}
    return RegularizedMLPRegressor(hidden_layer_sizes=(), l1_per_layer=0.1, **linear)


def cross():
    regressor = regression.CrossConformalRegressor(network(), 0.9, cv=CV)
    return regressor.fit_conformalize(X, y).predict_interval(X_NEW)


def jackknife_after_bootstrap():
    regressor = regression.JackknifeAfterBootstrapRegressor(
        network(), 0.9, resampling=6, random_state=0
    )
    return regressor.fit_conformalize(X, y).predict_interval(X_NEW)


def split():
    regressor = regression.SplitConformalRegressor(network(), 0.9, prefit=False)
    return regressor.fit(X[:40], y[:40]).conformalize(X[40:], y[40:]).predict_interval(X_NEW)


def quantiles(**options):
    fits = [network(loss="quantile", quantile=q).fit(X[:40], y[:40]) for q in LEVELS]
    regressor = regression.ConformalizedQuantileRegressor(fits, 0.9, prefit=True)
    return regressor.conformalize(X[40:], y[40:]).predict_interval(X_NEW, **options)


@pytest.mark.parametrize(
    "intervals, most_together",
    [(cross, 4), (jackknife_after_bootstrap, 6), (split, 1), (quantiles, 1)],
)
def test_intervals_are_the_same_in_a_block(intervals, most_together):
    plain, batched, sizes = plain_and_batched(intervals)
    for a, b in zip(plain, batched, strict=True):
        assert_array_equal(a, b)
    assert plain[1].shape == (20, 2, 1)
    assert (plain[1][:, 0] <= plain[1][:, 1]).all()
    assert max(sizes) == most_together


def test_ours_are_cv_plus_as_mapie_has_it():
    given = {"param": "l1_per_layer", "strengths": [0.1], "relaxed": False, "cv": CV}
    ours = RegularizedMLPRegressorCV(lasso(), keep_folds=True, **given).fit(X, y)
    theirs = regression.CrossConformalRegressor(lasso(), 0.8, method="plus", cv=CV)
    _, interval = theirs.fit_conformalize(X, y).predict_interval(X_NEW)
    assert_allclose(ours.predict_interval(X_NEW, 0.8), interval[:, :, 0], atol=1e-6)


def test_bands_of_mapie_are_conformalised_quantiles_of_ours():
    low, high, _ = (network(loss="quantile", quantile=q).fit(X[:40], y[:40]) for q in LEVELS)
    misses = np.maximum(low.predict(X[40:]) - y[40:], y[40:] - high.predict(X[40:]))
    most = np.sort(misses)[int(np.ceil(0.9 * 21)) - 1]
    expected = np.stack([low.predict(X_NEW) - most, high.predict(X_NEW) + most], axis=1)
    _, interval = quantiles(symmetric_correction=True)
    assert_allclose(interval[:, :, 0], expected, rtol=1e-12)


def test_mapie_takes_the_estimator_that_chooses():
    linear = lasso().set_params(random_state=0)
    model = RegularizedMLPRegressorCV(linear, param="l1_per_layer", n_strengths=4, cv=3)
    regressor = regression.CrossConformalRegressor(model, 0.9, cv=CV).fit_conformalize(X, y)
    _, interval = regressor.predict_interval(X_NEW)
    held_out = [(clone(model).fit(X[rows], y[rows]), others) for rows, others in CV.split(X)]
    far = [np.abs(y[others] - fit.predict(X[others])) for fit, others in held_out]
    pairs = [(f.predict(X_NEW)[:, None], r) for (f, _), r in zip(held_out, far, strict=True)]
    highs = np.sort(np.hstack([center + r for center, r in pairs]))
    assert_allclose(interval[:, 1, 0], highs[:, int(np.ceil(0.9 * 61)) - 1], atol=1e-8)
