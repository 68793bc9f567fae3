"""Fits along paths on the columns in use: groups keep their strength, and held-out rows are cut."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Layers"
)
RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 8))
y = X[:, 0] - 0.5 * X[:, 1] + 0.2 * RNG.normal(size=120)
Y = np.column_stack([y, X[:, 0] ** 2 + X[:, 1]])
GROUPS = [[0, 1, 2, 3], [4, 5, 6, 7]]
STRENGTHS = [0.01, 0.05, 0.1]
EXCLUDED = {"penalty_factor": [1, 1, np.inf, 1, 1, 1, 1, 1]}
NETWORK = {
    "hidden_layer_sizes": 4,
    "activation": "tanh",
    "solver": "lbfgs",
    "alpha": [0.0, 2.0],
    "feature_groups": GROUPS,
    "tol": 1e-6,
    "max_iter": 5000,
    "random_state": 0,
}
# Each makes zeros inside a group that lives on, along a path of the parameter named.
ZEROS = {
    "l1": ("group_l1", {"l1_per_layer": [0.05, 0]}),
    "positive": ("group_l1", {"positive_weights": True}),
    "groups": ("l1_per_layer", {"group_l1": 0.05}),
}


def goes_on_from(model):
    """A fit with the model's parameters that starts at its weights."""
    again = clone(model).set_params(warm_start=True)
    again.coefs_ = [coef.copy() for coef in model.coefs_]
    again.intercepts_ = [intercept.copy() for intercept in model.intercepts_]
    return again.fit(X, y)


@pytest.mark.parametrize("excluded", [{}, EXCLUDED], ids=["all", "excluded"])
@pytest.mark.parametrize("l1_ratio, adaptive", [(1.0, False), (1.0, True), (0.6, False)])
@pytest.mark.parametrize("zeros", ZEROS)
def test_parts_of_groups_are_penalised_as_the_whole(zeros, l1_ratio, adaptive, excluded):
    """All features in one fit find nothing to gain, and F is what the path said."""
    param, extra = ZEROS[zeros]
    model = RegularizedMLPRegressor(**NETWORK, **extra, **excluded)
    path = regularization_path(
        model,
        X,
        y,
        param=param,
        strengths=STRENGTHS,
        l1_ratio=l1_ratio,
        adaptive=adaptive,
        relaxed=False,
    )
    free = path.support[:, [0, 1, 3]]  # those of the first group that are never excluded
    assert (free.any(1) & ~free.all(1)).any()
    assert path.optimality.max() < 1e-5
    for network in path.models:
        limited = network.set_params(max_iter=1)  # a saddle may be left where iterations go on
        assert goes_on_from(limited).objective_ == pytest.approx(network.objective_, rel=1e-8)


@pytest.mark.parametrize("excluded", [{}, EXCLUDED], ids=["all", "excluded"])
def test_a_linear_path_with_bounds_and_groups_is_its_fits(excluded):
    """There is one minimum, wherever a fit begins."""
    params = {**NETWORK, "hidden_layer_sizes": (), "alpha": 0.0, "positive_weights": True}
    model = RegularizedMLPRegressor(**params, **excluded)
    path = regularization_path(model, X, y, strengths=STRENGTHS, adaptive=False, relaxed=False)
    for strength, network in zip(STRENGTHS, path.models, strict=True):
        alone = clone(model).set_params(group_l1=strength).fit(X, y)
        assert_allclose(network.coefs_[0], alone.coefs_[0], atol=1e-8)


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_paths_that_stop_early_refit(solver, adaptive, param, target):
    """Sparse rows give the numbers of dense ones; refits use the features of their support."""
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=4,
        solver=solver,
        early_stopping=True,
        alpha=2,
        max_iter=15,
        random_state=0,
        **EXCLUDED,
    )
    dense, csr = (
        regularization_path(model, data, target, n_strengths=3, param=param, adaptive=adaptive)
        for data in (X, sparse.csr_matrix(X))
    )
    assert_array_equal(dense.support, csr.support)
    assert not dense.support[:, 2].any()
    for one, other, support in zip(
        dense.relaxed_models, csr.relaxed_models, dense.support, strict=True
    ):
        assert_array_equal(one.get_support(), support)
        assert_allclose(one.predict(X), other.predict(X), atol=1e-6)


@pytest.mark.parametrize("data", [X, sparse.csr_matrix(X)], ids=["dense", "sparse"])
@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
@pytest.mark.parametrize("relaxed", [True, "auto"])
def test_cross_validation_that_stops_early_refits(relaxed, target, data):
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=4, early_stopping=True, alpha=2, max_iter=15, random_state=0, **EXCLUDED
    )
    chosen = RegularizedMLPRegressorCV(model, n_strengths=3, cv=3, relaxed=relaxed)
    chosen.fit(data, target)
    assert np.isfinite(chosen.mse_path_).all()
    assert chosen.relaxed_ in ([True] if relaxed is True else [True, False])
    assert not chosen.estimator_.get_support()[2]
