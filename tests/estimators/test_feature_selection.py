"""The group lasso of input features: whole features leave, as they do in scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import Lasso, MultiTaskLasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
N_ROWS, N_FEATURES = 150, 8
X = RNG.normal(size=(N_ROWS, N_FEATURES))
y = np.tanh(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=N_ROWS)
NAMES = np.array([f"x{j}" for j in range(N_FEATURES)], dtype=object)
SOLVERS = {
    "lbfgs": {"max_iter": 2000},
    "adam": {"learning_rate_init": 0.01, "max_iter": 300, "batch_size": 50},
    "sgd": {"learning_rate_init": 0.05, "max_iter": 300, "batch_size": 50},
}


def network(solver="lbfgs", **params):
    defaults = {
        "hidden_layer_sizes": 10,
        "activation": "tanh",
        "alpha": 2.0,
        "group_l1": 0.05,
        "random_state": 0,
        "solver": solver,
        **SOLVERS[solver],
    }
    return RegularizedMLPRegressor(**{**defaults, **params})


def linear(**params):
    fixed = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "normalize_y": False}
    return RegularizedMLPRegressor(**{**fixed, "tol": 1e-10, "max_iter": 5000, **params})


# Equalities


@pytest.mark.parametrize("strength", [0.01, 0.1, 0.5])
def test_several_outputs_are_the_multi_task_lasso(strength):
    Y = np.c_[y, X @ RNG.normal(size=N_FEATURES), RNG.normal(size=N_ROWS)]
    ours = linear(group_l1=strength).fit(X, Y)
    theirs = MultiTaskLasso(alpha=strength, tol=1e-14, max_iter=10**5).fit(X, Y)
    assert_allclose(ours.coefs_[0], theirs.coef_.T, atol=1e-8)
    assert_array_equal(ours.coefs_[0] == 0, theirs.coef_.T == 0)
    assert_allclose(ours.intercepts_[0], theirs.intercept_, atol=1e-8)


def test_groups_of_one_weight_are_the_lasso():
    ours = linear(group_l1=0.1, penalty_factor=np.arange(1.0, 9.0)).fit(X, y)
    theirs = Lasso(alpha=0.1, tol=1e-14).fit(X / np.arange(1.0, 9.0), y)
    assert_allclose(ours.coefs_[0][:, 0] * np.arange(1.0, 9.0), theirs.coef_, atol=1e-10)


@pytest.mark.parametrize("strength", [0.05, 0.3])
def test_orthonormal_groups_have_a_closed_form(strength):
    """b_g = (1 - strength sqrt(|g|) / |c_g|)_+ c_g with c = X'y / n (Yuan & Lin, 2006)."""
    Q = np.linalg.qr(X - X.mean(0))[0] * np.sqrt(N_ROWS)
    sizes = {(0, 3): 2, (1, 4, 7): 3, (2,): 1, (5,): 1, (6,): 1}
    model = linear(group_l1=strength, feature_groups=[[0, 3], [1, 4, 7]]).fit(Q, y)
    cross = Q.T @ y / N_ROWS
    for members, size in sizes.items():
        own = list(members)
        kept = max(0.0, 1 - strength * np.sqrt(size) / np.linalg.norm(cross[own]))
        assert_allclose(model.coefs_[0][own, 0], kept * cross[own], atol=1e-8)


def test_scaled_columns_with_scaled_factors_are_the_same_problem():
    """The solution of one is stationary in the other, to the solver's tolerance."""
    units = np.array([1e-3, 1.0, 50.0, 1.0, 1e3, 1.0, 0.1, 1.0])
    precise = {"alpha": [0.0, 2.0], "tol": 1e-7, "max_iter": 10**4}
    scaled = network(penalty_factor=units, **precise).fit(X * units, y)
    plain = network(**precise, warm_start=True).fit(X, y)
    plain.coefs_ = [scaled.coefs_[0] * units[:, None], scaled.coefs_[1]]
    plain.intercepts_ = scaled.intercepts_
    plain.fit(X, y)
    assert_allclose(plain.coefs_[0], scaled.coefs_[0] * units[:, None], atol=1e-5)
    assert plain.objective_ == pytest.approx(scaled.objective_, rel=1e-8)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "silu", "softplus"])
def test_lbfgs_reaches_its_certificate(activation):
    model = network(activation=activation, tol=1e-6, max_iter=10**4, max_fun=10**5).fit(X, y)
    assert model.optimality_ <= 1e-5


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_stochastic_solvers_find_a_solution_as_good(solver):
    """F within 3 % of the deterministic solver's: other local minima."""
    expected = network().fit(X, y)
    model = network(solver, max_iter=600).fit(X, y)
    assert model.objective_ <= 1.03 * expected.objective_
    assert 0 < model.get_support().sum() < N_FEATURES


@pytest.mark.parametrize("solver", SOLVERS)
def test_objective_is_the_documented_formula(solver):
    """F recomputed from the published weights, groups, factors and all."""
    factor = np.array([1.0, 2.0, 2.0, 0.5, 0.5, 1.0, 1.0, np.inf])
    model = network(
        solver,
        l1_per_layer=0.01,
        feature_groups=[[1, 2], [3, 4]],
        penalty_factor=factor,
        normalize_y=False,
    ).fit(X, y)
    W, V = model.coefs_
    finite = np.where(np.isinf(factor), 0.0, factor)[:, None]
    half_square = 0.5 * np.mean((y - model.predict(X)) ** 2)
    l1 = 0.01 * (np.abs(finite * W).sum() + np.abs(V).sum())
    l2 = 2.0 / (2 * N_ROWS) * ((finite * W**2).sum() + (V**2).sum())
    groups = [([0], 1), ([1, 2], 2 * np.sqrt(2)), ([3, 4], 0.5 * np.sqrt(2)), ([5], 1), ([6], 1)]
    norms = 0.05 * sum(strength * np.linalg.norm(W[own]) for own, strength in groups)
    assert model.objective_ == pytest.approx(half_square + l1 + l2 + norms, rel=1e-9)
    assert not W[7].any()


# Whole features leave


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_features_leave_whole(solver, dtype):
    model = network(solver, group_l1=0.06).fit(X.astype(dtype), y.astype(dtype))
    zeros = (model.coefs_[0] == 0).sum(1)
    assert set(zeros) == {0, 10}
    assert_array_equal(model.get_support(), zeros == 0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_grouped_columns_leave_together(solver):
    """A strong column keeps the noise that is in its group, and noise alone is out."""
    groups = [[0, 5], [3, 4, 6]]
    model = network(solver, group_l1=0.2, feature_groups=groups).fit(X, y)
    support = model.get_support()
    assert support[[0, 5]].all()
    assert not support[[3, 4, 6]].any()


def test_penalty_factors_act_on_groups():
    free = network(group_l1=0.5, penalty_factor=np.r_[0.0, np.ones(7)]).fit(X, y)
    assert_array_equal(free.get_support(indices=True), [0])


def test_names_stand_for_columns():
    frame = pd.DataFrame(X, columns=NAMES)
    by_name = network(feature_groups=[["x1", "x4"]], penalty_factor={"x2": np.inf}).fit(frame, y)
    by_position = network(
        feature_groups=[[1, -4]], penalty_factor=np.r_[1, 1, np.inf, np.ones(5)]
    ).fit(X, y)
    assert_array_equal(by_name.coefs_[0], by_position.coefs_[0])
    assert_array_equal(by_name.selected_features_, NAMES[by_position.selected_features_])


@pytest.mark.parametrize(
    "groups, message",
    [
        ([[0, 1], [1, 2]], "holds a column twice"),
        ([[0, 0]], "holds a column twice"),
        ([[8]], "names 8, but X has 8 features"),
        ([["x0"]], "no column names"),
        ([[True]], "names True"),
        ([[]], "non-empty lists of columns"),
        (["x0"], "holds 1 labels, but X has 8 features.*non-empty lists of columns"),
        ([0, 1], "holds 2 labels, but X has 8 features.*non-empty lists of columns"),
    ],
)
def test_groups_that_make_no_sense(groups, message):
    with pytest.raises(ValueError, match=message):
        network(feature_groups=groups).fit(X, y)


def test_factors_must_agree_within_a_group():
    factor = np.r_[1.0, 2.0, np.ones(6)]
    with pytest.raises(ValueError, match=r"same for all features of a group, got \[1.0, 2.0\]"):
        network(feature_groups=[[0, 1]], penalty_factor=factor).fit(X, y)


def test_a_free_output_layer_is_warned_of():
    with pytest.warns(UserWarning, match=r"Layers 1 .* \(group_l1 is the first layer's\)"):
        network(alpha=0.0).fit(X, y)


# What is said of features


def test_support_and_names():
    model = network().fit(pd.DataFrame(X, columns=NAMES), y)
    support = (model.coefs_[0] != 0).any(1)
    assert_array_equal(model.get_support(), support)
    assert_array_equal(model.get_support(indices=True), np.flatnonzero(support))
    assert_array_equal(model.selected_features_, NAMES[support])
    assert_array_equal(network().fit(X, y).selected_features_, np.flatnonzero(support))


@pytest.mark.parametrize("ask", ["feature_importances_", "selected_features_"])
def test_before_fit(ask):
    with pytest.raises(NotFittedError):
        getattr(network(), ask)
    with pytest.raises(NotFittedError):
        network().get_support()


def test_importances_do_not_depend_on_units():
    """A feature in other units has its weights divided and its deviation multiplied."""
    weight = RNG.uniform(0.5, 2, N_ROWS)
    model = network(group_l1=0.0, max_iter=20).fit(X, y, sample_weight=weight)
    mean = np.average(X, axis=0, weights=weight)
    std = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    norms = np.sqrt((model.coefs_[0] ** 2).sum(1))
    assert_allclose(model.feature_importances_, norms * std, rtol=1e-12)


def test_select_from_model():
    pipeline = make_pipeline(
        StandardScaler(), SelectFromModel(network(), threshold=1e-10), network(group_l1=0.0)
    ).fit(X, y)
    chosen = pipeline[1]
    assert_array_equal(chosen.get_support(), chosen.estimator_.get_support())
    assert pipeline[2].n_features_in_ == chosen.get_support().sum() < N_FEATURES
