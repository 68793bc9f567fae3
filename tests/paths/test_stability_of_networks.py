"""Stability selection of networks, and the linear models it excludes features by."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Lasso
from sklearn.metrics import mean_squared_error
from support.paths_of_networks import FRAME, N_FEATURES, N_ROWS, X, network, path_of, y

from skmlp import (
    stability_selection,
)
from skmlp.engine.paths.moving_penalty import Scheme
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
    arrays, rows = (X, y[:, None], None), np.arange(N_ROWS)
    (judge,) = problems_of(model, arrays, [(rows[:80], rows[80:])], 0)[1:]
    end = np.abs((X[:80] - X[:80].mean(0)).T @ (y[:80] - y[:80].mean())).max() / 80
    errors = [
        mean_squared_error(
            y[80:], Lasso(share * end, tol=1e-10).fit(X[:80], y[:80]).predict(X[80:])
        )
        for share in (0.01, 0.03, 0.1)
    ]
    assert networks._linear_error([judge]) == pytest.approx(min(errors), rel=1e-6)
