"""Networks without hidden layers equal scikit-learn's ElasticNet, whatever the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import ROW_WEIGHTS, tables, weights_of_rows
from sklearn.linear_model import ElasticNet

from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore")


def objective(model, X, y, weights, l1, alpha):
    """F at a linear model's coefficients, on the standardised y of the regressor."""
    weights = weights / weights.sum()
    coef = np.ravel(model.coef_)
    errors = y - X @ coef - model.intercept_
    return weights @ errors**2 / 2 + l1 * np.abs(coef).sum() + alpha / 2 * (coef**2).sum()


@given(st.data())
def test_elastic_net(data):
    X, rng = data.draw(tables())
    X = X.astype(np.float64)
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    y = X[:, 0] + rng.normal(size=len(X))
    l1, alpha = data.draw(st.floats(1e-3, 1.0)), data.draw(st.floats(0.0, 1.0))
    positive = data.draw(st.booleans())
    weights = weights_of_rows(rng, len(X), data.draw(ROW_WEIGHTS))
    own_weights = np.ones(len(X)) if weights is None else weights.astype(float)
    theirs = ElasticNet(
        l1 + alpha, l1_ratio=l1 / (l1 + alpha), tol=1e-13, max_iter=20_000, positive=positive
    ).fit(X, y, sample_weight=own_weights)
    ours = RegularizedMLPRegressor(
        hidden_layer_sizes=(),
        solver="lbfgs",
        l1_per_layer=l1,
        alpha=alpha * own_weights.sum(),
        positive_weights=positive,
        normalize_y=False,
        tol=1e-10,
        max_iter=10_000,
    ).fit(X, y, sample_weight=own_weights)
    mine = ElasticNet()
    mine.coef_, mine.intercept_ = ours.coefs_[0][:, 0], ours.intercepts_[0][0]
    values = [objective(model, X, y, own_weights, l1, alpha) for model in (mine, theirs)]
    assert values[0] <= values[1] + 1e-9 * max(1, abs(values[1]))
