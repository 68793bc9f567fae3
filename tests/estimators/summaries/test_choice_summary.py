"""What summary() says of a choice along a path."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import scale

from skmlp import (
    RegularizedMLPClassifierCV,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    default_classifier,
    default_network,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = X.apply(scale)
LINEAR = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
NOISE = np.random.default_rng(0).normal(size=(80, 4))


def lasso(**params):
    return RegularizedMLPRegressorCV(LINEAR, param="l1_per_layer", **params)


def small(**params):
    network = default_network(hidden_layer_sizes=4, random_state=0)
    return RegularizedMLPRegressorCV(
        network, **{"n_strengths": 4, "alphas": [1, 10], "n_average": 2, "cv": 3, **params}
    )


def test_numbers_of_the_choice():
    model = lasso(n_strengths=8, cv=4).fit(X, y)
    found = model.summary()
    choice = found.sections["Choice"]
    assert choice["compared"] == f"{len(model.strengths_)} networks in 4 folds"
    assert choice["l1_per_layer"] == model.strength_
    assert choice["Mean squared error"] == model.mse_
    assert choice["largest within one standard error"] == model.strength_1se_
    assert found.layers["l1"] == [model.strength_]
    assert found.features["feature"] == model.estimator_.summary().features["feature"]
    assert str(found).startswith("RegularizedMLPRegressorCV 10-1: squared_error, 442 rows")
    assert_allclose(found.sections["Training fit"]["R2"], model.score(X, y), rtol=1e-9)


def test_loss_of_the_mean_of_networks_is_its_own():
    model = small().fit(X, y)
    found = model.summary()
    assert found.layers["units"] == [8, 1]
    fit = found.sections["Training fit"]
    assert_allclose(fit["R2"], model.score(X, y), rtol=1e-7)
    alpha, coefs = found.layers["alpha"], model.estimator_._trained.plain.coefs
    expected = [a / 2 / len(y) * (coef**2).sum() for a, coef in zip(alpha, coefs, strict=True)]
    assert_allclose(found.layers["penalty"], expected, rtol=1e-6)
    assert found.sections["Choice"]["alpha"] == model.alpha_
    assert found.sections["Choice"]["refitted without it"] == "yes"


def test_classes():
    network = default_classifier(hidden_layer_sizes=3, random_state=0)
    model = RegularizedMLPClassifierCV(network, n_strengths=2, cv=2).fit(X, y > 150)
    found = model.summary()
    assert found.sections["Choice"]["Mean deviance"] == model.mse_
    assert found.title.startswith("RegularizedMLPClassifierCV 10-3-1 relu: log_loss")


def test_smallest_and_largest_strength():
    (note,) = lasso(strengths=[0.3, 0.4]).fit(X, y).summary().advice
    assert note.startswith("The strength chosen, 0.3, is the smallest of the path")
    assert not lasso(strengths=[0.3]).fit(X, y).summary().advice
    noise = np.random.default_rng(1).normal(size=80)
    note = lasso(strengths=[1e-3, 1e-2]).fit(NOISE, noise).summary().advice[-1]
    assert note.startswith("The strength chosen, 0.01, is the largest of the path, where 4 feat")
    model = lasso(selection="1se").fit(NOISE, noise)
    assert model.get_support().sum() == 0
    assert "No feature is left in the network chosen" in "\n".join(model.summary().advice)


@pytest.mark.parametrize(
    "alphas, expected",
    [
        ([100, 1000], "alpha=100 is the smallest of those compared: give smaller alphas, too."),
        ([0.1, 0.2], "alpha=0.2 is the largest of those compared: give larger alphas, too."),
        ([10], None),
    ],
)
def test_alphas_at_an_end(alphas, expected):
    advice = small(alphas=alphas, n_average=1).fit(X, y).summary().advice
    assert [note for note in advice if note.startswith("alpha")] == ([expected] if expected else [])


def test_warnings_of_the_fit_are_advice():
    data = X.assign(large=1000 * X["s1"])
    estimator = default_network(hidden_layer_sizes=4, max_iter=3, tol=1e-9, random_state=0)
    model = RegularizedMLPRegressorCV(estimator, n_strengths=3, cv=3)
    with pytest.warns(ConvergenceWarning, match="of the path did not converge") as caught:
        model.fit(data, y)
    words = {str(one.message) for one in caught}
    assert any("['large']" in word for word in words)
    assert words <= {*model.summary().advice}


def test_unfitted():
    with pytest.raises(NotFittedError):
        RegularizedMLPRegressorCV().summary()
