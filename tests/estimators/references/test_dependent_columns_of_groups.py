"""Groups of outputs and of columns where columns depend on each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import (
    MultiTaskElasticNet,
    MultiTaskLasso,
)
from support.dependent_columns import DESIGNS, EXACT, fitted, largest_l1, problem


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("name", DESIGNS)
def test_groups_of_outputs_are_multi_task_models(name, l1_ratio):
    """At the default tolerance."""
    X, Y = problem(name, n_outputs=3)
    alpha = 0.05 * largest_l1(X, Y)
    params = {"group_l1": alpha * l1_ratio, "alpha": alpha * (1 - l1_ratio) * len(X)}
    model = fitted(X, Y, **params)
    reference = MultiTaskElasticNet(alpha, l1_ratio=l1_ratio, **EXACT).fit(X, Y)

    def value(coef, intercept):
        residual = Y - X @ coef - intercept
        l2 = 0.5 * alpha * (1 - l1_ratio) * (coef**2).sum()
        return (
            0.5 * (residual**2).sum() / len(X)
            + l2
            + params["group_l1"] * np.sqrt((coef**2).sum(1)).sum()
        )

    ours = value(model.coefs_[0], model.intercepts_[0])
    assert ours <= value(reference.coef_.T, reference.intercept_) * (1 + 1e-8)
    assert model.objective_ == pytest.approx(ours, rel=1e-9)
    if l1_ratio < 1:
        assert_allclose(model.coefs_[0], reference.coef_.T, rtol=0, atol=1e-5)


def test_multi_task_lasso_at_the_default_tolerance():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 15)) * np.geomspace(0.1, 10, 15)
    Y = X[:, :4] @ rng.normal(size=(4, 3)) + rng.normal(size=(60, 3))
    for share in (0.5, 0.05, 0.005):
        alpha = share * np.linalg.norm((X - X.mean(0)).T @ (Y - Y.mean(0)), axis=1).max() / 60
        coef = fitted(X, Y, group_l1=alpha).coefs_[0]
        reference = MultiTaskLasso(alpha, **EXACT).fit(X, Y)
        assert_allclose(coef, reference.coef_.T, rtol=0, atol=1e-8 * np.abs(coef).max())
        assert_array_equal(coef.any(1), reference.coef_.any(0))


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_conditions_of_a_group_lasso(n_outputs, positive):
    """Of groups of features, one excluded column and one unpenalised group among them."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(40, 60)) * np.repeat(np.exp(rng.normal(size=12)), 5)
    Y = X @ rng.normal(size=(60, n_outputs)) + rng.normal(size=(40, n_outputs))
    groups = [list(range(k, k + 5)) for k in range(0, 60, 5)]
    factor = np.repeat([0.0, *np.ones(11)], 5)
    factor[7] = np.inf
    strength = 0.1 * largest_l1(X, Y)
    model = fitted(
        X,
        Y.squeeze(),
        group_l1=strength,
        feature_groups=groups,
        penalty_factor=factor,
        positive_weights=positive,
        max_iter=5000,
    )
    coef, centred = model.coefs_[0], X - X.mean(0)
    gradient = centred.T @ (centred @ coef - (Y - Y.mean(0))) / 40
    assert_array_equal(coef[7], 0)
    in_use = 0
    for k, members in enumerate(groups):
        members = np.setdiff1d(members, [7])
        own, slope = coef[members], gradient[members]
        if positive:
            slope = np.where(own == 0, np.minimum(slope, 0), slope)
        bound = strength * np.sqrt(len(members)) * (k > 0)
        norm = np.linalg.norm(own)
        in_use += norm > 0
        if norm > 0:
            assert_allclose(slope, -bound * own / norm, rtol=0, atol=1e-8)
        else:
            assert np.linalg.norm(slope) <= bound + 1e-8
    assert 0 < in_use < 12
