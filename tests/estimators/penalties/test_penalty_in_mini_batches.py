"""The L1 penalty acts at full strength in every mini-batch, whatever its size."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmlp import RegularizedMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)) * [1.0, 1.0, 0.0]  # the last column is nought: no gradient but L1's
y = X[:, 0] + 0.1 * RNG.normal(size=60)
RATE, L1 = 0.01, 0.1


def weight_of_nothing(batch_size, start, n_epochs):
    """The weight of the column of zeros after so many epochs from ``start``."""
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        momentum=0,
        alpha=0,
        l1_per_layer=L1,
        learning_rate_init=RATE,
        batch_size=batch_size,
        normalize_y=False,
        random_state=0,
    ).partial_fit(X, y)
    model.coefs_[0][2] = start
    for _ in range(n_epochs):
        model.partial_fit(X, y)
    return model.coefs_[0][2, 0]


@pytest.mark.parametrize("batch_size", [60, 20, 7, 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_each_step_takes_the_rate_times_the_strength(batch_size, sign):
    n_steps = 2 * -(-60 // batch_size)
    left = weight_of_nothing(batch_size, sign, n_epochs=2)
    assert_allclose(left, sign * (1 - n_steps * RATE * L1), rtol=1e-12)


@pytest.mark.parametrize("batch_size", [60, 20, 7, 1])
def test_a_weight_that_reaches_zero_stays_there(batch_size):
    steps = 2 * -(-60 // batch_size)
    assert_array_equal(weight_of_nothing(batch_size, (steps - 0.5) * RATE * L1, n_epochs=2), 0)
