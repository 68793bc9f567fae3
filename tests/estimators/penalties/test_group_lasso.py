"""Group norms without hidden layers near interpolation: the conditions of optimality, in time."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skmlp import RegularizedMLPRegressor

LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "normalize_y": False}


def near_interpolation(seed, n_outputs):
    """(X, Y, groups, strength): more features than rows, and a tiny strength."""
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(8, 40))
    n_features = int(n_rows * rng.uniform(1.1, 4))
    X = rng.normal(size=(n_rows, n_features))
    Y = X[:, :3] @ rng.normal(size=(3, n_outputs)) + rng.normal(size=(n_rows, n_outputs))
    size = int(rng.integers(1 if n_outputs > 1 else 2, 6))
    groups = [list(range(k, min(k + size, n_features))) for k in range(0, n_features, size)]
    cross = (X - X.mean(0)).T @ (Y - Y.mean(0)) / n_rows
    return X, Y, groups, np.abs(cross).max() * 10 ** rng.uniform(-6, -3)


def excess(model, X, Y, groups, strength, l1):
    """By how much the model violates the conditions of a sparse group lasso."""
    coef, X = model.coefs_[0], X - X.mean(0)
    gradient = X.T @ (X @ coef - (Y - Y.mean(0))) / len(X)
    worst = 0.0
    for members in groups:
        own, slope = coef[members].ravel(), gradient[members].ravel()
        norm, bound = np.linalg.norm(own), strength * np.sqrt(len(members))
        if norm == 0:
            beyond = np.maximum(np.abs(slope) - l1, 0)
            worst = max(worst, np.linalg.norm(beyond) - bound)
            continue
        stationary = np.abs(slope + l1 * np.sign(own) + bound * own / norm)
        zeros = np.maximum(np.abs(slope) - l1, 0)
        worst = max(worst, np.where(own != 0, stationary, zeros).max())
    return worst


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("block", range(3))
def test_conditions_near_interpolation(block, n_outputs, sparse):
    for seed in range(8 * block, 8 * block + 8):
        X, Y, groups, strength = near_interpolation(seed, n_outputs)
        l1 = strength * sparse
        model = RegularizedMLPRegressor(
            **LINEAR, group_l1=strength, l1_per_layer=l1, feature_groups=groups
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            model.fit(X, Y.squeeze())
        assert excess(model, X, Y, groups, strength, l1) < 1e-9 * np.abs(Y).max(), seed
        assert model.n_iter_ <= 60, seed  # of the 200 that are allowed


def test_twin_columns_in_different_groups():
    """F is flat between them: a group leaves all at once, not a little with every step."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 18))
    X = np.hstack([X, X + 1e-6 * rng.normal(size=X.shape)])
    Y = X[:, :4] @ rng.normal(size=(4, 2)) + rng.normal(size=(50, 2))
    groups = [list(range(k, k + 3)) for k in range(0, 36, 3)]
    model = RegularizedMLPRegressor(**LINEAR, group_l1=0.01, l1_per_layer=0.01)
    model.set_params(feature_groups=groups).fit(X, Y)
    assert excess(model, X, Y, groups, 0.01, 0.01) < 1e-9
    assert model.n_iter_ <= 60


def test_more_weights_than_newton_steps_are_for():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 150))
    Y = X @ rng.normal(size=(150, 12)) + rng.normal(size=(60, 12))
    groups = [[k] for k in range(150)]
    model = RegularizedMLPRegressor(**LINEAR, group_l1=0.3).fit(X, Y)
    assert np.count_nonzero(model.coefs_[0]) > 1000
    assert excess(model, X, Y, groups, 0.3, 0.0) < 1e-7


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_no_more_iterations_than_allowed(max_iter):
    X, Y, groups, strength = near_interpolation(3, 1)
    model = RegularizedMLPRegressor(
        **LINEAR, group_l1=strength, feature_groups=groups, max_iter=max_iter
    )
    with pytest.warns(ConvergenceWarning, match=f"after {max_iter} iteration"):
        model.fit(X, Y.squeeze())
    assert model.n_iter_ == max_iter


@pytest.mark.parametrize("max_iter", [1, 3, 200])
def test_iterations_of_a_wide_lasso(max_iter):
    """Its working sets are no iterations."""
    for seed in range(5):
        X, Y, _, strength = near_interpolation(seed, 2)
        model = RegularizedMLPRegressor(**LINEAR, l1_per_layer=strength, max_iter=max_iter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, Y)
        assert 1 <= model.n_iter_ <= max_iter


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
def test_coefficients_that_float32_cannot_hold(param):
    """The certificate is that of the numbers published: rounded, they miss their condition."""
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(50, 6))
    X = np.hstack([basis, basis + 1e-3 * rng.normal(size=basis.shape)]).astype(np.float32)
    Y = (1e3 * (X[:, :6] - X[:, 6:]) @ rng.normal(size=6) + rng.normal(size=50))[:, None]
    Y = Y.astype(np.float32)
    groups = [[2 * k, 2 * k + 1] for k in range(6)] if param == "group_l1" else None
    model = RegularizedMLPRegressor(**LINEAR, **{param: 1e-6}, feature_groups=groups)
    wide = X.astype(float), Y.astype(float)
    conditions = {"groups": groups or [[k] for k in range(12)], "strength": 0.0, "l1": 1e-6}
    if groups:
        conditions |= {"strength": 1e-6, "l1": 0.0}
    size = np.abs((wide[0] - wide[0].mean(0)).T @ (wide[1] - wide[1].mean(0))).max() / 50
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(wide[0], wide[1].ravel())
    assert excess(model, *wide, **conditions) < 1e-9 * size
    with pytest.warns(ConvergenceWarning, match="rounded to float32.*give X as float64"):
        model.fit(X, Y.ravel())
    model.coefs_[0] = model.coefs_[0].astype(float)
    missed = excess(model, *wide, **conditions)
    assert missed > 1e-5 * size
    assert model.optimality_ == pytest.approx(missed, rel=1e-6)
