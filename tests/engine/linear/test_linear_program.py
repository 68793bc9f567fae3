"""Quantiles without hidden layers are scikit-learn's, and their certificate is that of the dual."""

import _thread
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import LinearRegression, QuantileRegressor

from skmlp import RegularizedMLPRegressor, regularization_path
from skmlp.engine.linear.programming import highs
from skmlp.engine.runtime import cancelled_by

RNG = np.random.default_rng(0)
N, P = 150, 6
X = RNG.normal(size=(N, P)) * [1.0, 0.1, 5.0, 1.0, 1.0, 1.0] + [0.0, 3.0, 0.0, 0.0, 0.0, 50.0]
Y = X @ [1.0, -5.0, 0.2, 0.0, 0.0, 0.5] + RNG.standard_t(3, size=N)
TIED = np.rint(X[:, 0] + RNG.normal(size=N))
WEIGHT = RNG.uniform(0.2, 3, N)
WIDE = RNG.normal(size=(50, 80))
WIDE_Y = WIDE[:, 0] + RNG.normal(size=50)
LEVELS = (0.1, 0.5, 0.83)


def quantile(level=0.5, loss="quantile", **params):
    given = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "normalize_y": False}
    return RegularizedMLPRegressor(loss, quantile=level, **{**given, **params})


def pinball(model, X, y, weight=None):
    """The mean pinball loss and the L1 penalty of a model of either kind."""
    residual = y - model.predict(X)
    level = model.quantile
    coef = model.coef_ if hasattr(model, "coef_") else model.coefs_[0]
    l1 = model.l1_per_layer if hasattr(model, "l1_per_layer") else model.alpha
    loss = np.maximum(level * residual, (level - 1) * residual)
    return np.average(loss, weights=weight) + l1 * np.abs(coef).sum()


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("l1", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("level", LEVELS)
def test_equals_scikit_learn_s_quantiles(level, l1, make, weight):
    rows = make(X)
    theirs = QuantileRegressor(quantile=level, alpha=l1).fit(rows, Y, sample_weight=weight)
    model = quantile(level, l1_per_layer=l1).fit(rows, Y, sample_weight=weight)
    assert_allclose(model.coefs_[0][:, 0], theirs.coef_, atol=1e-9 * np.abs(theirs.coef_).max())
    assert_array_equal(model.get_support(), theirs.coef_ != 0)
    ours, expected = pinball(model, rows, Y, weight), pinball(theirs, rows, Y, weight)
    assert ours == pytest.approx(expected, rel=1e-9)
    assert model.objective_ == pytest.approx(ours, rel=1e-12)
    assert 0 <= model.optimality_ <= 1e-9 * model.objective_


@pytest.mark.parametrize("level", LEVELS)
def test_more_features_than_rows(level):
    theirs = QuantileRegressor(quantile=level, alpha=0.03).fit(WIDE, WIDE_Y)
    model = quantile(level, l1_per_layer=0.03).fit(WIDE, WIDE_Y)
    assert_allclose(model.coefs_[0][:, 0], theirs.coef_, atol=1e-9)
    assert_array_equal(model.get_support(), theirs.coef_ != 0)


def test_absolute_error_is_twice_the_median():
    median = quantile(l1_per_layer=0.02).fit(X, Y)
    absolute = quantile(loss="absolute_error", l1_per_layer=0.04).fit(X, Y)
    assert_allclose(absolute.coefs_[0], median.coefs_[0], atol=1e-10)
    assert absolute.objective_ == pytest.approx(2 * median.objective_, rel=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_bounds_factors_and_excluded_features(level):
    """A factor is a unit of the column; without those at a bound the others are free."""
    factor = np.array([1.0, 2.0, 0.5, 0.1, np.inf, 1.0])
    model = quantile(level, l1_per_layer=0.02, penalty_factor=factor).fit(X, Y)
    columns, own = [0, 1, 2, 3, 5], np.array([1.0, 2.0, 0.5, 0.1, 1.0])
    scaled = QuantileRegressor(quantile=level, alpha=0.02).fit(X[:, columns] / own, Y)
    assert_allclose(model.coefs_[0][columns, 0], scaled.coef_ / own, atol=1e-9)
    assert model.coefs_[0][4, 0] == 0
    positive = quantile(level, l1_per_layer=0.01, positive_weights=True).fit(X, Y)
    coef = positive.coefs_[0][:, 0]
    assert (coef >= 0).all()
    assert 0 < (coef > 0).sum() < P
    inside = np.flatnonzero(coef)
    free = QuantileRegressor(quantile=level, alpha=0.01).fit(X[:, inside], Y)
    assert_allclose(coef[inside], free.coef_, atol=1e-9)
    assert positive.optimality_ <= 1e-9 * positive.objective_


def test_each_output_is_a_problem_of_its_own():
    both = quantile(0.3, l1_per_layer=0.01).fit(X, np.column_stack([Y, TIED]))
    for k, y in enumerate((Y, TIED)):
        single = quantile(0.3, l1_per_layer=0.01).fit(X, y)
        assert_allclose(both.coefs_[0][:, k], single.coefs_[0][:, 0], atol=1e-10)


def test_a_row_of_weight_three_is_the_row_thrice():
    weight = RNG.integers(0, 4, N)
    weighted = quantile(0.3, l1_per_layer=0.01).fit(X, Y, sample_weight=weight.astype(float))
    repeated = quantile(0.3, l1_per_layer=0.01).fit(np.repeat(X, weight, 0), np.repeat(Y, weight))
    assert_allclose(weighted.coefs_[0], repeated.coefs_[0], atol=1e-10)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_of_y_do_not_matter(unit):
    plain = quantile(0.7, l1_per_layer=0.02, normalize_y=True).fit(X, Y)
    scaled = quantile(0.7, l1_per_layer=0.02, normalize_y=True).fit(X, unit * Y - 3 * unit)
    assert_allclose(scaled.coefs_[0], unit * plain.coefs_[0], rtol=1e-9)


def test_constant_columns_and_constant_y_are_nothing():
    model = quantile().fit(np.column_stack([X, np.full(N, 7.0)]), Y)
    assert model.coefs_[0][-1, 0] == 0
    constant = quantile().fit(X, np.full(N, 4.0))
    assert_array_equal(constant.coefs_[0], 0)
    assert constant.intercepts_[0][0] == pytest.approx(4.0)


def test_float32_is_published_in_float32_and_certified_as_it_is():
    model = quantile(0.3, l1_per_layer=0.01).fit(X.astype(np.float32), Y)
    assert model.coefs_[0].dtype == np.float32
    exact = quantile(0.3, l1_per_layer=0.01).fit(X.astype(np.float32).astype(float), Y)
    assert 0 <= model.optimality_ < 1e-5
    assert_allclose(model.coefs_[0], exact.coefs_[0], rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_adam_ends_where_the_program_is_solved():
    params = {"l1_per_layer": 0.05, "max_iter": 3, "random_state": 0}
    model = quantile(0.3, solver="adam", **params).fit(X, Y)
    assert_allclose(model.coefs_[0], quantile(0.3, l1_per_layer=0.05).fit(X, Y).coefs_[0])


def test_a_failure_of_the_program_is_said(monkeypatch):
    monkeypatch.setattr(highs, "TOLERANCES", {"maxiter": 2})
    with pytest.warns(UserWarning, match="failed to converge"):
        quantile().fit(X, Y)


# Interrupts


@pytest.fixture
def endless(monkeypatch):
    """HiGHS does not end; the event says that it has begun."""
    begun, released = threading.Event(), threading.Event()

    def wait(*args, **kwargs):
        begun.set()
        released.wait(60)

    monkeypatch.setattr(highs, "linprog", wait)
    yield begun
    released.set()


def test_ctrl_c_ends_a_program_and_leaves_the_estimator(endless, interruptible):
    model = quantile(l1_per_layer=0.1)
    before = vars(model).copy()

    def press():
        endless.wait(60)
        _thread.interrupt_main()

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    presser.join()
    assert vars(model) == before


def test_a_cancelled_thread_ends_its_program(endless):
    cancelled, outcomes = threading.Event(), []

    def work():
        cancelled_by(cancelled)
        try:
            highs.solve([1.0])
        except KeyboardInterrupt:
            outcomes.append("interrupted")

    worker = threading.Thread(target=work)
    worker.start()
    endless.wait(60)
    cancelled.set()
    worker.join(60)
    assert outcomes == ["interrupted"]


def test_errors_of_a_program_are_those_of_scipy():
    with pytest.raises(ValueError, match="c"):
        highs.solve([[1.0, np.nan]])


# Paths


@pytest.mark.parametrize("y", [Y, TIED], ids=["continuous", "tied"])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("param", ["l1_per_layer", "group_l1"])
@pytest.mark.parametrize("level", [0.2, 0.5])
def test_a_path_ends_where_the_last_feature_leaves(level, param, make, y):
    """Exactly, also where many rows lie at the quantile, whose slopes are to be chosen."""
    rows = make(X)
    kwargs = {"param": param, "n_strengths": 3, "adaptive": False, "relaxed": False}
    path = regularization_path(quantile(level), rows, y, **kwargs)
    end = path.strengths[-1]
    inside, outside = (
        quantile(level, **{param: end * factor}).fit(rows, y).get_support().sum()
        for factor in (1 - 1e-6, 1 + 1e-6)
    )
    assert inside >= 1
    assert outside == 0
    assert (path.optimality <= 1e-9 * path.objective.max()).all()


def test_the_end_beside_features_without_a_penalty():
    factor = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    model = quantile(0.4, penalty_factor=factor)
    path = regularization_path(
        model, X, Y, param="l1_per_layer", n_strengths=3, adaptive=False, relaxed=False
    )
    end = path.strengths[-1]
    for share, n_features in [(1 - 1e-6, 2), (1 + 1e-6, 1)]:
        model.set_params(l1_per_layer=end * share).fit(X, Y)
        assert model.get_support().sum() == n_features


def test_relaxed_refits_are_quantiles_of_the_selected_columns():
    path = regularization_path(quantile(0.3), X, Y, param="l1_per_layer", n_strengths=6)
    model, relaxed = path.models[3], path.relaxed_models[3]
    support = model.get_support()
    refit = QuantileRegressor(quantile=0.3, alpha=0).fit(X[:, support], Y)
    assert_allclose(relaxed.coefs_[0][support, 0], refit.coef_, atol=1e-9)


def test_the_median_of_what_has_no_noise_is_the_line():
    y = X @ np.arange(1.0, 7.0) - 2
    model = quantile().fit(X, y)
    line = LinearRegression().fit(X, y)
    assert_allclose(model.coefs_[0][:, 0], line.coef_, atol=1e-8)
