"""Without hidden layers paths end where the last feature leaves, and say what they missed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path


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
