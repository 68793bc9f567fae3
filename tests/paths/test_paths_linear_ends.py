"""Ends of paths without hidden layers, paths of L2 alone, and what lies between strengths."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskElasticNet, Ridge, lars_path
from sklearn.model_selection import KFold

from skmlp import (
    CVPathDisplay,
    RegularizationPathDisplay,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)


def linear(**params):
    fixed = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "random_state": 0}
    return RegularizedMLPRegressor(**{**fixed, **params})


def counts(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 8))
    return X, rng.poisson(np.exp(0.5 * X[:, 0] + 0.3 * X[:, 1])).astype(float)


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("seed", [2, 4, 6, 8])
def test_poisson_path_ends_at_the_constant_model(seed, param):
    """At max_j |mean x_j (y - mean y)|, in units of the mean of y."""
    X, y = counts(seed)
    settings = {"param": param, "n_strengths": 4, "eps": 0.1, "relaxed": False}
    path = regularization_path(linear(loss="poisson"), X, y, **settings)
    end = np.abs(X.T @ (y - y.mean())).max() / len(y) / y.mean()
    assert path.strengths[-1] == pytest.approx(end, rel=1e-9)
    assert path.n_features[-1] == 0
    assert_allclose(path.models[-1].predict(X), y.mean(), rtol=1e-12)
    assert path.n_features[0] > 0


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_iteration_limit_that_leaves_nothing_is_no_minimum(solver):
    """Y is X B: far from the end of the path all features are in the minimum."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 25))
    Y = X @ rng.normal(size=(25, 2))
    model = linear(solver=solver, max_iter=1, tol=0.0, random_state=0)
    message = "fits of the path did not converge"
    settings = {"n_strengths": 4, "eps": 1e-2, "adaptive": False, "relaxed": False}
    with pytest.warns(ConvergenceWarning, match=message):
        path = regularization_path(model, X, Y, **settings)
    with pytest.warns(ConvergenceWarning, match=message):
        RegularizedMLPRegressorCV(model, cv=2, **settings).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match=message):
        alone = regularization_path(model, X, Y, strengths=path.strengths[:1], relaxed=False)
    assert alone.optimality[0] > 1e-6


# L2 alone


RIDGE_DATA = {"long": (60, 8, 1), "wide": (25, 40, 1), "two outputs": (50, 6, 2)}


def ridge_data(name):
    n, p, n_outputs = RIDGE_DATA[name]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    y = X[:, :n_outputs] * 3 + X[:, [2]] + rng.normal(size=(n, n_outputs))
    return X, y[:, 0] if n_outputs == 1 else y


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("name", RIDGE_DATA)
def test_path_of_l2_alone_is_ridge(name, param):
    """From glmnet's largest strength on: that at which an elastic net of alpha .001 would end."""
    X, y = ridge_data(name)
    model = linear(normalize_y=False)
    path = regularization_path(model, X, y, param=param, l1_ratio=0, n_strengths=6, relaxed=False)
    cross = np.abs((X - X.mean(0)).T @ (y - y.mean(0)).reshape(len(y), -1)) / len(y)
    end = np.linalg.norm(cross, axis=1) if param == "group_l1" else cross
    assert path.strengths[-1] == pytest.approx(1000 * end.max(), rel=1e-9)
    assert path.strengths[0] == pytest.approx(end.max(), rel=1e-9)
    for strength, at in zip(path.strengths, path.models, strict=True):
        ridge = Ridge(alpha=len(y) * strength, solver="svd").fit(X, y)
        assert_allclose(at.coefs_[0], ridge.coef_.reshape(-1, X.shape[1]).T, rtol=1e-8)
        assert at.alpha == pytest.approx(len(y) * strength)
    assert path.support.all()
    assert (path.n_features == X.shape[1]).all()


def test_path_of_l2_alone_with_weights_factors_and_limits():
    X, y = ridge_data("long")
    weight = np.resize([1.0, 2.0, 0.5], len(y))
    factor = np.r_[0.0, np.inf, np.full(6, 4.0)]
    model = linear(normalize_y=False, penalty_factor=factor, upper_limits=np.r_[[np.inf] * 7, 0.05])
    path = regularization_path(
        model, X, y, l1_ratio=0, n_strengths=4, sample_weight=weight, relaxed=False
    )
    own = path.models[1]
    alone = linear(normalize_y=False, alpha=path.strengths[1] * weight.sum())
    alone.set_params(penalty_factor=factor, upper_limits=model.upper_limits).fit(X, y, weight)
    assert_allclose(own.coefs_[0], alone.coefs_[0], rtol=1e-9)
    assert_array_equal(path.support, np.broadcast_to(factor < np.inf, path.support.shape))


def test_l2_moves_beside_a_group_penalty_that_stays():
    X, y = ridge_data("two outputs")
    model = linear(group_l1=0.3, normalize_y=False)
    path = regularization_path(
        model, X, y, param="l1_per_layer", l1_ratio=0, strengths=[0.1, 1.0], relaxed=False
    )
    for strength, at in zip(path.strengths, path.models, strict=True):
        net = MultiTaskElasticNet(tol=1e-12, max_iter=10**5)
        net.set_params(alpha=0.3 + strength, l1_ratio=0.3 / (0.3 + strength)).fit(X, y)
        assert_allclose(at.coefs_[0], net.coef_.T, atol=1e-7)


@pytest.mark.parametrize("name", ["long", "two outputs"])
def test_errors_of_l2_alone_are_those_of_ridge(name):
    X, y = ridge_data(name)
    strengths = np.geomspace(1e-3, 10, 7)
    found = RegularizedMLPRegressorCV(
        linear(normalize_y=False), strengths=strengths, l1_ratio=0.0, cv=KFold(4)
    ).fit(X, y)
    for k, (rows, others) in enumerate(KFold(4).split(X)):
        for s, strength in enumerate(strengths):
            ridge = Ridge(alpha=strength * len(rows)).fit(X[rows], y[rows])
            error = np.mean((ridge.predict(X[others]) - y[others]) ** 2)
            assert found.mse_path_[s, k] == pytest.approx(error, rel=1e-7)
    best = strengths[found.mse_path_.mean(1).argmin()]
    assert found.strength_ == best
    assert not found.relaxed_
    ridge = Ridge(alpha=best * len(y)).fit(X, y)
    assert_allclose(found.predict(X), ridge.predict(X), rtol=1e-7)
    assert (found.n_features_path_ == X.shape[1]).all()
    frame = found.to_frame()
    assert (frame["n_features"] == X.shape[1]).all()


def test_l2_alone_among_several_shares():
    X, y = ridge_data("wide")
    params = {"n_strengths": 8, "eps": 1e-3, "cv": KFold(4)}
    several = RegularizedMLPRegressorCV(linear(), l1_ratio=[0, 0.5, 1], **params).fit(X, y)
    single = [RegularizedMLPRegressorCV(linear(), l1_ratio=r, **params) for r in (0, 0.5, 1)]
    best = min((model.fit(X, y) for model in single), key=lambda model: model.mse_)
    assert several.l1_ratio_ == best.l1_ratio
    assert several.mse_ == best.mse_
    dense = RegularizedMLPRegressorCV(linear(), l1_ratio=[0, 0.5, 1], **params).fit(X, X.sum(1))
    assert dense.l1_ratio_ == 0


def test_l2_alone_is_said_and_drawn(capsys):
    X, y = ridge_data("long")
    params = {"l1_ratio": 0, "n_strengths": 3, "verbose": True}
    found = RegularizedMLPRegressorCV(linear(), cv=3, selection="1se", **params).fit(X, y)
    assert "8 features" in capsys.readouterr().out
    assert "8 to 8 of 8 features" in repr(found.path_)
    assert len(CVPathDisplay.from_estimator(found).ax_.lines) > 0
    assert len(RegularizationPathDisplay.from_estimator(found).ax_.lines) > 0


def test_l2_alone_has_no_zeros_to_weigh_or_to_select():
    X, y = ridge_data("long")
    with pytest.raises(ValueError, match=r"adaptive=True weighs .* l1_ratio=0"):
        regularization_path(linear(), X, y, l1_ratio=0, adaptive=True)
    with pytest.raises(ValueError, match=r"'l1_ratio' parameter .* Got 0"):
        stability_selection(linear(), X, y, l1_ratio=0)
    with pytest.raises(ValueError, match=r"l1_ratio=0 is a path of L2 alone.*50"):
        RegularizedMLPRegressorCV(l1_ratio=[1, 0]).fit(X, y)


# Between strengths


@pytest.mark.parametrize("name", RIDGE_DATA)
def test_coefficients_between_strengths_are_interpolated(name):
    X, y = ridge_data(name)
    path = regularization_path(linear(), X, y, n_strengths=5, eps=0.1)
    below, above = path.strengths[2:4]
    for share in (0.0, 0.25, 1.0):
        strength = (1 - share) * below + share * above
        coef, intercept = (
            (1 - share) * low[0] + share * high[0]
            for low, high in (path.coefs[2:4], path.intercepts[2:4])
        )
        assert_allclose(path.coef_at(strength), coef, rtol=1e-12)
        assert_allclose(path.intercept_at(strength), intercept, rtol=1e-12, atol=1e-15)
        predicted = path.predict(X, strength)
        assert predicted.shape == y.shape
        assert_allclose(predicted, (X @ coef + intercept).reshape(y.shape), rtol=1e-10)
    assert_array_equal(path.predict(X, path.strengths[0]), path.models[0].predict(X))


def test_between_the_knots_of_a_lasso_interpolation_is_exact():
    X, y = ridge_data("long")
    knots = lars_path(X - X.mean(0), y - y.mean(), method="lasso")[0]
    path = regularization_path(linear(normalize_y=False), X, y, strengths=knots[:-1])
    for strength in knots[1:] * 0.3 + knots[:-1] * 0.7:
        if strength > path.strengths[0]:
            exact = linear(normalize_y=False, l1_per_layer=strength).fit(X, y)
            assert_allclose(path.coef_at(strength), exact.coefs_[0], atol=1e-9)
            assert_allclose(path.intercept_at(strength), exact.intercepts_[0], atol=1e-9)


def test_predictions_between_strengths_of_counts_are_interpolated_before_the_link():
    X, y = counts(2)
    path = regularization_path(linear(loss="poisson"), X, y, n_strengths=4, eps=0.1)
    middle = path.strengths[1:3].mean()
    ends = [path.predict(X, strength) for strength in path.strengths[1:3]]
    assert_allclose(path.predict(X, middle), np.sqrt(ends[0] * ends[1]), rtol=1e-9)


def test_cross_validation_predicts_between_strengths():
    X, y = ridge_data("long")
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    found = RegularizedMLPRegressorCV(linear(), n_strengths=6, cv=3).fit(frame, y)
    strength = found.strengths_[2:4].mean()
    ends = [found.predict(frame, strength=s) for s in found.strengths_[2:4]]
    assert_allclose(found.predict(frame, strength=strength), np.mean(ends, 0), rtol=1e-10)
    assert_array_equal(
        found.path_.predict(frame, strength), found.predict(frame, strength=strength)
    )
    with pytest.raises(ValueError, match="feature names"):
        found.path_.predict(frame[list("hgfedcba")], strength)


@pytest.mark.parametrize("strength", [1e9, 1e-9, np.nan, "0.1", None])
def test_strengths_outside_of_the_path(strength):
    X, y = ridge_data("long")
    path = regularization_path(linear(), X, y, n_strengths=3)
    for call in (path.coef_at, path.intercept_at, lambda s: path.predict(X, s)):
        with pytest.raises(
            ValueError, match=r"strength must be within the path's, 3 .*, got"
        ) as error:
            call(strength)
        assert repr(strength) in str(error.value)


def test_networks_have_no_coefficients_between_strengths():
    X, y = ridge_data("long")
    network = linear(hidden_layer_sizes=4, alpha=1.0, tol=1e-2)
    path = regularization_path(network, X, y, strengths=[0.1, 0.2], adaptive=False, relaxed=False)
    with pytest.raises(ValueError, match=r"those of linear models .*: models has the networks"):
        path.coef_at(0.1)
    with pytest.raises(ValueError, match=r"one of the path's, .*0\.1.*0\.2.*, got 0.15"):
        path.predict(X, 0.15)
    assert_array_equal(path.predict(X, 0.2), path.models[1].predict(X))
