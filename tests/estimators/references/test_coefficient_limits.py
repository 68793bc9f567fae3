"""Coefficients within limits: equal to scipy's bounded least squares, and optimal by conditions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import lsq_linear, minimize
from sklearn.base import clone
from sklearn.linear_model import ElasticNet, Lasso
from support.draws import begin_again
from support.linear_models import assert_same_solution, linear

RNG = np.random.default_rng(0)
INF = np.inf


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)


def drawn(n, p, correlation=0.0):
    """X (n, p) of columns that share a part, and y of a third of them."""
    X = np.sqrt(1 - correlation) * RNG.normal(size=(n, p)) + 1.0
    X += np.sqrt(correlation) * RNG.normal(size=(n, 1))
    return X, X[:, ::3] @ RNG.normal(size=-(-p // 3)) + RNG.normal(size=n)


SHAPES = {"long": (80, 12, 0.0), "correlated": (60, 25, 0.9), "wide": (30, 60, 0.3)}
BOXES = {
    "box": (-0.3, 0.4),
    "lower": (-0.1, None),
    "upper and sign": (0.0, 0.2),
    "one each": (
        lambda p: np.resize([-INF, -0.2, 0.0, -0.5], p),
        lambda p: np.resize([0.1, INF, 0.3], p),
    ),
}


def box(name, p):
    """The parameters of a model and the arrays (p,) of limits."""
    given = [limit(p) if callable(limit) else limit for limit in BOXES[name]]
    lower, upper = (
        np.full(p, none) if limit is None else np.broadcast_to(limit, p).astype(float)
        for limit, none in zip(given, (-INF, INF), strict=True)
    )
    return dict(zip(("lower_limits", "upper_limits"), given, strict=True)), lower, upper


def split_least_squares(X, y, l1, l2, lower, upper):
    """The elastic net within limits as bounded least squares in positive and negative parts.

    1/(2n) |y - X(u - v)|^2 + l1 sum(u + v) + l2/2 |u|^2 + l2/2 |v|^2: of an optimum one part is
    zero. The linear term is completed to a square on the rows of the ridge.
    """
    n, p = X.shape
    widths = np.concatenate([upper, -lower])
    used = np.flatnonzero(widths > 0)
    A = np.vstack([np.hstack([X, -X])[:, used] / np.sqrt(n), np.sqrt(l2) * np.eye(used.size)])
    b = np.concatenate([y / np.sqrt(n), np.full(used.size, -l1 / np.sqrt(l2))])
    bounds, parts = (np.zeros(used.size), widths[used]), np.zeros(2 * p)
    parts[used] = lsq_linear(A, b, bounds, method="bvls", tol=1e-15, max_iter=5000).x
    return parts[:p] - parts[p:]


def conditions(model, X, y, l1, l2, lower, upper, weight=None):
    """The largest slope along which a coefficient could still lower F, relative to the largest."""
    b = model.coefs_[0][:, 0]
    share = np.full(len(y), 1 / len(y)) if weight is None else weight / weight.sum()
    gradient = X.T @ (share * (model.predict(X) - y)) + l2 * b
    rising, falling = (
        gradient + l1 * np.where(b >= 0, 1, -1),
        gradient + l1 * np.where(b > 0, 1, -1),
    )
    near = 1e-12 * np.abs(b)
    slopes = np.where(b < upper - near, -rising, 0), np.where(b > lower + near, falling, 0)
    return np.max(slopes) / np.abs(X.T @ (share * (y - np.average(y, weights=share)))).max()


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("limits", BOXES)
def test_equals_bounded_least_squares(limits, fit_intercept):
    X, y = drawn(*SHAPES["long"])
    params, lower, upper = box(limits, X.shape[1])
    mean = X.mean(0) * fit_intercept
    centred = y - y.mean() * fit_intercept
    bounds = lower, np.maximum(upper, lower + 1e-300)
    coef = lsq_linear(X - mean, centred, bounds, method="bvls", tol=1e-15).x
    model = linear(fit_intercept=fit_intercept, **params).fit(X, y)
    assert_allclose(model.coefs_[0][:, 0], coef, atol=1e-9)
    assert_allclose(model.intercepts_[0], (y.mean() - X.mean(0) @ coef) * fit_intercept, atol=1e-9)
    assert ((coef == lower) | (coef == upper)).any()


@pytest.mark.parametrize("limits", BOXES)
@pytest.mark.parametrize("name", SHAPES)
def test_elastic_net_within_limits(name, limits):
    X, y = drawn(*SHAPES[name])
    params, lower, upper = box(limits, X.shape[1])
    coef = split_least_squares(X - X.mean(0), y - y.mean(), 0.05, 0.1, lower, upper)
    model = linear(0.05, 0.1, len(y), **params).fit(X, y)
    assert_allclose(model.coefs_[0][:, 0], coef, atol=1e-7)
    assert conditions(model, X, y, 0.05, 0.1, lower, upper) < 1e-10
    assert model.optimality_ < 1e-9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("l1", [1e-3, 0.05, 0.3])
@pytest.mark.parametrize("limits", BOXES)
@pytest.mark.parametrize("name", SHAPES)
def test_lasso_within_limits_is_optimal(name, limits, l1):
    X, y = drawn(*SHAPES[name])
    weight = RNG.uniform(0.5, 2, len(y))
    params, lower, upper = box(limits, X.shape[1])
    model = linear(l1, **params).fit(X, y, weight)
    coef = model.coefs_[0][:, 0]
    assert (lower <= coef).all()
    assert (coef <= upper).all()
    assert conditions(model, X, y, l1, 0.0, lower, upper, weight) < 1e-9


def test_limits_that_do_not_act_change_nothing():
    X, y = drawn(*SHAPES["wide"])
    plain = linear(0.1).fit(X, y)
    model = linear(0.1, lower_limits=-100.0, upper_limits=100.0).fit(X, y)
    assert_same_solution(model, plain.coefs_[0], plain.intercepts_[0])
    infinite = linear(0.1, lower_limits=-INF, upper_limits=INF).fit(X, y)
    assert_array_equal(infinite.coefs_[0], plain.coefs_[0])


def test_signs_are_those_of_positive_weights():
    X, y = drawn(*SHAPES["wide"])
    reference = linear(0.05, positive_weights=True).fit(X, y)
    model = linear(0.05, lower_limits=0.0).fit(X, y)
    assert_array_equal(model.coefs_[0], reference.coefs_[0])
    turned = linear(0.05, upper_limits=0.0).fit(-X, y)
    assert_allclose(turned.coefs_[0], -reference.coefs_[0], atol=1e-12)
    both = linear(0.05, positive_weights=True, upper_limits=0.1).fit(X, y)
    alone = linear(0.05, lower_limits=0.0, upper_limits=0.1).fit(X, y)
    assert_array_equal(both.coefs_[0], alone.coefs_[0])


def test_limits_of_zero_exclude():
    X, y = drawn(*SHAPES["long"])
    limits = np.where(np.arange(12) == 3, 0.0, INF)
    model = linear(0.05, lower_limits=-limits, upper_limits=limits).fit(X, y)
    excluded = linear(0.05, penalty_factor=np.where(limits == 0, INF, 1.0)).fit(X, y)
    assert_array_equal(model.coefs_[0], excluded.coefs_[0])


def test_by_name_equals_by_position():
    X, y = drawn(*SHAPES["long"])
    frame = pd.DataFrame(X, columns=list("abcdefghijkl"))
    upper = np.where(np.arange(12) == 0, 0.1, INF)
    expected = linear(0.01, lower_limits=np.r_[0.0, [-INF] * 11], upper_limits=upper).fit(X, y)
    model = linear(0.01, lower_limits={"a": 0.0}, upper_limits=pd.Series({"a": 0.1}))
    assert_array_equal(model.fit(frame, y).coefs_[0], expected.coefs_[0])


@pytest.mark.parametrize("normalize_y", [False, True])
@pytest.mark.parametrize("unit", [1e-3, 7.0])
def test_limits_are_in_the_units_of_x_and_y(unit, normalize_y):
    X, y = drawn(*SHAPES["long"])
    plain = linear(lower_limits=-0.3, upper_limits=0.2, normalize_y=normalize_y).fit(X, y)
    limits = {"lower_limits": -0.3 * unit, "upper_limits": 0.2 * unit}
    model = linear(**limits, normalize_y=normalize_y).fit(X, unit * y)
    assert_allclose(model.coefs_[0], unit * plain.coefs_[0], rtol=1e-9)
    assert_array_equal(model.coefs_[0] == 0.2 * unit, plain.coefs_[0] == 0.2)
    assert_array_equal(model.coefs_[0] == -0.3 * unit, plain.coefs_[0] == -0.3)
    assert (plain.coefs_[0] == 0.2).any()


def test_each_output_has_the_limits():
    X, y = drawn(*SHAPES["long"])
    Y = np.column_stack([y, 10 * X[:, 1] - X[:, 2]])
    model = linear(0.01, lower_limits=-0.2, upper_limits=0.5, normalize_y=True).fit(X, Y)
    for k, target in enumerate(Y.T):
        own = linear(0.01, lower_limits=-0.2, upper_limits=0.5, normalize_y=True).fit(X, target)
        assert_allclose(model.coefs_[0][:, [k]], own.coefs_[0], atol=1e-10)
    assert model.coefs_[0].max() == 0.5


def test_sparse_x():
    X, y = drawn(*SHAPES["wide"])
    X = np.where(X > 1.2, X, 0.0)
    dense = linear(0.02, lower_limits=-0.1, upper_limits=0.1).fit(X, y)
    model = clone(dense).fit(sparse.csr_array(X), y)
    assert_same_solution(model, dense.coefs_[0], dense.intercepts_[0])


@pytest.mark.parametrize("groups", [{}, {"feature_groups": [[0, 1], [2, 5]]}], ids=str)
def test_signs_under_group_norms(groups):
    X, y = drawn(*SHAPES["long"])
    Y = np.column_stack([y, X[:, 4] - y])
    positive = linear(group_l1=0.1, positive_weights=True, **groups).fit(X, Y)
    model = linear(group_l1=0.1, lower_limits=0.0, **groups).fit(X, Y)
    assert_array_equal(model.coefs_[0], positive.coefs_[0])
    some = linear(group_l1=0.1, lower_limits=np.resize([0.0, -INF], 12), **groups).fit(X, Y)
    assert some.optimality_ < 1e-9
    assert some.coefs_[0][::2].min() >= 0 > some.coefs_[0][1::2].min()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_sparse_epochs_without_intercept_keep_within_limits(solver):
    X, y = drawn(*SHAPES["long"])
    X = sparse.csr_array(np.where(X > 1.2, X, 0.0))
    params = {"solver": solver, "max_iter": 20, "fit_intercept": False}
    limits = {"lower_limits": -0.2, "upper_limits": 0.1}
    model = linear(learning_rate_init=0.05, **params, **limits).fit(X, y)
    assert model.coefs_[0].min() == -0.2
    assert model.coefs_[0].max() <= 0.1
    assert_array_equal(model.intercepts_[0], [0.0])


def test_single_precision_keeps_within_limits():
    X, y = drawn(*SHAPES["long"])
    model = linear(0.01, lower_limits=-0.3, upper_limits=0.2, normalize_y=True)
    coef = model.fit(X.astype(np.float32), y).coefs_[0]
    assert coef.dtype == np.float32
    assert coef.max() == np.float32(0.2)
    assert coef.min() == np.float32(-0.3)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_poisson_within_limits_equals_scipy(solver):
    X, _ = drawn(80, 4)
    y = RNG.poisson(np.exp(0.5 * X[:, 0] - 0.4 * X[:, 1])).astype(float)
    bounds = [(None, None), *[(-0.2, 0.3)] * 4]

    def objective(b):
        output = b[0] + X @ b[1:]
        return np.mean(np.exp(output) - y * output) + 0.005 * b[1:] @ b[1:]

    expected = minimize(objective, np.zeros(5), bounds=bounds, tol=1e-12).x
    params = {"loss": "poisson", "solver": solver, "lower_limits": -0.2, "upper_limits": 0.3}
    params |= {"max_iter": 3000, "tol": 1e-9, "learning_rate_init": 0.01, "n_iter_no_change": 300}
    model = linear(alpha=0.01 * len(y), **params).fit(X, y)
    atol = 1e-5 if solver == "lbfgs" else 2e-3
    assert_allclose(model.coefs_[0][:, 0], expected[1:], atol=atol)
    assert model.coefs_[0][0] == 0.3
    assert model.coefs_[0][1] == -0.2


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_epochs_keep_within_limits(solver):
    X, y = drawn(*SHAPES["long"])
    limits = {"lower_limits": -0.1, "upper_limits": 0.1}
    coef = linear(solver=solver, max_iter=30, learning_rate_init=0.05, **limits).fit(X, y).coefs_[0]
    assert np.abs(coef).max() == 0.1
    exact = linear(0.05, **limits).fit(X, y)
    model = linear(0.05, solver=solver, max_iter=3, **limits).fit(X, y)
    assert_same_solution(model, exact.coefs_[0], exact.intercepts_[0])


# Errors


@pytest.mark.parametrize(
    "limits, message",
    [
        ({"lower_limits": [0.1] * 12}, r"lower_limits must hold numbers <= 0.*0\.1"),
        ({"upper_limits": {"a": -0.5}}, r"upper_limits must hold numbers >= 0.*-0\.5"),
        ({"upper_limits": [INF] * 11}, r"upper_limits has shape \(11,\) but X has 12"),
        ({"lower_limits": {"z": 0.0}}, r"lower_limits names columns .*\['z'\]"),
        ({"lower_limits": ["low"] * 12}, "lower_limits must hold numbers"),
        ({"lower_limits": 0.5}, "'lower_limits' parameter"),
        ({"upper_limits": -0.5}, "'upper_limits' parameter"),
        ({"upper_limits": np.nan}, "upper_limits"),
        ({"lower_limits": -0.5, "hidden_layer_sizes": (3,)}, "limits other than 0 .*-0.5"),
        ({"upper_limits": 0.5, "hidden_layer_sizes": (3,)}, "limits other than 0 .*0.5"),
        (
            {"upper_limits": 0.5, "group_l1": 0.1, "feature_groups": [[0, 1]]},
            "limits other than 0 and infinity do not go with group_l1.*0.5",
        ),
    ],
    ids=str,
)
def test_limits_that_cannot_be(limits, message):
    X, y = drawn(*SHAPES["long"])
    frame = pd.DataFrame(X, columns=list("abcdefghijkl"))
    with pytest.raises(ValueError, match=message):
        linear(**limits).fit(frame, y)


def test_limits_equal_positive_models_of_scikit_learn():
    X, y = drawn(*SHAPES["correlated"])
    exact = {"positive": True, "tol": 1e-14, "max_iter": 10**5}
    lasso = Lasso(alpha=0.02, **exact).fit(X, y)
    assert_same_solution(linear(0.02, lower_limits=0).fit(X, y), lasso.coef_, lasso.intercept_)
    net = ElasticNet(alpha=0.1, l1_ratio=0.5, **exact).fit(X, y)
    model = linear(0.05, 0.05, len(y), lower_limits=0).fit(X, y)
    assert_same_solution(model, net.coef_, net.intercept_)
