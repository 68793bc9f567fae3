"""Paths, folds, pipelines, searches and fits that meet carry the offset of each row."""

import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import make_scorer, mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    batched_fits,
    regularization_path,
    stability_selection,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
EXPOSURE = RNG.uniform(0.1, 5, 120)
OFFSET = np.log(EXPOSURE)
COUNTS = RNG.poisson(EXPOSURE * np.exp(0.5 * X[:, 0] - 0.3 * X[:, 1])).astype(float)
EXACT = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 1e-12, "max_iter": 2000}
NETWORK = {"hidden_layer_sizes": 4, "activation": "tanh", "alpha": 2.0, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def linear(**params):
    return RegularizedMLPRegressor(
        "poisson", **{**EXACT, "alpha": 3.0, "random_state": 0, **params}
    )


# Paths


def test_a_path_is_that_of_rates_with_weights():
    kwargs = {"adaptive": False, "relaxed": True, "n_strengths": 6, "param": "l1_per_layer"}
    model = linear(alpha=0.0)
    counts = regularization_path(model, X, COUNTS, offset=OFFSET, **kwargs)
    rates = regularization_path(model, X, COUNTS / EXPOSURE, sample_weight=EXPOSURE, **kwargs)
    assert_allclose(counts.strengths, rates.strengths, rtol=1e-9)
    for ours, theirs in zip(
        counts.models + counts.relaxed_models, rates.models + rates.relaxed_models, strict=True
    ):
        assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-7)
        assert_array_equal(ours.get_support(), theirs.get_support())


def test_folds_keep_their_rows_of_the_offset():
    """The errors held out are scikit-learn's deviance of predictions with the offset."""
    cv, strength = KFold(3), 0.05
    model = RegularizedMLPRegressorCV(
        linear(alpha=0.0), param="l1_per_layer", strengths=[strength, 0.1], cv=cv, relaxed=False
    ).fit(X, COUNTS, offset=OFFSET)
    for k, (train, test) in enumerate(cv.split(X)):
        fold = linear(alpha=0.0, l1_per_layer=strength)
        fold.fit(X[train], COUNTS[train], offset=OFFSET[train])
        error = mean_poisson_deviance(COUNTS[test], fold.predict(X[test], OFFSET[test]))
        assert model.mse_path_[0, k] == pytest.approx(error, rel=1e-6)
    found = model.predict(X, OFFSET, strength=strength)
    whole = linear(alpha=0.0, l1_per_layer=strength).fit(X, COUNTS, offset=OFFSET)
    assert_allclose(found, whole.predict(X, OFFSET), rtol=1e-6)
    assert model.score(X, COUNTS, offset=OFFSET) == pytest.approx(
        model.estimator_.score(X, COUNTS, offset=OFFSET)
    )
    with pytest.warns(UserWarning, match="fitted with an offset"):
        model.predict(X)


def test_a_scorer_judges_predictions_with_the_offset():
    scorer = make_scorer(mean_poisson_deviance, greater_is_better=False)
    errors = [
        RegularizedMLPRegressorCV(
            linear(alpha=0.0), param="l1_per_layer", strengths=[0.05, 0.1], cv=3, scoring=scoring
        )
        .fit(X, COUNTS, offset=OFFSET)
        .mse_path_
        for scoring in (None, scorer)
    ]
    assert_allclose(errors[0], errors[1], rtol=1e-9)


def test_the_order_of_rows_does_not_matter_to_folds():
    order = RNG.permutation(120)
    models = [
        RegularizedMLPRegressorCV(linear(alpha=0.0), param="l1_per_layer", n_strengths=4, cv=3).fit(
            X[rows], COUNTS[rows], offset=OFFSET[rows]
        )
        for rows in (np.arange(120), order)
    ]
    assert_array_equal(models[0].mse_path_, models[1].mse_path_)


def test_stability_selection_sees_what_the_offset_leaves():
    """A column that is the exposure itself explains nothing beside it."""
    columns = np.column_stack([X, EXPOSURE])
    kwargs = {"param": "l1_per_layer", "n_subsamples": 20, "random_state": 0, "max_false": 2.0}
    model = linear(alpha=0.0)
    without = stability_selection(model, columns, COUNTS, **kwargs)
    beside = stability_selection(model, columns, COUNTS, offset=OFFSET, **kwargs)
    assert without.support[4]
    assert not beside.support[4]
    assert beside.support[0]


# Pipelines, searches and stacks


def test_pipelines_and_searches_carry_the_offset():
    with sklearn.config_context(enable_metadata_routing=True):
        model = linear().set_fit_request(offset=True).set_predict_request(offset=True)
        model.set_score_request(offset=True)
        pipe = make_pipeline(StandardScaler(), model)
        pipe.fit(X, COUNTS, offset=OFFSET)
        scaled = StandardScaler().fit_transform(X)
        by_hand = linear().fit(scaled, COUNTS, offset=OFFSET)
        assert_array_equal(pipe.predict(X, offset=OFFSET), by_hand.predict(scaled, OFFSET))
        assert pipe.score(X, COUNTS, offset=OFFSET) == by_hand.score(scaled, COUNTS, offset=OFFSET)
        search = GridSearchCV(model, {"alpha": [0.1, 30.0]}, cv=KFold(3))
        search.fit(X, COUNTS, offset=OFFSET)
        for k, alpha in enumerate([0.1, 30.0]):
            for fold, (train, test) in enumerate(KFold(3).split(X)):
                own = linear(alpha=alpha).fit(X[train], COUNTS[train], offset=OFFSET[train])
                score = own.score(X[test], COUNTS[test], offset=OFFSET[test])
                found = search.cv_results_[f"split{fold}_test_score"][k]
                assert found == pytest.approx(score, rel=1e-9)


def test_a_cross_validated_network_in_a_pipeline_has_its_offset():
    with sklearn.config_context(enable_metadata_routing=True):
        inner = RegularizedMLPRegressorCV(
            linear(alpha=0.0), param="l1_per_layer", n_strengths=4, cv=3
        )
        inner.set_fit_request(offset=True).set_predict_request(offset=True)
        pipe = make_pipeline(StandardScaler(), inner).fit(X, COUNTS, offset=OFFSET)
        scaled = StandardScaler().fit_transform(X)
        found = pipe.predict(X, offset=OFFSET)
    assert_array_equal(found, inner.estimator_.predict(scaled, OFFSET))


def test_fits_that_meet_keep_their_own_offsets():
    """The same rows with other offsets are other rows."""
    offsets = [OFFSET, np.zeros(120), None, -OFFSET]
    model = RegularizedMLPRegressor("poisson", **NETWORK, max_iter=4, normalization="batch")

    def fitted(offset):
        return sklearn.clone(model).fit(X, COUNTS, offset=offset).coefs_[0]

    with batched_fits():
        together = Parallel()(delayed(fitted)(offset) for offset in offsets)
    alone = [fitted(offset) for offset in offsets]
    for found, expected in zip(together, alone, strict=True):
        assert_array_equal(found, expected)
    assert not np.array_equal(together[0], together[3])
