"""Stability selection: what its bound counts, and whose halves are drawn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.utils._param_validation import InvalidParameterError

from skmlp import RegularizedMLPRegressor, stability_selection
from skmlp.paths.false_selections import false_bound
from skmlp.paths.running.problems import problems_of

rng = np.random.default_rng(3)
N, P = 120, 6
X = rng.normal(size=(N, P))
y = X[:, 0] - 0.4 * X[:, 1] + rng.normal(size=N)


def stable(X, y, *, n_subsamples=20, random_state=0, network=None, weight=None, **settings):
    model = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0} | (network or {})
    return stability_selection(
        RegularizedMLPRegressor(**model),
        X,
        y,
        n_subsamples=n_subsamples,
        random_state=random_state,
        sample_weight=weight,
        **settings,
    )


def columns_that_stay_out(kind, number):
    """Columns that no half can select, and the penalty factors of all columns."""
    if kind == "excluded":
        extra = np.random.default_rng(1).normal(size=(N, number))
        return extra, np.r_[np.ones(P), np.full(number, np.inf)]
    return np.full((N, number), {"constant": 0.1, "zero": 0.0}[kind]), None


@pytest.mark.parametrize("kind", ["excluded", "constant", "zero"])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_columns_that_cannot_be_selected_do_not_count(kind, as_sparse):
    extra, factor = columns_that_stay_out(kind, 40)
    wide = np.hstack([X, extra])
    found = stable(
        sparse.csr_array(wide) if as_sparse else wide, y, network={"penalty_factor": factor}
    )
    alone = stable(X, y)
    assert found.n_candidates == alone.n_candidates == P
    assert_array_equal(found.frequency[:, :P], alone.frequency)
    assert_allclose(found.false_bound, alone.false_bound, rtol=1e-12)
    assert found.start == alone.start


def test_forced_features_do_not_count_and_are_stable():
    found = stable(X, y, network={"penalty_factor": [0, 1, 1, 1, 0, 1]})
    assert found.n_candidates == P - 2
    assert_array_equal(found.frequency[:, [0, 4]], 1)
    assert_array_equal(found.support[[0, 4]], True)
    assert found.n_selected[-1] < 1  # where forced features are left alone
    assert_allclose(found.false_bound, found.n_selected**2 / (0.5 * (P - 2)))


def test_columns_of_a_group_count_as_one():
    groups = [[0, 1], [4, 2]]
    found = stable(X, y, network={"feature_groups": groups})
    assert found.n_candidates == 4
    for columns in groups:
        assert_array_equal(*found.frequency[:, columns].T)
    one_of_each = found.frequency[:, [0, 2, 3, 5]]
    assert (found.n_selected >= one_of_each.sum(1) - 1e-12).all()
    assert found.n_selected[0] <= 4
    assert_allclose(found.false_bound, found.n_selected**2 / (0.5 * 4))


def test_columns_of_a_group_count_singly_where_no_penalty_holds_them_together():
    groups = {"feature_groups": [[0, 1], [4, 2]]}
    single, plain = (stable(X, y, network=n, param="l1_per_layer") for n in (groups, {}))
    assert single.n_candidates == P
    assert_array_equal(single.frequency, plain.frequency)
    assert_allclose(single.false_bound, plain.n_selected**2 / (0.5 * P))
    held = stable(X, y, network={**groups, "group_l1": 0.01}, param="l1_per_layer")
    assert held.n_candidates == 4


def test_group_with_an_excluded_and_a_constant_column_counts():
    wide = np.column_stack([X, np.ones(N)])
    factor = np.ones(P + 1)
    factor[1] = np.inf
    found = stable(wide, y, network={"feature_groups": [[0, 1], [5, 6]], "penalty_factor": factor})
    assert found.n_candidates == P - 1


def test_columns_that_vary_in_some_halves_only():
    rare = np.zeros(N)
    rare[:2] = 1
    found = stable(np.column_stack([X, rare]), y, n_subsamples=30)
    assert found.n_candidates == P  # in one half of thirty both ones are missing
    assert stable(np.column_stack([X, np.arange(N) % 2]), y).n_candidates == P + 1


def test_no_candidates_have_no_false_selections():
    found = stable(X, y, network={"penalty_factor": [0, 0, *[np.inf] * 4]}, strengths=[0.1, 0.2])
    assert found.n_candidates == 0
    assert_array_equal(found.false_bound, 0)
    assert_array_equal(found.support, [True, True, *[False] * 4])


@pytest.mark.parametrize("hidden", [(), 3])
@pytest.mark.parametrize("others", [1.0, np.linspace(0.5, 2, 60)])
def test_row_of_weight_zero_is_a_row_left_out(hidden, others):
    network = {"hidden_layer_sizes": hidden, "activation": "tanh", "random_state": 0}
    network["alpha"] = 0 if hidden == () else 1.0
    kept = rng.permutation(N)[:60]
    kept.sort()
    weight = np.zeros(N)
    weight[kept] = others
    settings = {"n_subsamples": 6, "n_strengths": 5, "network": network}
    found = stable(X, y, weight=weight, **settings)
    left_out = stable(X[kept], y[kept], weight=weight[kept], **settings)
    for name in ("strengths", "frequency", "n_selected", "false_bound", "support"):
        assert_array_equal(getattr(found, name), getattr(left_out, name))
    if np.ndim(others) == 0:
        assert_array_equal(found.frequency, stable(X[kept], y[kept], **settings).frequency)


def test_column_constant_in_the_rows_that_count():
    dummy = np.r_[np.zeros(N // 2), np.ones(N // 2)]
    found = stable(np.column_stack([X, dummy]), y, weight=1 - dummy)
    assert found.n_candidates == P
    assert_array_equal(found.frequency[:, -1], 0)


def test_rows_of_positive_weight_are_counted():
    weight = np.zeros(N)
    weight[[5, 50, 100]] = 1
    with pytest.raises(ValueError, match="at least 4 rows of positive weight in all, got 3"):
        stable(X, y, weight=weight)


@pytest.mark.parametrize("n_rows", [41, 40])
def test_halves_of_odd_numbers(n_rows):
    found = stable(X[:n_rows], y[:n_rows], n_subsamples=1, strengths=[0.05])
    assert found.frequency.shape == (1, P)
    assert_array_equal(found.n_selected, [found.frequency.sum()])


# Groups of rows


def halves_drawn(monkeypatch, *data, **settings):
    """Pairs of the rows that halves train on, and of those that they leave out."""
    seen = []

    def recorded(model, arrays, halves, seed):
        seen.extend(halves)
        return problems_of(model, arrays, halves, seed)

    monkeypatch.setattr("skmlp.paths.stability_selection.problems_of", recorded)
    stable(*data, n_strengths=2, **settings)
    return seen


def test_rows_of_a_group_are_in_the_same_half(monkeypatch):
    groups = np.repeat(list("abcdefg"), [1, 40, 9, 20, 10, 25, 15])[
        np.random.default_rng(0).permutation(N)
    ]
    weight = np.where(groups == "c", 0.0, 1.0)
    weight[:5] = 0
    drawn = halves_drawn(monkeypatch, X, y, groups=groups, weight=weight, n_subsamples=25)
    assert len({half.tobytes() for half, _ in drawn}) > 10
    for half, others in drawn:
        assert_array_equal(np.sort(np.concatenate([half, others])), np.flatnonzero(weight))
        assert not set(groups[half]) & set(groups[others])
        assert len(set(groups[half])) == 3


def test_each_row_a_group_is_no_groups():
    found, plain = stable(X, y, groups=np.arange(N) * 2.5), stable(X, y)
    assert found == plain


def test_rows_twice_in_groups_are_the_rows():
    """A half with both copies of each of its rows is that half."""
    order = np.random.default_rng(0).permutation(2 * N)
    twice, rows = (X[order % N], y[order % N]), order % N
    found, plain = stable(*twice, groups=rows), stable(X, y)
    assert_array_equal(found.frequency, plain.frequency)
    assert_allclose(found.strengths, plain.strengths, rtol=1e-9)
    assert (stable(*twice).frequency != plain.frequency).any()


def test_groups_that_make_no_halves():
    with pytest.raises(ValueError, match=r"at least 4 groups of rows of positive weight.*got 3"):
        stable(X, y, groups=np.arange(N) % 3)
    with pytest.raises(ValueError, match=r"at least 4 groups of rows of positive weight.*got 1"):
        stable(X, y, groups=np.arange(N) < 10, weight=np.arange(N) < 10)


# Complementary pairs


def test_halves_come_in_pairs_where_the_bound_is_about_pairs(monkeypatch):
    groups = np.arange(N) // 8
    drawn = halves_drawn(monkeypatch, X, y, n_subsamples=8, assumption="r-concave", groups=groups)
    assert len(drawn) == 8
    for (half, _), (other, _) in zip(drawn[::2], drawn[1::2], strict=True):
        assert len(half) == len(other) == 7 * 8  # of 15 groups one is left out
        assert not set(half) & set(other)
        assert not set(groups[half]) & set(groups[other])


@pytest.mark.parametrize("assumption", ["unimodal", "r-concave"])
def test_bound_with_an_assumption(assumption):
    found = stable(X, y, assumption=assumption, n_subsamples=40, threshold=0.6)
    assert found.assumption == assumption
    assert_array_equal(found.frequency * 40, np.round(found.frequency * 40))
    expected = false_bound(found.n_selected, P, 0.6, 40, assumption)
    assert_array_equal(found.false_bound, expected)
    few = (found.n_selected > 0) & (found.n_selected < 1.6)
    assert (found.false_bound[few] < 0.8 * found.n_selected[few] ** 2 / (0.2 * P)).all()
    assert found.start == np.flatnonzero(found.false_bound <= 1)[0]


def test_assumptions_are_about_pairs():
    with pytest.raises(ValueError, match=r"assumption='unimodal' .* even n_subsamples, got 15"):
        stable(X, y, assumption="unimodal", n_subsamples=15)
    with pytest.raises(InvalidParameterError, match="'assumption' parameter"):
        stable(X, y, assumption="none")
