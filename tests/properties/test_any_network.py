"""What holds of every fit, whatever the parameters and the data.

A hundred cases in all; ``make fuzz`` draws ten thousand.
"""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from properties.strategies import classifications, regressions
from sklearn.base import clone

from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor, batched_fits

pytestmark = pytest.mark.filterwarnings("ignore")


def fitted(kind, case):
    params, X, y, weights = case
    return kind(**params).fit(X, y, sample_weight=weights)


def published(model):
    """All that a fit publishes of the network, as bytes."""
    arrays = [*model.coefs_, *model.intercepts_, np.float64(model.objective_)]
    return [np.asarray(array).tobytes() for array in arrays]


def check_weights(model, X):
    """Finite, of the shapes that MLPRegressor gives them, and within the constraints."""
    sizes = [X.shape[1], *model.hidden_layer_sizes, model.n_outputs_]
    assert [coef.shape for coef in model.coefs_] == list(itertools.pairwise(sizes))
    for array in [*model.coefs_, *model.intercepts_]:
        assert np.isfinite(array).all()
    if model.positive_weights:
        assert all((coef >= 0).all() for coef in model.coefs_)
    assert np.isfinite([model.objective_, model.optimality_]).all()


def check_same_again(model, case):
    """The same bits from a clone, in a block of fits, and from a pickle the same predictions."""
    _, X, y, weights = case
    with batched_fits():
        again = clone(model).fit(X, y, sample_weight=weights)
    assert published(again) == published(model)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@given(regressions())
def test_regressors(case):
    params, X, y, _ = case
    model = fitted(RegularizedMLPRegressor, case)
    check_weights(model, X)
    prediction = model.predict(X)
    assert prediction.shape == y.shape
    assert np.isfinite(prediction).all()
    if params["loss"] in ("poisson", "gamma", "tweedie"):
        assert (prediction > 0).all()
    check_same_again(model, case)


@given(classifications())
def test_classifiers(case):
    _, X, y, _ = case
    model = fitted(RegularizedMLPClassifier, case)
    check_weights(model, X)
    shares = model.predict_proba(X)
    assert shares.shape == (len(X), len(np.unique(y)))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert np.array_equal(model.predict(X), model.classes_[shares.argmax(axis=1)])
    check_same_again(model, case)


@given(regressions())
def test_no_row_of_weight_nought_matters(case):
    """Rows without weight may hold anything: a solver on all rows does not see them."""
    params, X, y, weights = case
    params = {name: params[name] for name in params if name not in ("batch_size", "early_stopping")}
    params |= {"solver": "lbfgs", "dropout": 0.0, "normalization": None}
    seen = np.ones(len(X)) if weights is None else weights.astype(float)
    rows = np.concatenate([np.arange(len(X)), np.arange(3)])
    kept = np.concatenate([seen, np.zeros(3)])
    with_them = RegularizedMLPRegressor(**params).fit(X[rows], y[rows], sample_weight=kept)
    without = RegularizedMLPRegressor(**params).fit(X, y, sample_weight=seen)
    scale = max(np.abs(coef).max() for coef in without.coefs_)
    for theirs, own in zip(with_them.coefs_, without.coefs_, strict=True):
        np.testing.assert_allclose(theirs, own, atol=1e-5 * max(scale, 1), rtol=0)
