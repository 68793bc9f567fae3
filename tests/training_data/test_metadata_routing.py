"""Validation rows, offsets, groups and weights reach networks in Pipelines and searches."""

from inspect import signature

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from skmlp import (
    BatchedGridSearchCV,
    BatchedRandomizedSearchCV,
    RegularizedMLPClassifier,
    RegularizedMLPClassifierCV,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    batched_fits,
    stability_selection,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)) * [1.0, 100.0, 0.01] + [0.0, 50.0, 3.0]
y = np.tanh(X[:, 0]) + X[:, 1] / 100
TRAIN, VALIDATION = slice(0, 60), slice(60, 80)
LABELS = (y > 0.5).astype(int)
OFFSET = 0.5 * np.cos(np.arange(80))
GROUPS = np.arange(80) % 7
WEIGHT = 1.0 + np.arange(80) % 3
NETWORK = {"hidden_layer_sizes": (4,), "max_iter": 6, "random_state": 0}
PATH = {"param": "l1_per_layer", "n_strengths": 3, "cv": 3}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def requests(estimator, method):
    return getattr(get_routing_for_object(estimator), method).requests


def linear(kind=RegularizedMLPRegressor):
    return kind(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, random_state=0)


def unweighted():
    """A step before the network, which does not want the weights."""
    return StandardScaler().set_fit_request(sample_weight=False)


# What is asked for


@pytest.mark.parametrize("kind", [RegularizedMLPRegressor, RegularizedMLPClassifier])
def test_validation_data_are_asked_for_by_the_names_of_scikit_learn(kind):
    ours, theirs = (set(signature(k.fit).parameters) for k in (kind, HistGradientBoostingRegressor))
    if "X_val" in theirs:  # from scikit-learn 1.7 on
        assert theirs <= ours
    asked = requests(kind(), "fit")
    assert all(asked[name] is True for name in ("X_val", "y_val", "sample_weight_val"))
    assert asked["sample_weight"] is None
    refused = kind().set_fit_request(X_val=False)
    assert requests(refused, "fit")["X_val"] is False


def test_offsets_and_groups_are_asked_for():
    for model in (RegularizedMLPRegressor(), RegularizedMLPRegressorCV()):
        for method in ("fit", "predict", "score"):
            assert requests(model, method)["offset"] is True
    assert requests(RegularizedMLPRegressor(), "fit")["offset_val"] is True
    assert requests(RegularizedMLPRegressor(), "partial_fit")["offset"] is True
    for kind in (RegularizedMLPRegressorCV, RegularizedMLPClassifierCV):
        assert requests(kind(), "fit")["groups"] is True


def test_weights_have_to_be_asked_for_as_elsewhere():
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        make_pipeline(StandardScaler(), linear()).fit(X, y, sample_weight=WEIGHT)


# Pipelines


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pipeline_scales_validation_rows_by_the_training_rows(early_stopping):
    params = {"early_stopping": early_stopping, "max_iter": 15, "random_state": 0}
    scaler = StandardScaler().fit(X[TRAIN])
    by_hand = RegularizedMLPRegressor(**params).fit(
        scaler.transform(X[TRAIN]),
        y[TRAIN],
        X_val=scaler.transform(X[VALIDATION]),
        y_val=y[VALIDATION],
    )
    mlp = RegularizedMLPRegressor(**params)
    steps = [("scale", StandardScaler()), ("mlp", mlp)]
    model = Pipeline(steps, transform_input=["X_val"])
    model.fit(X[TRAIN], y[TRAIN], X_val=X[VALIDATION], y_val=y[VALIDATION])
    assert_array_equal(mlp.validation_loss_curve_, by_hand.validation_loss_curve_)
    assert_array_equal(model.predict(X), by_hand.predict(scaler.transform(X)))


def validation(**more):
    return {"X_val": X[VALIDATION], "y_val": LABELS[VALIDATION], **more}


def test_a_pipeline_hands_on_weights_of_validation_rows_and_labels():
    model, given = RegularizedMLPClassifier(**NETWORK, early_stopping=True), WEIGHT[VALIDATION]
    pipe = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
    pipe.fit(X[TRAIN], LABELS[TRAIN], **validation(sample_weight_val=given))
    scaler = StandardScaler().fit(X[TRAIN])
    alone = RegularizedMLPClassifier(**NETWORK, early_stopping=True)
    rows = validation(X_val=scaler.transform(X[VALIDATION]), sample_weight_val=given)
    alone.fit(scaler.transform(X[TRAIN]), LABELS[TRAIN], **rows)
    assert_array_equal(model.validation_loss_curve_, alone.validation_loss_curve_)
    plain = RegularizedMLPClassifier(**NETWORK, early_stopping=True)
    plain.fit(scaler.transform(X[TRAIN]), LABELS[TRAIN], **rows | {"sample_weight_val": None})
    assert model.validation_loss_curve_ != plain.validation_loss_curve_


def test_a_pipeline_hands_on_both_offsets():
    mlp = RegularizedMLPRegressor(**NETWORK)
    pipe = make_pipeline(StandardScaler(), mlp, transform_input=["X_val"])
    rows = {"X_val": X[VALIDATION], "y_val": y[VALIDATION], "offset_val": OFFSET[VALIDATION]}
    pipe.fit(X[TRAIN], y[TRAIN], offset=OFFSET[TRAIN], **rows)
    scaler = StandardScaler().fit(X[TRAIN])
    alone = RegularizedMLPRegressor(**NETWORK)
    rows["X_val"] = scaler.transform(X[VALIDATION])
    alone.fit(scaler.transform(X[TRAIN]), y[TRAIN], offset=OFFSET[TRAIN], **rows)
    assert_array_equal(mlp.validation_loss_curve_, alone.validation_loss_curve_)
    expected = alone.predict(scaler.transform(X), OFFSET)
    assert_array_equal(pipe.predict(X, offset=OFFSET), expected)


CVS = [
    (RegularizedMLPRegressorCV, RegularizedMLPRegressor, y),
    (RegularizedMLPClassifierCV, RegularizedMLPClassifier, LABELS),
]


@pytest.mark.parametrize("kind, network, target", CVS)
@pytest.mark.parametrize("cv", [3, GroupKFold(3)])
def test_networks_chosen_by_folds_have_their_groups_in_a_pipeline(kind, network, target, cv):
    params = {**PATH, "cv": cv}
    model = kind(linear(network), **params).set_fit_request(sample_weight=True)
    make_pipeline(unweighted(), model).fit(X, target, groups=GROUPS, sample_weight=WEIGHT)
    scaled = StandardScaler().fit_transform(X)
    alone = kind(linear(network), **params).fit(scaled, target, WEIGHT, groups=GROUPS)
    assert_array_equal(model.mse_path_, alone.mse_path_)
    ungrouped = kind(linear(network), **{**PATH, "cv": 3}).fit(scaled, target, WEIGHT)
    assert not np.array_equal(model.mse_path_, ungrouped.mse_path_)


# Searches and cross-validation


SEARCHES = [GridSearchCV, BatchedGridSearchCV, "block"]


def searched(kind, model, grid, target, cv, **metadata):
    if kind == "block":
        with batched_fits(2):
            return GridSearchCV(model, grid, cv=cv).fit(X, target, **metadata)
    return kind(model, grid, cv=cv).fit(X, target, **metadata)


@pytest.mark.parametrize("kind", SEARCHES)
def test_searches_hand_on_all_of_it(kind):
    """Weights and offsets of the rows of each fold, and validation rows transformed."""
    mlp = RegularizedMLPRegressor(**NETWORK, early_stopping=True)
    mlp.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    pipe = Pipeline([("scale", unweighted()), ("mlp", mlp)], transform_input=["X_val"])
    rows = {"X_val": X[VALIDATION], "y_val": y[VALIDATION], "offset_val": OFFSET[VALIDATION]}
    metadata = {"offset": OFFSET, "sample_weight": WEIGHT, "groups": GROUPS}
    grid = {"mlp__alpha": [0.1, 10.0]}
    search = searched(kind, pipe, grid, y, GroupKFold(2), **metadata, **rows)
    for fold, (train, test) in enumerate(GroupKFold(2).split(X, y, GROUPS)):
        scaler = StandardScaler().fit(X[train])
        rows["X_val"] = scaler.transform(X[VALIDATION])
        for k, alpha in enumerate(grid["mlp__alpha"]):
            alone = RegularizedMLPRegressor(**NETWORK, early_stopping=True, alpha=alpha)
            of_train = scaler.transform(X[train]), y[train], WEIGHT[train]
            alone.fit(*of_train, offset=OFFSET[train], **rows)
            score = alone.score(scaler.transform(X[test]), y[test], WEIGHT[test], OFFSET[test])
            assert search.cv_results_[f"split{fold}_test_score"][k] == score


def test_a_randomised_search_hands_on_validation_rows():
    pipe = Pipeline(
        [("scale", StandardScaler()), ("mlp", RegularizedMLPRegressor(**NETWORK))],
        transform_input=["X_val"],
    )
    search = BatchedRandomizedSearchCV(pipe, {"mlp__alpha": [0.1]}, n_iter=1, cv=KFold(2))
    search.fit(X, y, X_val=X[VALIDATION], y_val=y[VALIDATION])
    scaler = StandardScaler().fit(X)
    alone = RegularizedMLPRegressor(**NETWORK, alpha=0.1)
    alone.fit(scaler.transform(X), y, X_val=scaler.transform(X[VALIDATION]), y_val=y[VALIDATION])
    found = search.best_estimator_["mlp"].validation_loss_curve_
    assert_array_equal(found, alone.validation_loss_curve_)


@pytest.mark.parametrize("in_block", [False, True])
def test_cross_validate_hands_on_validation_rows_and_offsets(in_block):
    model = RegularizedMLPRegressor(**NETWORK, early_stopping=True)
    rows = {"X_val": X[VALIDATION], "y_val": y[VALIDATION], "offset_val": OFFSET[VALIDATION]}
    arguments = {"cv": KFold(2), "params": {"offset": OFFSET, **rows}}
    if in_block:
        with batched_fits(2):
            found = cross_validate(model, X, y, **arguments)
    else:
        found = cross_validate(model, X, y, **arguments)
    expected = []
    for train, test in KFold(2).split(X):
        alone = RegularizedMLPRegressor(**NETWORK, early_stopping=True)
        alone.fit(X[train], y[train], offset=OFFSET[train], **rows)
        expected.append(alone.score(X[test], y[test], offset=OFFSET[test]))
    assert_array_equal(found["test_score"], expected)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("chosen, network, target", CVS)
def test_searches_over_networks_chosen_by_folds(kind, chosen, network, target):
    """Groups split the search's rows and, those of each fold, the folds within it."""
    model = chosen(linear(network), **PATH)
    metadata = {"groups": GROUPS}
    if chosen is RegularizedMLPRegressorCV:
        metadata["offset"] = OFFSET
    search = searched(kind, model, {"n_strengths": [3]}, target, GroupKFold(2), **metadata)
    for fold, (train, test) in enumerate(GroupKFold(2).split(X, target, GROUPS)):
        own, held_out = ({n: a[r] for n, a in metadata.items()} for r in (train, test))
        alone = chosen(linear(network), **PATH).fit(X[train], target[train], **own)
        held_out.pop("groups")
        score = alone.score(X[test], target[test], **held_out)
        assert search.cv_results_[f"split{fold}_test_score"][0] == score


# Stability selection


@pytest.mark.parametrize("network, target", [(c[1], c[2]) for c in CVS])
def test_stability_selection_takes_networks_with_requests(network, target):
    """It is handed metadata itself; what its network asks for changes nothing."""
    asking = linear(network).set_fit_request(sample_weight=True, X_val=False)
    how = {"param": "l1_per_layer", "n_subsamples": 6, "random_state": 0, "groups": GROUPS}
    how |= {"strengths": [0.02, 0.1]}
    found = stability_selection(asking, X, target, sample_weight=WEIGHT, **how)
    with sklearn.config_context(enable_metadata_routing=False):
        plain = stability_selection(linear(network), X, target, sample_weight=WEIGHT, **how)
    assert_array_equal(found.frequency, plain.frequency)
