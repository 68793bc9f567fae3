"""RegularizedMLPClassifier: MLPClassifier's steps, early stopping, penalties, separable data."""

import inspect
from copy import deepcopy

import numpy as np
import pytest
from classes import CODES, EXACT, KINDS, RNG, SMALL, TARGETS, WEIGHT, X, classifier
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor, batched_fits

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Signature


def test_signature_is_mlp_classifiers_then_keyword_only():
    ours = inspect.signature(RegularizedMLPClassifier).parameters
    reference = inspect.signature(MLPClassifier).parameters
    assert list(ours)[: len(reference)] == list(reference)
    for name, parameter in reference.items():
        assert (ours[name].default, ours[name].kind) == (parameter.default, parameter.kind)
    new = list(ours.values())[len(reference) :]
    assert {parameter.kind for parameter in new} == {inspect.Parameter.KEYWORD_ONLY}
    assert "class_weight" in ours


def test_parameters_are_those_of_the_regressor():
    """But for what is about numbers, and with the same defaults and constraints."""
    ours, regressor = RegularizedMLPClassifier(), RegularizedMLPRegressor()
    shared = ours.get_params().keys() & regressor.get_params().keys()
    assert ours.get_params().keys() - shared == {"class_weight"}
    assert regressor.get_params().keys() - shared == {
        "loss", "quantile", "power", "huber_delta", "normalize_y",
    }  # fmt: skip
    for name in shared:
        assert getattr(ours, name) == getattr(regressor, name)
        constraints = [cls._parameter_constraints[name] for cls in (type(ours), type(regressor))]
        assert constraints[0] is constraints[1]


# Steps beside MLPClassifier's


def steps(cls, y, sample_weight=None, **params):
    """The model after three epochs of a warm start from given weights."""
    params = {"max_iter": 1, "hidden_layer_sizes": (6, 5), "shuffle": False, "tol": 0, **params}
    model = cls(random_state=0, **params).fit(X, y)
    rng = np.random.default_rng(1)
    for arrays in (model.coefs_, model.intercepts_):
        arrays[:] = [rng.normal(size=a.shape) / 2 for a in arrays]
    return model.set_params(warm_start=True, max_iter=3).fit(X, y, sample_weight)


@pytest.mark.parametrize("sample_weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_mlp_classifier_s(kind, activation, solver, sample_weight):
    params = {"activation": activation, "solver": solver, "alpha": 3.0}
    reference, model = (
        steps(cls, TARGETS[kind], sample_weight, **params)
        for cls in (MLPClassifier, RegularizedMLPClassifier)
    )
    for ours, theirs in zip(
        model.coefs_ + model.intercepts_, reference.coefs_ + reference.intercepts_, strict=True
    ):
        assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    assert_allclose(model.loss_curve_[-1], reference.loss_curve_[-1], rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_move_between_the_two_classes(kind):
    model = classifier().fit(X, TARGETS[kind])
    reference = MLPClassifier(**SMALL).fit(X, TARGETS[kind])
    reference.coefs_, reference.intercepts_ = deepcopy((model.coefs_, model.intercepts_))
    assert_allclose(reference.predict_proba(X), model.predict_proba(X), rtol=1e-12)
    assert_array_equal(reference.predict(X), model.predict(X))


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fits_are_mlp_classifier_s(kind):
    """From its first weights, too: the first piece need not have the classes' shares."""
    y = TARGETS[kind]
    classes = np.arange(3) if kind == "multilabel" else np.unique(y)
    model = classifier(max_iter=5)
    for _ in range(5):
        model.partial_fit(X, y, classes=classes)
    reference = MLPClassifier(**{**SMALL, "max_iter": 5})
    for _ in range(5):
        reference.partial_fit(X, y, classes=classes)
    assert_allclose(model.predict_proba(X), reference.predict_proba(X), rtol=1e-6)
    assert len(model.loss_curve_) == 5


def test_classes_of_later_pieces():
    model = classifier().partial_fit(X[:9], np.repeat(["a", "b", "c"], 3), classes=list("abcd"))
    assert model.predict_proba(X).shape == (90, 4)
    model.partial_fit(X[:2], ["d", "a"])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        model.partial_fit(X[:2], ["e", "a"])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X[:2], ["d", "a"], classes=list("ab"))
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        classifier().partial_fit(X, CODES)


def test_warm_start_needs_the_same_classes():
    model = classifier(warm_start=True).fit(X, CODES)
    before = deepcopy(model.coefs_)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same cla"):
        model.fit(X, CODES > 0)
    assert_array_equal(model.coefs_[0], before[0])
    model.set_params(warm_start=False).fit(X, TARGETS["multinomial"])
    assert_array_equal(model.classes_, ["blue", "green", "red"])


# Early stopping


def test_early_stopping_keeps_the_best_accuracy():
    y = TARGETS["binary"]
    model = classifier(early_stopping=True, validation_fraction=0.3, max_iter=60).fit(X, y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    model = classifier(early_stopping=True, max_iter=60).fit(X, y, X_val=X[:30], y_val=y[:30])
    assert model.best_validation_score_ == model.score(X[:30], y[:30])


# What classifiers do like regressors


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_equals_dense(kind):
    dense = np.where(np.abs(X) > 0.5, X, 0.0)
    expected = classifier().fit(dense, TARGETS[kind], WEIGHT).predict_proba(dense)
    model = classifier().fit(sparse.csr_array(dense), TARGETS[kind], WEIGHT)
    assert_allclose(model.predict_proba(sparse.csr_array(dense)), expected, rtol=1e-7)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("kind", KINDS)
def test_normalisation_changes_the_fit(kind, normalization):
    plain = classifier().fit(X, TARGETS[kind])
    model = classifier(normalization=normalization).fit(X, TARGETS[kind])
    assert not np.allclose(model.predict_proba(X), plain.predict_proba(X))
    assert hasattr(model, "layer_norm_gains_") == (normalization == "layer")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", KINDS)
def test_features_leave(kind, solver):
    wide = np.c_[X, RNG.normal(size=(90, 5))]
    params = {"solver": solver, "group_l1": 0.1, "alpha": 0.5, "max_iter": 300}
    model = classifier(**params, learning_rate_init=0.02).fit(wide, TARGETS[kind])
    support = model.get_support()
    assert support.any()
    assert not support.all()
    assert_array_equal(model.coefs_[0][~support], 0)
    chosen = SelectFromModel(model, prefit=True).get_support()
    assert_array_equal(chosen, support)


def test_positive_networks_rise():
    model = classifier(positive_weights=True).fit(X, TARGETS["binary"])
    higher = model.decision_function(X + RNG.uniform(0, 1, X.shape))
    assert (higher >= model.decision_function(X)).all()


def test_batched_fits_give_the_same_bits():
    grid = {"alpha": [0.1, 1.0, 10.0]}
    plain = GridSearchCV(classifier(), grid, cv=3).fit(X, TARGETS["multinomial"])
    with batched_fits():
        batched = GridSearchCV(classifier(), grid, cv=3).fit(X, TARGETS["multinomial"])
    name = "mean_test_score"
    assert_array_equal(batched.cv_results_[name], plain.cv_results_[name])
    assert_array_equal(batched.predict_proba(X), plain.predict_proba(X))


def test_clone_of_a_fitted_classifier_knows_nothing():
    assert not hasattr(clone(classifier().fit(X, CODES)), "classes_")


# Separable data

APART = X[:, 0] > 0


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("hidden", [(), (6,)])
def test_separable_data_without_a_penalty_warn_and_stay_finite(hidden, solver):
    free = {
        "hidden_layer_sizes": hidden,
        "solver": solver,
        "alpha": 0.0,
        "tol": 1e-6,
        "max_iter": 3000,
    }
    with pytest.warns(ConvergenceWarning, match=r"no minimum.* Give a penalty, such as alpha=1"):
        model = classifier(**free, learning_rate_init=0.1).fit(X, APART)
    assert model.score(X, APART) == 1
    assert all(np.isfinite(array).all() for array in model.coefs_)


@pytest.mark.parametrize("penalty", [{"alpha": 1e-3}, {"l1_per_layer": 1e-3}, {"group_l1": 1e-3}])
def test_penalties_keep_solutions_of_separable_data_finite(penalty, recwarn):
    params = {**EXACT, "alpha": 0.0, **penalty}
    models = [classifier(**params, random_state=seed).fit(X, APART) for seed in (0, 1)]
    assert models[0].score(X, APART) == 1
    assert models[0].optimality_ < 1e-7
    size = np.abs(models[0].coefs_[0]).max()
    assert_allclose(models[0].coefs_[0], models[1].coefs_[0], atol=1e-4 * size)
    assert not [w for w in recwarn if "no minimum" in str(w.message)]
