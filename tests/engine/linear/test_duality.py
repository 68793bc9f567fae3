"""The duality gap equals that of scikit-learn's coordinate descent, before its end and at it."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import lsq_linear
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, MultiTaskElasticNet

from skmlp import RegularizedMLPRegressor, regularization_path
from skmlp.engine.linear.duality import Segments, Squares, dual_gap, gap_of_l1
from skmlp.engine.penalty.group_norms import Groups
from skmlp.engine.penalty.prox import PenaltyNumbers

LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "normalize_y": False, "random_state": 0}


def data(n_outputs=1, n=50, p=12):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1)) + 1.0
    Y = (
        X[:, :n_outputs] * 2
        - X[:, [3]]
        + X[:, 5:].sum(1, keepdims=True)
        + 3.0
        + rng.normal(size=(n, n_outputs))
    )
    return X, Y[:, 0] if n_outputs == 1 else Y, rng.uniform(0.5, 2, n)


def gap_of(X, y, coef, l1, l2, lower=-np.inf, upper=np.inf, weight=None, strength=None):
    """The gap at coefficients (p, q), from sums over rows."""
    share = np.full(len(X), 1 / len(X)) if weight is None else weight / weight.sum()
    X = X - share @ X
    y = y.reshape(len(X), -1) - share @ y.reshape(len(X), -1)
    residual = y - X @ coef
    squares = Squares(
        *((share @ (a * b)) for a, b in ((y, y), (y, residual), (residual, residual)))
    )
    gradient = -X.T @ (share[:, None] * residual) + l2 * coef
    numbers = [np.broadcast_to(value, coef.size).astype(float) for value in (l1, l2, lower, upper)]
    groups = None
    if strength is not None:
        groups = Groups(np.full(len(coef), strength), np.arange(len(coef)), coef.shape[1])
    return dual_gap(PenaltyNumbers(*numbers, groups), coef, gradient, squares)


def after(reference, n_iter, *arrays):
    """scikit-learn's model after some iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        return reference.set_params(max_iter=n_iter, tol=1e-15).fit(*arrays)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1, l2", [(0.1, 0.0), (0.05, 0.3)])
@pytest.mark.parametrize("n_iter", [1, 2])
def test_gap_of_an_elastic_net_on_its_way(n_iter, l1, l2, positive, weighted):
    X, y, weight = data()
    weight = weight if weighted else None
    reference = ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), positive=positive)
    after(reference, n_iter, X, y, weight)
    lower = 0.0 if positive else -np.inf
    gap = gap_of(X, y, reference.coef_[:, None], l1, l2, lower=lower, weight=weight)
    assert gap.shape == (1,)
    assert reference.dual_gap_ > 1e-4
    assert_allclose(gap[0], reference.dual_gap_, rtol=1e-9)


def test_gap_of_l2_alone_on_its_way():
    X, y, _ = data()
    reference = after(ElasticNet(alpha=0.3, l1_ratio=0.0), 2, X, y)
    gap = gap_of(X, y, reference.coef_[:, None], 0.0, 0.3)
    assert_allclose(gap[0], reference.dual_gap_, rtol=1e-9)


@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_gap_of_norms_over_outputs_on_its_way(l2):
    X, Y, _ = data(3)
    reference = MultiTaskElasticNet(alpha=0.2 + l2, l1_ratio=0.2 / (0.2 + l2))
    after(reference, 2, X, Y)
    gap = gap_of(X, Y, reference.coef_.T, 0.0, l2, strength=0.2)
    assert gap.shape == (1,)
    assert reference.dual_gap_ > 1e-4
    assert_allclose(gap[0], reference.dual_gap_, rtol=1e-9)


@pytest.mark.parametrize("l1", [0.0, 0.05])
def test_gap_within_limits_bounds_what_is_left(l1):
    """F less its minimum is at most the gap, which falls to rounding at the minimum."""
    X, y, _ = data()
    l2, limits = 0.1, {"lower": -0.2, "upper": np.resize([0.5, 1.0, np.inf], 12)}
    model = RegularizedMLPRegressor(**LINEAR, l1_per_layer=l1, alpha=l2 * len(y))
    model.set_params(lower_limits=-0.2, upper_limits=limits["upper"]).fit(X, y)
    rng = np.random.default_rng(1)
    for size in (1.0, 0.1, 1e-3):
        coef = model.coefs_[0] + size * rng.normal(size=(12, 1))
        coef = np.clip(coef, -0.2, limits["upper"][:, None])
        residual = y - y.mean() - (X - X.mean(0)) @ coef[:, 0]
        objective = 0.5 * np.mean(residual**2) + l1 * np.abs(coef).sum() + l2 / 2 * (coef**2).sum()
        gap = gap_of(X, y, coef, l1, l2, **limits)[0]
        assert objective - model.objective_ <= gap * (1 + 1e-9)
        assert gap < 100 * size
    assert abs(model.dual_gap_) < 1e-13


# As an attribute


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_attribute_of_a_lasso_is_rounding_as_scikit_learns(weighted, fit_intercept):
    X, y, weight = data()
    weight = weight if weighted else None
    reference = ElasticNet(alpha=0.1, l1_ratio=0.7, fit_intercept=fit_intercept)
    after(reference, 10**5, X, y, weight)
    total = len(y) if weight is None else weight.sum()
    model = RegularizedMLPRegressor(**LINEAR, l1_per_layer=0.07, alpha=0.03 * total)
    model.set_params(fit_intercept=fit_intercept).fit(X, y, weight)
    assert isinstance(model.dual_gap_, float)
    assert model.dual_gap_ == pytest.approx(reference.dual_gap_, abs=1e-13 * np.mean(y**2))


def test_attribute_counts_outputs_as_the_penalty_does():
    X, Y, _ = data(3)
    lasso = RegularizedMLPRegressor(**LINEAR, l1_per_layer=0.1, alpha=0).fit(X, Y)
    assert lasso.dual_gap_.shape == (3,)
    assert_allclose(lasso.dual_gap_, 0, atol=1e-13)
    groups = RegularizedMLPRegressor(**LINEAR, group_l1=0.1, alpha=0).fit(X, Y)
    assert isinstance(groups.dual_gap_, float)
    assert abs(groups.dual_gap_) < 1e-8


def test_attribute_is_that_of_factors_and_paths():
    X, y, _ = data()
    factor = np.resize([0.0, 1.0, 2.0, np.inf], 12)
    model = RegularizedMLPRegressor(**LINEAR, alpha=0, penalty_factor=factor)
    path = regularization_path(model, X, y, n_strengths=4, relaxed=False)
    assert_allclose([at.dual_gap_ for at in path.models], 0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "params",
    [
        {"hidden_layer_sizes": (3,)},
        {"loss": "poisson"},
        {"solver": "adam", "max_iter": 3},
        {"l1_per_layer": 0.0},
        {"group_l1": 0.1, "feature_groups": [[0, 1]]},
    ],
    ids=str,
)
def test_there_is_none_elsewhere(params):
    X, y, _ = data()
    model = RegularizedMLPRegressor(**{**LINEAR, "l1_per_layer": 0.1, "alpha": 0.0, **params})
    before = RegularizedMLPRegressor(**LINEAR, l1_per_layer=0.1).fit(X, np.abs(y))
    assert before.dual_gap_ == pytest.approx(0, abs=1e-13)
    before.set_params(**model.get_params()).fit(X, np.abs(y))
    assert not hasattr(before, "dual_gap_")


def test_bounded_least_squares_have_none():
    X, y, _ = data()
    model = RegularizedMLPRegressor(**LINEAR, alpha=0, lower_limits=-0.1).fit(X, y)
    expected = lsq_linear(X - X.mean(0), y - y.mean(), (-0.1, np.inf), method="bvls").x
    assert_allclose(model.coefs_[0][:, 0], expected, atol=1e-9)
    assert not hasattr(model, "dual_gap_")


def test_gaps_of_segments_are_those_of_columns():
    """Of an output without numbers, too."""
    rng = np.random.default_rng(0)
    coef, gradient = rng.normal(size=(2, 5, 3))
    upper = np.where(rng.random((5, 3)) < 0.3, 1.0, np.inf)
    numbers = [rng.uniform(0.1, 1, (5, 3)), rng.random((5, 3)), np.full((5, 3), -np.inf), upper]
    squares = Squares(*rng.uniform(1, 2, (3, 3)))
    columns = gap_of_l1(numbers, coef, gradient, squares)
    nothing = Squares(*(np.append(square, 1.0) for square in squares))
    flat = [values.T.ravel() for values in (*numbers, coef, gradient)]
    gaps = gap_of_l1(flat[:4], *flat[4:], nothing, Segments.of_sizes([5, 5, 5, 0]))
    assert_allclose(gaps[:3], columns, rtol=1e-12)
    assert gaps[3] == pytest.approx(0.5 * (1 + 1) * 1.0 - 1.0, abs=1e-15)
