"""Linear models fitted as exactly as float64 can, for tests against other programs."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from skmlp import RegularizedMLPRegressor

LINEAR = {"hidden_layer_sizes": (), "normalize_y": False, "solver": "lbfgs", "random_state": 0}


def linear(l1=0.0, l2=0.0, total_weight=1.0, **params):
    """The linear model in the terms of the objective: alpha is l2 times the sum of weights."""
    return RegularizedMLPRegressor(
        **{**LINEAR, "l1_per_layer": l1, "alpha": l2 * total_weight, **params}
    )


def assert_same_solution(model, coef, intercept):
    """The same support, and coefficients and intercept within 1e-8 of the largest coefficient."""
    ours, coef = model.coefs_[0], np.reshape(coef, model.coefs_[0].shape)
    largest = np.abs(coef).max()
    assert_array_equal(ours != 0, coef != 0)
    assert_allclose(ours, coef, rtol=0, atol=1e-8 * largest)
    assert_allclose(model.intercepts_[0], intercept, rtol=1e-8, atol=1e-8 * largest)
