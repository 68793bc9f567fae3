"""Labels, probabilities, and weights of rows and classes."""

import numpy as np
import pandas as pd
import pytest
from classes import CODES, EXACT, KINDS, RNG, TARGETS, WEIGHT, X, classifier
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Labels


@pytest.mark.parametrize(
    "labels", [[False, True], [3, -1], ["yes", "no"], [0.0, 1.0], np.array(["a", "b"], object)]
)
def test_labels_of_any_type_come_back(labels):
    labels = np.asarray(labels)
    y = labels[TARGETS["binary"].astype(int)]
    model = classifier().fit(X, y)
    assert_array_equal(model.classes_, np.unique(labels))
    assert set(model.predict(X)) <= set(labels)
    expected = classifier().fit(X, y == model.classes_[1])
    assert_array_equal(model.predict(X), model.classes_[expected.predict(X).astype(int)])
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_outputs_and_predictions_belong_together(kind):
    model = classifier().fit(X, TARGETS[kind])
    output, probability = model.decision_function(X), model.predict_proba(X)
    assert model.out_activation_ == ("softmax" if kind == "multinomial" else "logistic")
    assert_allclose(model.predict_log_proba(X), np.log(probability), rtol=1e-9)
    if kind == "binary":
        assert_allclose(probability[:, 1], expit(output), rtol=1e-12)
        assert_array_equal(model.predict(X), model.classes_[(output > 0).astype(int)])
    elif kind == "multinomial":
        assert_allclose(probability, softmax(output, axis=1), rtol=1e-12)
        assert_array_equal(model.predict(X), model.classes_[output.argmax(1)])
    else:
        assert_allclose(probability, expit(output), rtol=1e-12)
        assert_array_equal(model.predict(X), (output > 0).astype(int))


@pytest.mark.parametrize("kind", KINDS)
def test_logarithms_of_probabilities_that_underflow_are_finite(kind):
    model = classifier().fit(X, TARGETS[kind])
    model.coefs_[-1] = model.coefs_[-1] * 1e4
    log_probability = model.predict_log_proba(X)
    assert np.isfinite(log_probability).all()
    assert log_probability.min() < -800


@pytest.mark.parametrize("kind", KINDS)
def test_score_is_the_accuracy(kind):
    model = classifier().fit(X, TARGETS[kind])
    expected = accuracy_score(TARGETS[kind], model.predict(X), sample_weight=WEIGHT)
    assert model.score(X, TARGETS[kind], WEIGHT) == expected


def test_labels_of_several_columns_are_classifiers_of_each():
    model = classifier(**EXACT).fit(X, TARGETS["multilabel"])
    for k, column in enumerate(TARGETS["multilabel"].T):
        alone = classifier(**EXACT).fit(X, column)
        assert_allclose(model.predict_proba(X)[:, k], alone.predict_proba(X)[:, 1], rtol=1e-6)


def test_sparse_and_framed_labels():
    y = TARGETS["multilabel"]
    expected = classifier().fit(X, y).predict_proba(X)
    assert_array_equal(classifier().fit(X, sparse.csr_array(y)).predict_proba(X), expected)
    named = pd.Series(TARGETS["multinomial"], dtype="category")
    expected = classifier().fit(X, TARGETS["multinomial"]).predict_proba(X)
    assert_array_equal(classifier().fit(X, named).predict_proba(X), expected)


@pytest.mark.parametrize(
    "y, message",
    [
        (X[:, 0], "Unknown label type: continuous"),
        (np.c_[CODES, CODES], "Multioutput target data is not supported"),
        (np.where(CODES, 1.0, np.nan), "y contains NaN"),
    ],
)
def test_what_are_no_labels_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y)


def test_one_class_alone():
    model = classifier().fit(X, ["only"] * 90)
    assert set(model.predict(X)) == {"only"}
    assert model.predict_proba(X).shape == model.predict_log_proba(X).shape == (90, 1)


# Weights


@pytest.mark.parametrize("kind", KINDS)
def test_whole_weights_are_repeated_rows(kind):
    times, y = RNG.integers(0, 3, 90), TARGETS[kind]
    weighted = classifier(**EXACT).fit(X, y, times)
    repeated = classifier(**EXACT).fit(X.repeat(times, 0), y.repeat(times, 0))
    assert_allclose(weighted.coefs_[0], repeated.coefs_[0], atol=1e-7)


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_class_weight_multiplies_sample_weights(kind):
    y = TARGETS[kind]
    classes, codes = np.unique(y, return_inverse=True)
    table = {classes[0]: 3.0, classes[1]: 0.5}
    factor = np.append([3.0, 0.5], np.ones(len(classes)))[codes]
    model = classifier(class_weight=table).fit(X, y, WEIGHT)
    assert_array_equal(
        model.predict_proba(X), classifier().fit(X, y, WEIGHT * factor).predict_proba(X)
    )


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_balanced_classes_have_equal_weights(kind):
    """And the total is that of the rows, whose sample weights count."""
    y = TARGETS[kind]
    classes, codes = np.unique(y, return_inverse=True)
    factor = WEIGHT.sum() / (len(classes) * np.bincount(codes, WEIGHT))[codes]
    model = classifier(**EXACT, class_weight="balanced").fit(X, y, WEIGHT)
    expected = classifier(**EXACT).fit(X, y, WEIGHT * factor)
    assert_allclose(model.coefs_[0], expected.coefs_[0], rtol=1e-9)


def test_class_weights_of_labels():
    y, given = TARGETS["multilabel"], [{1: 2.0}, {0: 0.5}, {}]
    factor = np.where(y[:, 0], 2.0, 1.0) * np.where(y[:, 1], 1.0, 0.5)
    model = classifier(class_weight=given).fit(X, y)
    assert_array_equal(model.predict_proba(X), classifier().fit(X, y, factor).predict_proba(X))
    with pytest.raises(ValueError, match="class_weight has 1 entries, but y has 3 labels"):
        classifier(class_weight=[{1: 2.0}]).fit(X, y)
    with pytest.raises(ValueError, match="For several labels class_weight is 'balanced' or a list"):
        classifier(class_weight={1: 2.0}).fit(X, y)


def test_class_weights_count_in_given_validation_data():
    y, halves = TARGETS["binary"], (slice(0, 50), slice(50, None))
    (X_fit, X_val), (y_fit, y_val) = ([a[half] for half in halves] for a in (X, y))
    model = classifier(class_weight={True: 5.0}, early_stopping=True)
    model.fit(X_fit, y_fit, X_val=X_val, y_val=y_val)
    factors = [np.where(part, 5.0, 1.0) for part in (y_fit, y_val)]
    expected = classifier(early_stopping=True)
    expected.fit(X_fit, y_fit, factors[0], X_val=X_val, y_val=y_val, sample_weight_val=factors[1])
    assert model.validation_scores_ == expected.validation_scores_


def test_class_weights_that_leave_nothing_or_are_none():
    with pytest.raises(ValueError, match=r"class_weight=.* leaves no row a weight > 0"):
        classifier(class_weight={False: 0, True: 0}).fit(X, TARGETS["binary"])
    with pytest.raises(ValueError, match="class_weight must hold finite numbers >= 0"):
        classifier(class_weight={True: -1.0}).fit(X, TARGETS["binary"])
    with pytest.raises(AttributeError, match="class_weight='balanced' needs all rows at once"):
        classifier(class_weight="balanced").partial_fit(X, CODES, classes=[0, 1, 2])
