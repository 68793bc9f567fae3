"""Limits, signs, no intercept and ridge paths of classifiers: what regressors have."""

import numpy as np
import pytest
from classes import EXACT, KINDS, TARGETS, WEIGHT, X, classifier
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from skmlp import (
    RegularizedMLPClassifierCV,
    check_monotonic,
    regularization_path,
    stability_selection,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LIMITS = (-0.3, 0.4)
SIGNS = (1, 0, -1, 0)


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_without_intercept_is_logistic_regression(kind):
    y = TARGETS[kind]
    model = classifier(**EXACT, fit_intercept=False).fit(X, y, WEIGHT)
    theirs = LogisticRegression(fit_intercept=False, tol=1e-10, max_iter=10_000).fit(X, y, WEIGHT)
    assert_allclose(model.coefs_[0].T, theirs.coef_, rtol=1e-4, atol=1e-6)
    assert not model.intercepts_[0].any()


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("kind", KINDS)
def test_epochs_leave_no_intercept(kind, solver):
    params = {"hidden_layer_sizes": (), "solver": solver, "fit_intercept": False}
    model = classifier(**params)
    assert not model.fit(X, TARGETS[kind]).intercepts_[0].any()
    classes = np.arange(3) if kind == "multilabel" else np.unique(TARGETS[kind])
    model = classifier(**params).partial_fit(X, TARGETS[kind], classes=classes)
    assert not model.intercepts_[0].any()


def test_limits_are_bounds_of_the_minimum():
    y = TARGETS["binary"]
    lower, upper = LIMITS
    model = classifier(**EXACT, lower_limits=lower, upper_limits=upper).fit(X, y)

    def objective(w):
        output = X @ w[1:] + w[0]
        return np.mean(np.logaddexp(0, output) - y * output) + w[1:] @ w[1:] / (2 * len(y))

    bounds = [(None, None), *[LIMITS] * X.shape[1]]
    options = {"ftol": 1e-15, "gtol": 1e-10}
    theirs = minimize(objective, np.zeros(5), bounds=bounds, options=options)
    coef = model.coefs_[0].ravel()
    assert_allclose(coef, theirs.x[1:], atol=1e-5)
    assert_allclose(model.objective_, theirs.fun, rtol=1e-9)
    assert coef.max() == upper or coef.min() == lower


@pytest.mark.parametrize("kind", ["multinomial", "multilabel"])
def test_limits_hold_for_each_class(kind):
    model = classifier(**{**EXACT, "alpha": 0.0}, l1_per_layer=0.01, upper_limits=0.4)
    coef = model.set_params(lower_limits=-0.3).fit(X, TARGETS[kind]).coefs_[0]
    assert coef.min() == -0.3
    assert coef.max() == 0.4
    assert model.optimality_ < 1e-7


@pytest.mark.parametrize("hidden", [(), (6,)])
@pytest.mark.parametrize("kind", ["binary", "multilabel"])
def test_probabilities_follow_marked_features(kind, hidden):
    model = classifier(hidden_layer_sizes=hidden, monotonic_cst=SIGNS, solver="lbfgs")
    model.fit(X, TARGETS[kind])
    allowed = {1: {"increasing", "constant"}, -1: {"decreasing", "constant"}}
    for found in check_monotonic(model):
        sign = SIGNS[found.feature]
        assert sign == 0 or found.direction in allowed[sign]
    for j, sign in enumerate(SIGNS):
        step = 0.5 * np.eye(4)[j] * sign
        probability = [model.predict_proba(rows)[:, -1] for rows in (X, X + step)]
        assert (probability[1] - probability[0]).min() >= -1e-15


def test_more_classes_are_monotone_in_nothing():
    with pytest.raises(
        ValueError, match=r"monotonic_cst=\(1, 0, -1, 0\) is for regression and two"
    ):
        classifier(monotonic_cst=SIGNS).fit(X, TARGETS["multinomial"])
    classifier(monotonic_cst=(0, 0, 0, 0), max_iter=1).fit(X, TARGETS["multinomial"])


def test_classifiers_have_no_offset():
    with pytest.raises(TypeError, match="offset"):
        classifier().fit(X, TARGETS["binary"], offset=np.zeros(len(X)))
    for run in (regularization_path, stability_selection):
        with pytest.raises(ValueError, match="offset is for regressors"):
            run(classifier(**EXACT), X, TARGETS["binary"], offset=np.zeros(len(X)))


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_path_of_l2_alone_is_logistic_regression(kind):
    y = TARGETS[kind]
    params = {"n_strengths": 3, "eps": 1e-4, "l1_ratio": 0, "sample_weight": WEIGHT}
    path = regularization_path(classifier(**EXACT), X, y, **params)
    for model, strength in zip(path.models, path.strengths, strict=True):
        theirs = LogisticRegression(C=1 / (strength * WEIGHT.sum()), tol=1e-12, max_iter=10_000)
        assert_allclose(model.coefs_[0].T, theirs.fit(X, y, WEIGHT).coef_, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_probabilities_between_strengths_are_those_of_coefficients_there(kind):
    linear = classifier(**{**EXACT, "alpha": 0.0})
    model = RegularizedMLPClassifierCV(linear, n_strengths=4, eps=1e-2, cv=3)
    model.fit(X, TARGETS[kind])
    path, strength = model.path_, model.strengths_[1:3].mean()
    output = X @ path.coef_at(strength) + path.intercept_at(strength)
    expected = (
        softmax(output, 1) if kind == "multinomial" else np.c_[1 - expit(output), expit(output)]
    )
    assert_allclose(model.predict_proba(X, strength=strength), expected, rtol=1e-12)
    assert_allclose(
        model.decision_function(X, strength=strength),
        output if kind == "multinomial" else output.ravel(),
    )
    assert_array_equal(model.predict(X, strength=strength), path.predict(X, strength))
    assert_array_equal(path.predict(X, strength), model.classes_[expected.argmax(1)])


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_cross_validation_of_l2_alone_is_that_of_logistic_regression(kind):
    y, linear = TARGETS[kind], classifier(**{**EXACT, "alpha": 0.0})
    strengths, folds = [0.02, 0.1, 0.5], StratifiedKFold(3)
    model = RegularizedMLPClassifierCV(linear, l1_ratio=0, strengths=strengths, cv=folds).fit(X, y)
    for k, strength in enumerate(strengths):
        for fold, (train, test) in enumerate(folds.split(X, y)):
            theirs = LogisticRegression(C=1 / (len(train) * strength), tol=1e-10, max_iter=10_000)
            probability = theirs.fit(X[train], y[train]).predict_proba(X[test])
            deviance = 2 * log_loss(y[test], probability)
            assert model.mse_path_[k, fold] == pytest.approx(deviance, rel=1e-5)
    assert model.strength_ == strengths[model.mse_mean_.argmin()]
