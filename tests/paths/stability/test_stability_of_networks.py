"""Stability selection of networks, the linear models they are judged by, and the bounds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq, minimize_scalar
from sklearn.linear_model import Lasso
from sklearn.metrics import mean_squared_error
from support.paths_of_networks import FRAME, N_FEATURES, N_ROWS, X, network, path_of, y

from skmlp import (
    stability_selection,
)
from skmlp.engine.paths.moving_penalty import Scheme
from skmlp.paths.false_selections import false_bound, largest_tail
from skmlp.paths.running.initial_networks import InitialNetworks
from skmlp.paths.running.problems import problems_of
from skmlp.paths.running.reports import Tally
from skmlp.paths.running.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("hidden", [(), 8])
def test_stable_features_are_the_true_ones(hidden):
    model = network(hidden_layer_sizes=hidden)
    found = stability_selection(
        model, FRAME, y, n_subsamples=20, random_state=0, max_false=2.0, n_strengths=12
    )
    assert_array_equal(found.selected_features, ["a", "b"])
    assert_array_equal(found.support, [True, True, False, False, False, False])


def test_bound_of_meinshausen_and_buhlmann():
    found = stability_selection(
        network(hidden_layer_sizes=()), X, y, n_subsamples=15, threshold=0.8, random_state=0
    )
    again = stability_selection(
        network(hidden_layer_sizes=()), X, y, n_subsamples=15, threshold=0.8, random_state=0
    )
    assert_array_equal(found.frequency, again.frequency)
    assert found.frequency.shape == (len(found.strengths), N_FEATURES)
    assert_array_equal(found.frequency * 15, np.round(found.frequency * 15))
    assert (found.n_selected >= found.frequency.sum(1) - 1e-12).all()
    assert (np.diff(found.n_selected) <= 0).all()
    assert_allclose(found.false_bound, found.n_selected**2 / (0.6 * N_FEATURES))
    assert found.false_bound[found.start] <= 1.0 < found.false_bound[found.start - 1]
    assert_array_equal(found.stability, found.frequency[found.start :].max(0))


def test_half_of_three_rows():
    with pytest.raises(ValueError, match="at least 4 rows of positive weight in all, got 3"):
        stability_selection(network(hidden_layer_sizes=()), X[:3], y[:3])


@pytest.mark.parametrize("linear_error, largest", [(0.0, 10), (np.inf, 100)])
def test_a_network_no_better_than_a_linear_model_excludes_nothing_for_good(
    linear_error, largest, monkeypatch
):
    """Its factors stay below those of one that has found what is not linear."""
    monkeypatch.setattr(InitialNetworks, "_linear_error", lambda self, judges: linear_error)
    factor = path_of(n_strengths=2).penalty_factor
    assert factor.max() == pytest.approx(largest, rel=1e-9)


def test_the_linear_error_is_the_lasso_s():
    model = network(group_l1=1.0)
    networks = InitialNetworks(Scheme("group_l1"), Trainer(1, None), Tally(model))
    arrays, rows = (X, y[:, None], None, None), np.arange(N_ROWS)
    (judge,) = problems_of(model, arrays, [(rows[:80], rows[80:])], 0)[1:]
    end = np.abs((X[:80] - X[:80].mean(0)).T @ (y[:80] - y[:80].mean())).max() / 80
    errors = [
        mean_squared_error(
            y[80:], Lasso(share * end, tol=1e-10).fit(X[:80], y[:80]).predict(X[80:])
        )
        for share in (0.01, 0.03, 0.1)
    ]
    assert networks._linear_error([judge]) == pytest.approx(min(errors), rel=1e-6)


# Bounds on false selections

# stabs 0.7 (tests/regtest-inference.Rout.save): p = 100, cutoff .6, B = 50 complementary pairs
UNIMODAL = [0.02631579, 0.1052632, 0.2368421, 0.4210526, 0.6578947]
UNIMODAL += [0.9473684, 1.289474, 1.684211, 2.131579, 2.631579]
R_CONCAVE = [0.006971364, 0.03342845, 0.08691176, 0.1637231, 0.2605329]
R_CONCAVE += [0.3820466, 0.5295188, 0.7042719, 0.9077127, 1.141338]


def test_bound_of_meinshausen_and_buhlmann_is_that_of_stabs():
    expected = [0.05, 0.2, 0.45, 0.8, 1.25, 1.8, 2.45, 3.2, 4.05, 5]
    assert_allclose(false_bound(np.arange(1, 11), 100, 0.6, 100, None), expected, rtol=1e-12)


def test_unimodal_bound_is_that_of_stabs():
    assert_allclose(false_bound(np.arange(1, 11), 100, 0.6, 100, "unimodal"), UNIMODAL, rtol=1e-6)
    assert false_bound(3, 10, 0.96, 100, "unimodal") == pytest.approx(0.176, abs=5e-4)


def test_r_concave_bound_is_that_of_stabs():
    """Its search stays within intervals, to 1e-4 of a: it is below the maximum, by little."""
    found = false_bound(np.arange(1, 11), 100, 0.6, 100, "r-concave")
    assert (found > np.array(R_CONCAVE) * (1 - 1e-6)).all()
    assert_allclose(found[3:], R_CONCAVE[3:], rtol=5e-6)
    assert_allclose(found, R_CONCAVE, rtol=4e-3)
    for q, p, threshold, expected in (
        (30, 100, 0.6, 16.24975),
        (10, 100, 0.61, 1.005863),
        (10, 100, 0.62, 0.8971682),
    ):
        assert false_bound(q, p, threshold, 100, "r-concave") == pytest.approx(expected, rel=1e-5)
    for q, threshold, expected in ((6, 0.6, 0.174), (7, 0.6, 0.248), (7, 0.62, 0.196)):
        found = false_bound(q, 200, threshold, 100, "r-concave")
        assert found == pytest.approx(expected, abs=5e-4)


def shaped(convex, mean, power):
    """Probabilities f with f ** (-1 / power) convex and this mean: some g + c j to the -power."""
    j = np.arange(len(convex))

    def probabilities(c):
        g = convex + c * j
        f = (g - g.min() + 0.1) ** -power
        return f / f.sum()

    c = brentq(lambda c: probabilities(c) @ j - mean, -1e4, 1e4)
    return probabilities(c)


@pytest.mark.parametrize("power", [2, 4])
def test_no_r_concave_distribution_has_a_larger_tail(power):
    rng, n = np.random.default_rng(0), 12
    for _ in range(300):
        last, mean = rng.integers(5, n + 1), rng.uniform(0.2, 2)
        convex = rng.exponential(size=last + 1) ** 3
        f = shaped(np.cumsum(np.cumsum(convex)) * 10 ** rng.uniform(-3, 1), mean, power)
        tails = np.append(f[::-1].cumsum()[::-1], np.zeros(n - last))
        for level in range(1, n + 1):
            assert tails[level] <= largest_tail(mean, level, n, power) + 1e-12


def by_searches(mean, level, n, power):
    """The largest tail of (a + j)^-power up to k and less at k + 1: a search for each k."""
    best = 0.0
    for k in range(level - 1, n):
        j = np.arange(k + 2)

        def excess(a, j):
            return ((j - mean) * (a + j) ** -float(power)).sum()

        def below(a, j=j, k=k):
            f = (a + j[:-1]) ** -float(power)
            at_end = ((mean - j[:-1]) * f).sum() / (k + 1 - mean)
            return f[:level].sum() / (f.sum() + at_end)

        ends = [brentq(excess, 1e-6, 1e9, args=(j[: k + 1 + m],), xtol=1e-14) for m in (1, 0)]
        found = minimize_scalar(below, bounds=ends, method="bounded", options={"xatol": 1e-12})
        best = max(best, 1 - min(found.fun, below(ends[0]), below(ends[1])))
    return best


@pytest.mark.parametrize(
    "mean, level, n, power", [(0.5, 5, 20, 2), (2.0, 9, 12, 4), (0.02, 7, 30, 2), (3.3, 24, 24, 4)]
)
def test_largest_tail_is_attained(mean, level, n, power):
    found = largest_tail(mean, level, n, power)
    assert found == pytest.approx(by_searches(mean, level, n, power), rel=1e-7)


@pytest.mark.parametrize("assumption", ["unimodal", "r-concave"])
def test_bounds_with_an_assumption_are_lower(assumption):
    q = np.linspace(0, 60, 25)
    for threshold in (0.5, 0.505, 0.51, 0.6, 0.74, 0.75, 0.76, 1.0):
        plain = false_bound(q, 50, threshold, 100, None)
        found = false_bound(q, 50, threshold, 100, assumption)
        assert (found <= plain).all()
        assert (np.diff(found) >= -1e-9).all()
        assert found[0] == 0
        if threshold > 0.51:
            assert found[1] < plain[1] / 1.5
    assert_array_equal(false_bound(np.zeros(3), 0, 0.75, 100, assumption), 0)
