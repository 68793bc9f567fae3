"""Whole paths of wide linear models: scikit-learn's, sparse as dense, compiled or not."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import (
    ElasticNetCV,
    LassoCV,
    MultiTaskElasticNet,
    MultiTaskLassoCV,
    enet_path,
)
from sklearn.model_selection import KFold

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
FINE = {"tol": 1e-13, "max_iter": 10**6}


def linear(**params):
    fixed = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "normalize_y": False}
    return RegularizedMLPRegressor(**fixed, **params)


def wide(n=50, p=200, n_outputs=0, noise=0.5):
    X = RNG.normal(size=(n, p)) + RNG.normal(size=p)
    shape = (6, n_outputs) if n_outputs else 6
    y = X[:, :6] @ RNG.normal(size=shape)
    return X, y + noise * RNG.normal(size=y.shape) + 3.0


def dependent(n=50):
    """Columns that are there twice, with the other sign, and as sums of others."""
    X, y = wide(n, 30)
    return np.hstack([X, X, -X, X[:, 1:] + X[:, :-1]]), y


def words(n=60, p=300):
    """Mostly zeros, with an empty column, a constant one, and one of large values."""
    X = RNG.random((n, p)) * (RNG.random((n, p)) < 0.1)
    X[:, 3], X[:, 4], X[:, 5] = 0.0, 2.0, 1e4 + RNG.normal(size=n)
    return X, X[:, 6:16].sum(1) + 0.1 * RNG.normal(size=n)


def coefs_of(path):
    """(n_strengths, n_features, n_outputs)."""
    return np.array([coefs[0] for coefs in path.coefs])


def path_of(X, y, model=None, **params):
    params = {"param": "l1_per_layer", "eps": 1e-2, "n_strengths": 20, "relaxed": False} | params
    return regularization_path(model or linear(), X, y, **params)


def residual(X, y, path, l1_ratio=1.0):
    """How far each strength's coefficients are from optimality, by the definition."""
    X, y = X - X.mean(0), y.reshape(len(y), -1) - y.mean(0)
    for strength, B in zip(path.strengths, coefs_of(path), strict=True):
        l1, l2 = l1_ratio * strength, (1 - l1_ratio) * strength
        gradient = X.T @ (X @ B - y) / len(X) + l2 * B
        outside = np.maximum(np.abs(gradient) - l1, 0)
        yield np.where(B == 0, outside, np.abs(gradient + l1 * np.sign(B))).max() / strength


@pytest.fixture(params=["1", "0"])
def kernels(request, monkeypatch):
    """With the compiled loops and without."""
    monkeypatch.setenv("SKMLP_KERNELS", request.param)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.02])
def test_wide_path_is_scikit_learn_s(l1_ratio):
    X, y = wide()
    path = path_of(X, y, l1_ratio=l1_ratio)
    alphas, coefs, _ = enet_path(
        X - X.mean(0), y - y.mean(), l1_ratio=l1_ratio, alphas=20, eps=1e-2, **FINE
    )
    assert_allclose(path.strengths[::-1], alphas, rtol=1e-9)
    ours = coefs_of(path)[::-1, :, 0].T
    assert_allclose(ours, coefs, rtol=0, atol=1e-7 * np.abs(coefs).max())
    assert_allclose(path.objective[-1], 0.5 * y.var(), rtol=1e-12)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("eps", [1e-2, 1e-6])
@pytest.mark.parametrize("make", [wide, dependent, words])
def test_solutions_are_optimal_down_to_where_rows_are_interpolated(make, eps):
    X, y = make()
    path = path_of(X, y, eps=eps)
    size = np.abs((X - X.mean(0)).T @ (y - y.mean())).max() / len(X) / path.strengths
    assert (np.fromiter(residual(X, y, path), float) <= 1e-9 * size).all()


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("param, n_outputs", [("l1_per_layer", 0), ("group_l1", 3)])
def test_sparse_x_is_as_dense(param, n_outputs):
    X, y = words()
    if n_outputs:
        y = np.stack([y, -y + RNG.normal(size=len(y)), RNG.normal(size=len(y))], 1)
    weight = RNG.uniform(0.5, 2, len(y))
    dense, csr, csc = (
        path_of(kind(X), y, param=param, sample_weight=weight, n_strengths=8, eps=0.1)
        for kind in (np.asarray, sparse.csr_matrix, sparse.csc_array)
    )
    for other in (csr, csc):
        assert_allclose(other.strengths, dense.strengths, rtol=1e-11)
        assert_array_equal(other.support, dense.support)
        assert_allclose(coefs_of(other), coefs_of(dense), rtol=0, atol=1e-7)
        assert_allclose(other.objective, dense.objective, rtol=1e-9)


def test_wide_sparse_x_is_never_dense():
    """As a dense array it would have 32 MB."""
    X = sparse.random(100, 40_000, density=1e-3, random_state=0, format="csr")
    y = X @ np.r_[np.ones(400), np.zeros(39_600)] + 0.1 * RNG.normal(size=100)
    tracemalloc.start()
    path_of(X, y, n_strengths=3, eps=0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16e6


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("shape", [(40, 120), (120, 40)])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_path_of_several_outputs_is_multi_task_lasso_s(l1_ratio, shape):
    X, y = wide(*shape, n_outputs=3)
    path = path_of(X, y, param="group_l1", l1_ratio=l1_ratio, n_strengths=8)
    for strength, ours in zip(path.strengths[:-1], coefs_of(path), strict=False):
        model = MultiTaskElasticNet(strength, l1_ratio=l1_ratio, tol=1e-12, max_iter=10**6)
        coef = model.fit(X, y).coef_.T
        assert_allclose(ours, coef, rtol=0, atol=2e-6 * np.abs(coef).max())


@pytest.mark.parametrize("n_outputs", [0, 3])
def test_paths_are_the_same_without_compiled_loops(n_outputs, monkeypatch):
    X, y = wide(n_outputs=n_outputs)
    y = (y.T + 5 * X[:, 0]).T
    factor = np.ones(X.shape[1])
    factor[:4] = 0.0, np.inf, 2.0, 0.5
    params = {"param": "group_l1" if n_outputs else "l1_per_layer", "n_strengths": 10}
    model = linear(penalty_factor=factor, positive_weights=not n_outputs)
    compiled = path_of(X, y, model, **params)
    monkeypatch.setenv("SKMLP_KERNELS", "0")
    other = path_of(X, y, model, **params)
    assert_array_equal(compiled.support, other.support)
    assert compiled.support[:, 0].all()
    assert not compiled.support[:, 1].any()
    assert_allclose(coefs_of(compiled), coefs_of(other), rtol=0, atol=1e-7)
    assert_allclose(compiled.objective, other.objective, rtol=1e-12)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-11), (np.float32, 1e-5)])
def test_each_strength_is_that_of_a_fit(dtype, tolerance):
    X, y = wide()
    X = X.astype(dtype)
    path = path_of(X, y, l1_ratio=0.9, n_strengths=6)
    for strength, coefs, model in zip(path.strengths, path.coefs, path.models, strict=True):
        alpha = 0.1 * strength * len(y)
        fit = linear(l1_per_layer=0.9 * strength).set_params(alpha=alpha).fit(X, y)
        assert coefs[0].dtype == dtype
        assert_allclose(coefs[0], fit.coefs_[0], rtol=0, atol=tolerance)
        assert_allclose(model.intercepts_, fit.intercepts_, rtol=tolerance)
        assert_allclose(model.objective_, fit.objective_, rtol=tolerance)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_wide_choices_are_those_of_scikit_learn_s_cv(kind):
    X, y = words()
    X = kind(np.delete(X, 5, 1))
    cv, grid = KFold(4), {"alphas": 15, "eps": 0.05}
    params = {"param": "l1_per_layer", "n_strengths": 15, "eps": 0.05, "cv": cv}
    for l1_ratio in (1.0, 0.5):
        rival = LassoCV if l1_ratio == 1 else ElasticNetCV
        mixed = {} if l1_ratio == 1 else {"l1_ratio": l1_ratio}
        expected = rival(cv=cv, **grid, **mixed, **FINE).fit(X, y)
        ours = RegularizedMLPRegressorCV(linear(), **params, **mixed).fit(X, y)
        assert_allclose(ours.mse_path_[::-1], expected.mse_path_, rtol=1e-6)
        assert_allclose(ours.strength_, expected.alpha_, rtol=1e-9)
        assert_allclose(ours.coefs_[0][:, 0], expected.coef_, rtol=0, atol=1e-7)


def test_wide_choices_of_several_outputs_are_multi_task_lasso_cv_s():
    X, y = wide(40, 80, n_outputs=2)
    expected = MultiTaskLassoCV(cv=KFold(4), alphas=10, eps=0.05, tol=1e-11, max_iter=10**6)
    params = {"n_strengths": 10, "eps": 0.05, "relaxed": False, "cv": KFold(4)}
    ours = RegularizedMLPRegressorCV(linear(), **params).fit(X, y)
    expected.fit(X, y)
    assert_allclose(ours.mse_path_[::-1], expected.mse_path_, rtol=1e-5)
    assert_allclose(ours.coefs_[0].T, expected.coef_, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape, eps", [((40, 120), 1e-2), ((120, 40), 1e-4)])
@pytest.mark.parametrize("n_outputs", [0, 2])
def test_default_paths_end_as_glmnet_s(shape, eps, n_outputs):
    """Of 60 strengths, where .999 of y is explained or the next one explains hardly more."""
    X, y = wide(*shape, n_outputs=n_outputs, noise=0.01)
    param = {"param": "group_l1" if n_outputs else "l1_per_layer", "relaxed": False}
    path = regularization_path(linear(), X, y, n_strengths=60, **param)
    whole = regularization_path(linear(), X, y, n_strengths=60, eps=eps, **param)
    assert_allclose(whole.strengths[0] / whole.strengths[-1], eps, rtol=1e-12)
    left = np.array([((y - m.predict(X)) ** 2).sum() for m in whole.models[::-1]])
    share = 1 - left / ((y - y.mean(0)) ** 2).sum()
    is_end = (share > 0.999) | (np.diff(share, prepend=0.0) < 1e-5 * share)
    ends = np.flatnonzero(is_end & (np.arange(60) >= 4))
    n_kept = ends[0] + 1 if ends.size else 60
    assert_allclose(path.strengths, whole.strengths[60 - n_kept :], rtol=1e-12)
    assert_allclose(coefs_of(path), coefs_of(whole)[60 - n_kept :], rtol=0, atol=1e-9)
    assert n_kept < 60


def test_choices_of_default_paths_are_made_among_their_strengths():
    X, y = wide(noise=0.01)
    params = {"param": "l1_per_layer", "n_strengths": 40, "cv": KFold(4)}
    model = RegularizedMLPRegressorCV(linear(), **params).fit(X, y)
    path = path_of(X, y, n_strengths=40, eps=None)
    assert_array_equal(model.strengths_, path.strengths)
    assert len(path.strengths) < 40
    given = RegularizedMLPRegressorCV(linear(), strengths=path.strengths, **params).fit(X, y)
    assert_array_equal(given.mse_path_, model.mse_path_)
    many = np.geomspace(1e-9, 1, 7) * path.strengths[-1]
    assert_allclose(path_of(X, y, eps=None, strengths=many).strengths, many)
