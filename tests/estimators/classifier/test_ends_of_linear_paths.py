"""Linear paths of classes: L2 alone is LogisticRegression, strengths between are interpolated."""

import pytest
from classes import EXACT, KINDS, TARGETS, X, classifier
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from skmlp import RegularizedMLPClassifierCV

LINEAR = {**EXACT, "alpha": 0.0, "random_state": 0}


def chosen(kind, **params):
    model = RegularizedMLPClassifierCV(classifier(**LINEAR), n_strengths=4, cv=3, **params)
    return model.fit(X, TARGETS[kind])


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_l2_alone_is_logistic_regression(kind):
    y, model = TARGETS[kind], chosen(kind, l1_ratio=0, strengths=[0.02, 0.1, 0.5])
    for strength, own in zip(model.strengths_, model.path_.models, strict=True):
        theirs = LogisticRegression(C=1 / (len(X) * strength), tol=1e-10, max_iter=10_000).fit(X, y)
        assert_allclose(own.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
        assert_allclose(model.predict_proba(X, strength=strength), own.predict_proba(X))
    assert model.strength_ == model.strengths_[model.mse_mean_.argmin()]
    assert model.n_features_path_.min() == X.shape[1]


@pytest.mark.parametrize("kind", KINDS)
def test_between_strengths_coefficients_are_those_on_the_line(kind):
    model = chosen(kind, param="l1_per_layer")
    low, high = model.strengths_[1:3]
    share, ends = 0.3, model.path_.models[1:3]
    between = low + share * (high - low)
    coef, intercept = (
        (1 - share) * first + share * second
        for first, second in zip(*((m.coefs_[0], m.intercepts_[0]) for m in ends), strict=True)
    )
    outputs = model.decision_function(X, strength=between)
    assert_allclose(outputs.reshape(len(X), -1), X @ coef + intercept, atol=1e-10)
    probability = model.predict_proba(X, strength=between)
    if kind != "multilabel":
        loss = log_loss(TARGETS[kind], probability)
        own = [log_loss(TARGETS[kind], m.predict_proba(X)) for m in ends]
        assert min(own) < loss < max(own)
