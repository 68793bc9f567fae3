"""Paths, cross-validation, stability selection and displays of classifiers."""

import matplotlib as mpl
import numpy as np
import pytest
from classes import CODES, TARGETS, WEIGHT, X, classifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmlp import (
    CVPathDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    RegularizedMLPClassifierCV,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    WeightsDisplay,
    default_classifier,
    regularization_path,
    stability_selection,
)
from skmlp.paths.running.problems import problems_of
from skmlp.training_data.row_order import drawn_folds

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "tol": 1e-9}
LINEAR |= {"max_iter": 5000}
KINDS = [*TARGETS]
SHORT = {"n_strengths": 4, "eps": 1e-2}


def chosen(kind="multinomial", X=X, **params):
    params = {"param": "l1_per_layer", **SHORT, "cv": 3, **params}
    model = RegularizedMLPClassifierCV(classifier(**LINEAR), **params)
    return model.fit(X, TARGETS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_models_of_a_path_are_fits_of_their_own(kind):
    path = regularization_path(
        classifier(**LINEAR), X, TARGETS[kind], param="l1_per_layer", **SHORT, sample_weight=WEIGHT
    )
    for model, strength in zip(path.models, path.strengths, strict=True):
        alone = classifier(**{**LINEAR, "l1_per_layer": strength}).fit(X, TARGETS[kind], WEIGHT)
        assert_allclose(model.predict_proba(X), alone.predict_proba(X), rtol=1e-5)
        assert_array_equal(model.classes_, alone.classes_)
    assert path.n_features[-1] == 0
    assert abs(path.r2[-1]) < 1e-12


def test_r2_of_a_path_is_the_share_of_the_deviance():
    y = TARGETS["multinomial"]
    path = regularization_path(classifier(**LINEAR), X, y, param="l1_per_layer", **SHORT)
    shares = np.unique(y, return_counts=True)[1] / len(y)
    null = log_loss(y, np.tile(shares, (len(y), 1)))
    expected = [1 - log_loss(y, model.predict_proba(X)) / null for model in path.models]
    assert_allclose(path.r2, expected, atol=1e-12)


# Folds and halves


@pytest.mark.parametrize("seed", range(5))
def test_each_fold_has_its_share_of_each_class(seed):
    strata = np.random.default_rng(seed).choice(3, 103, p=[0.6, 0.3, 0.1])
    fold = drawn_folds(5, np.arange(103), np.random.RandomState(seed), strata)
    table = np.zeros((3, 5))
    np.add.at(table, (strata, fold), 1)
    assert (np.ptp(table, axis=1) <= 1).all()
    assert np.ptp(table.sum(0)) <= 3


def test_rows_of_a_unit_stay_in_one_fold():
    unit = np.random.default_rng(0).integers(30, size=100)
    fold = drawn_folds(5, unit, np.random.RandomState(0), np.arange(100) % 2)
    assert all(len(np.unique(fold[unit == one])) == 1 for one in np.unique(unit))


def parts_drawn(monkeypatch, module, run):
    """Pairs of row numbers that a path is run on."""
    seen = []

    def recorded(estimator, arrays, splits, *args):
        seen.extend(splits)
        return problems_of(estimator, arrays, splits, *args)

    monkeypatch.setattr(f"skmlp.paths.{module}.problems_of", recorded)
    run()
    return [np.asarray(part) for pair in seen for part in pair]


@pytest.mark.parametrize("assumption", [None, "unimodal"])
@pytest.mark.parametrize("kind", KINDS)
def test_halves_have_equal_shares(kind, assumption, monkeypatch):
    y, network = TARGETS[kind], classifier(**LINEAR)
    weight = np.where(np.arange(len(X)) < 7, 0.0, 1.0)
    kwargs = {"n_subsamples": 4, "strengths": [0.2], "sample_weight": weight, "random_state": 0}
    kwargs["assumption"] = assumption
    parts = parts_drawn(
        monkeypatch, "stability_selection", lambda: stability_selection(network, X, y, **kwargs)
    )
    columns = y if y.ndim == 2 else y[:, None] == np.unique(y)
    halves, others = parts[::2], parts[1::2]
    assert len({half.tobytes() for half in halves}) == 4
    for half, other in zip(halves, others, strict=True):
        assert_array_equal(np.sort(np.append(half, other)), np.arange(7, len(X)))
        assert len(other) - len(half) in (1, 3)
        assert (np.abs(columns[half].sum(0) - columns[other].sum(0)) <= 3).all()
    if assumption:
        assert not set(halves[0]) & set(halves[1])


def test_labels_are_shared_out_among_folds(monkeypatch):
    y = TARGETS["multilabel"]
    parts = parts_drawn(
        monkeypatch, "cross_validated.path_choice", lambda: chosen("multilabel", cv=5)
    )
    held_out = np.array([y[rows].sum(0) for rows in parts[1::2]])
    assert (np.ptp(held_out, axis=0) <= 1).all()


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_the_choice_does_not_depend_on_the_order_of_rows(kind):
    order = np.random.default_rng(0).permutation(len(X))
    model = RegularizedMLPClassifierCV(classifier(**LINEAR), param="l1_per_layer", **SHORT)
    expected = model.fit(X, TARGETS[kind]).mse_path_
    assert_allclose(model.fit(X[order], TARGETS[kind][order]).mse_path_, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_given_stratified_folds_see_the_classes(kind):
    by_splitter = chosen(kind, cv=StratifiedKFold(4)).mse_path_
    pairs = [*StratifiedKFold(4).split(X, TARGETS[kind])]
    assert_array_equal(by_splitter, chosen(kind, cv=pairs).mse_path_)


# Errors and choice

SCORINGS = {
    "accuracy": lambda y, p: accuracy_score(y, np.unique(y)[p.argmax(1)]),
    "neg_log_loss": lambda y, p: -log_loss(y, p),
    "roc_auc_ovr": lambda y, p: roc_auc_score(y, p, multi_class="ovr"),
}


@pytest.mark.parametrize("scoring", [None, *SCORINGS])
def test_errors_of_folds_are_scikit_learn_s_metrics(scoring):
    """Of models fitted on the other rows at the same strength; by default twice the log loss."""
    y, pairs = TARGETS["multinomial"], [*StratifiedKFold(3).split(X, CODES)]
    model = chosen(cv=pairs, scoring=scoring)
    metric = SCORINGS.get(scoring, lambda y, p: -2 * log_loss(y, p))
    for k, (train, test) in enumerate(pairs):
        for strength, errors in zip(model.strengths_, model.mse_path_, strict=True):
            alone = classifier(**{**LINEAR, "l1_per_layer": strength}).fit(X[train], y[train])
            expected = -metric(y[test], alone.predict_proba(X[test]))
            assert errors[k] == pytest.approx(expected, rel=1e-5)


def test_auc_of_two_classes():
    y, pairs = TARGETS["binary"], [*StratifiedKFold(3).split(X, CODES > 0)]
    model = chosen("binary", cv=pairs, scoring="roc_auc")
    for k, (train, test) in enumerate(pairs):
        l1 = model.strengths_[0]
        alone = classifier(**{**LINEAR, "l1_per_layer": l1}).fit(X[train], y[train])
        assert model.mse_path_[0, k] == -roc_auc_score(y[test], alone.decision_function(X[test]))


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_network_chosen(kind):
    model = chosen(kind)
    inner = model.estimator_
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        assert_array_equal(getattr(model, method)(X), getattr(inner, method)(X))
        at_end = getattr(model.path_.models[-1], method)(X)
        answer = getattr(model, method)(X, strength=model.strengths_[-1])
        assert_array_equal(answer, at_end)
    assert model.score(X, TARGETS[kind]) == inner.score(X, TARGETS[kind])
    assert_array_equal(model.classes_, inner.classes_)
    assert model.mse_ == model.mse_mean_.min()


def test_the_default_choice_compares_alphas():
    y = TARGETS["binary"]
    model = RegularizedMLPClassifierCV(n_strengths=4, alphas=[0.1, 1.0, 10.0], n_average=2, cv=3)
    model.fit(np.c_[X, WEIGHT], y)
    assert set(model.cv_results_["alpha"]) == {0.1, 1.0, 10.0}
    assert model.estimator_.hidden_layer_sizes == (100,)
    assert model.mse_ < -2 * np.mean(y * np.log(y.mean()) + (1 - y) * np.log(1 - y.mean()))


def test_kinds_of_networks_are_not_mixed_up():
    with pytest.raises(ValueError, match="must be a RegularizedMLPClassifier, got RegularizedMLPR"):
        RegularizedMLPClassifierCV(RegularizedMLPRegressor()).fit(X, CODES)
    with pytest.raises(ValueError, match="which goes with RegularizedMLPClassifierCV"):
        RegularizedMLPRegressorCV(classifier()).fit(X, CODES)
    with pytest.raises(ValueError, match=r"RegularizedMLPClassifierCV\(RegularizedMLPClassifier\("):
        RegularizedMLPClassifierCV().set_params(estimator__alpha=1)
    assert default_classifier(tol=1.0).tol == 1.0


def test_scikit_learn_scores_it_by_cross_validation():
    model = RegularizedMLPClassifierCV(classifier(**LINEAR), param="l1_per_layer", **SHORT)
    scores = cross_val_score(model, X, TARGETS["multinomial"], cv=3)
    assert scores.mean() > np.unique(CODES, return_counts=True)[1].max() / len(X)


def test_stability_selection_finds_what_tells_classes_apart():
    wide = np.c_[X, np.random.default_rng(1).normal(size=(90, 5))]
    selection = stability_selection(
        classifier(**LINEAR), wide, wide[:, 0] > wide[:, 1], n_subsamples=20, random_state=0
    )
    assert_array_equal(np.flatnonzero(selection.support), [0, 1])


def test_displays_take_classifiers():
    mpl.use("Agg")
    model = chosen()
    assert CVPathDisplay.from_estimator(model).ax_.get_ylabel() == "Mean deviance"
    assert RegularizationPathDisplay.from_path(model.path_).ax_.lines
    assert WeightsDisplay.from_estimator(model).axes_.size
    assert LossCurveDisplay.from_estimator(classifier(max_iter=5).fit(X, CODES)).ax_.lines


CHECKED = {"strengths": [0.03, 0.1], "cv": 2, "alphas": False}  # with a clear minimum


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([
    RegularizedMLPClassifierCV(classifier(**{**LINEAR, "tol": 1e-11}), **CHECKED),
    RegularizedMLPClassifierCV(
        default_classifier(hidden_layer_sizes=4, max_iter=4, alpha=1.0), **CHECKED, adaptive=False
    ),
])  # fmt: skip
def test_scikit_learn_check(estimator, check):
    check(estimator)
