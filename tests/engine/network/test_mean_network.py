"""The mean of networks as one predicts their mean, in scikit-learn's MLPRegressor too."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skmlp.engine.network.mean_network import mean_network
from skmlp.engine.task import Weights

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))


def theirs(hidden, activation, seed=0):
    """A fitted network of scikit-learn."""
    params = {"hidden_layer_sizes": hidden, "activation": activation, "random_state": seed}
    with pytest.warns(ConvergenceWarning):
        return MLPRegressor(max_iter=3, **params).fit(X, Y)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden", [(4,), (4, 3), (2, 5, 3)])
def test_the_mean_is_a_network_of_scikit_learn(hidden, activation):
    members = [theirs(hidden, activation, seed) for seed in range(3)]
    mean = mean_network([Weights(m.coefs_, m.intercepts_, [], []) for m in members])
    one = theirs(tuple(3 * n for n in hidden), activation)
    one.coefs_, one.intercepts_ = mean.coefs, mean.intercepts
    expected = np.mean([member.predict(X) for member in members], axis=0)
    assert_allclose(one.predict(X), expected, rtol=1e-12)


def test_deeper_layers_are_zero_between_the_members():
    members = [theirs((2, 3), "tanh", seed) for seed in range(2)]
    inner = mean_network([Weights(m.coefs_, m.intercepts_, [], []) for m in members]).coefs[1]
    assert_array_equal(inner[:2, 3:], 0)
    assert_array_equal(inner[2:, :3], 0)
    assert_array_equal(inner[:2, :3], members[0].coefs_[1])


def test_linear_models_average():
    pairs = [([RNG.normal(size=(3, 1))], [RNG.normal(size=1)]) for _ in range(4)]
    mean = mean_network([Weights(*pair, [], []) for pair in pairs])
    assert_allclose(mean.coefs[0], np.mean([pair[0][0] for pair in pairs], axis=0))
    assert_allclose(mean.intercepts[0], np.mean([pair[1][0] for pair in pairs], axis=0))


def test_layer_normalisation_has_no_mean():
    weights = Weights([np.ones((2, 1))], [np.ones(1)], [np.ones(2)], [np.ones(2)])
    with pytest.raises(ValueError, match="normalised over a layer"):
        mean_network([weights, weights])
