"""Linear classifiers: LogisticRegression's coefficients, and the end of the path in closed form."""

import inspect

import numpy as np
import pytest
from classes import classifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from skmlp import regularization_path

RNG = np.random.default_rng(1)
N = 150
X = RNG.normal(size=(N, 6)) @ (np.eye(6) + 0.3 * RNG.normal(size=(6, 6)))
SIGNAL = np.column_stack([X[:, 0], X[:, 1] - X[:, 2], 0.5 * X[:, 3]])
TARGETS = {
    "binary": X[:, 0] - X[:, 1] + RNG.logistic(size=N) > 0,
    "multinomial": (SIGNAL + RNG.gumbel(size=(N, 3))).argmax(1),
}
WEIGHT = RNG.uniform(0.2, 3, N)
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "tol": 1e-10}
LINEAR |= {"max_iter": 20000}
C = 0.3
SHARES = {"l2": 0.0, "l1": 1.0, "elastic net": 0.6}
HAS_PENALTY = inspect.signature(LogisticRegression).parameters["l1_ratio"].default is None


def reference(l1_ratio, **params):
    """scikit-learn's, to the end of its accuracy; before 1.8 the penalty had a name of its own."""
    solver = "lbfgs" if l1_ratio == 0 else "saga"
    params = {"solver": solver, "tol": 1e-12, "max_iter": 100_000, **params}
    if HAS_PENALTY and l1_ratio > 0:
        params["penalty"] = "elasticnet"
    if l1_ratio > 0:
        params["l1_ratio"] = l1_ratio
    return LogisticRegression(**params)


def assert_equal_coefs(model, theirs, rtol=1e-6):
    size = np.abs(theirs.coef_).max()
    assert_allclose(model.coefs_[0].T, theirs.coef_, rtol=0, atol=rtol * size)
    output, expected = model.decision_function(X), theirs.decision_function(X)
    if output.ndim == 2:  # but for a constant of each row
        output, expected = (f - f.mean(1, keepdims=True) for f in (output, expected))
    assert_allclose(output, expected, rtol=0, atol=10 * rtol * np.abs(expected).max())


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("penalty", SHARES)
@pytest.mark.parametrize("kind", TARGETS)
def test_penalised_coefficients_are_logistic_regressions(kind, penalty, weight):
    y, share, total = TARGETS[kind], SHARES[penalty], N if weight is None else weight.sum()
    strengths = {"alpha": (1 - share) / C, "l1_per_layer": share / (C * total)}
    model = classifier(**{**LINEAR, **strengths}).fit(X, y, weight)
    theirs = reference(share, C=C).fit(X, y, weight)
    assert_equal_coefs(model, theirs)
    assert_array_equal(model.coefs_[0].T != 0, theirs.coef_ != 0)
    assert model.optimality_ < 1e-8


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("kind", TARGETS)
def test_unpenalised_coefficients_are_logistic_regressions(kind, weight):
    """Of several classes but for what all have in common, which changes no probability."""
    model = classifier(**LINEAR).fit(X, TARGETS[kind], weight)
    theirs = reference(0.0, C=np.inf, tol=1e-10).fit(X, TARGETS[kind], weight)
    if kind == "multinomial":
        model.coefs_[0] = model.coefs_[0] - model.coefs_[0].mean(1, keepdims=True)
        theirs.coef_ = theirs.coef_ - theirs.coef_.mean(0)
    assert_equal_coefs(model, theirs)


def test_class_weights_are_logistic_regressions():
    y = TARGETS["multinomial"]
    for class_weight in ("balanced", {0: 3.0, 2: 0.2}):
        model = classifier(**{**LINEAR, "alpha": 1 / C}, class_weight=class_weight).fit(X, y)
        theirs = reference(0.0, C=C, class_weight=class_weight).fit(X, y)
        assert_equal_coefs(model, theirs)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("kind", TARGETS)
def test_stochastic_solvers_close_at_the_same_minimum(kind, solver):
    params = {**LINEAR, "l1_per_layer": 0.02, "tol": 1e-7}
    exact = classifier(**params).fit(X, TARGETS[kind])
    params |= {"solver": solver, "learning_rate_init": 0.02, "max_iter": 300}
    model = classifier(**params, n_iter_no_change=np.inf).fit(X, TARGETS[kind])
    assert_allclose(model.coefs_[0], exact.coefs_[0], atol=1e-4)
    assert_array_equal(model.get_support(), exact.get_support())


@pytest.mark.parametrize("param", ["l1_per_layer", "group_l1"])
@pytest.mark.parametrize("kind", TARGETS)
def test_path_ends_at_the_largest_gradient_of_the_shares_alone(kind, param):
    """max_j |X_j' (y - share)| / S over outputs, or the norm of them for a group."""
    y = np.eye(3)[TARGETS[kind]] if kind == "multinomial" else TARGETS[kind][:, None] * 1.0
    weight = WEIGHT / WEIGHT.sum()
    gradient = X.T @ (weight[:, None] * (y - weight @ y))
    order = np.inf if param == "l1_per_layer" else 2
    expected = np.linalg.norm(gradient, ord=order, axis=1).max()
    path = regularization_path(
        classifier(**LINEAR), X, TARGETS[kind], param=param, n_strengths=3, sample_weight=WEIGHT,
        relaxed=False,
    )  # fmt: skip
    assert path.strengths[-1] == pytest.approx(expected, rel=1e-9)
    assert path.n_features[-1] == 0
    for share, is_left in [(0.999, True), (1.001, False)]:
        model = classifier(**{**LINEAR, param: share * expected}).fit(X, TARGETS[kind], WEIGHT)
        assert model.get_support().any() == is_left
