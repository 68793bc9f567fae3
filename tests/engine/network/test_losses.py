"""Losses equal scikit-learn's, and their derivatives finite differences."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn._loss.loss import HalfPoissonLoss, HalfSquaredError
from sklearn.metrics import r2_score

from skmlp.engine.network.losses import LOSSES

RNG = np.random.default_rng(0)
SCIKIT_LEARNS = {"squared_error": HalfSquaredError, "poisson": HalfPoissonLoss}
SHAPE = (3, 7, 2)


def sample(name):
    """Outputs, targets with zeros among them, and weights of mean one."""
    output, y = RNG.normal(size=SHAPE), RNG.normal(size=SHAPE)
    y = RNG.poisson(1.0, SHAPE).astype(float) if name == "poisson" else y
    weight = RNG.uniform(0.5, 2, (3, 7, 1))
    return output, y, weight / weight.mean(1, keepdims=True)


def ours(name, output, y, weight):
    weight = None if weight is None else torch.tensor(weight)
    value, derivative = LOSSES[name].value_and_derivative(
        torch.tensor(output), torch.tensor(y), weight
    )
    return value.numpy(), derivative.numpy()


def test_every_loss_is_tested():
    assert set(LOSSES) == set(SCIKIT_LEARNS)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_equals_scikit_learns(name, weighted):
    output, y, weight = sample(name)
    weight = weight if weighted else None
    value, derivative = ours(name, output, y, weight)
    loss = SCIKIT_LEARNS[name]()
    each, gradient = loss.loss_gradient(y.ravel(), output.ravel())
    each = (each + loss.constant_to_optimal_zero(y.ravel())).reshape(SHAPE)
    weight = 1.0 if weight is None else weight
    assert_allclose(value, (each * weight).sum(2).mean(1), rtol=1e-12)
    assert_allclose(derivative, gradient.reshape(SHAPE) * weight / 7, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_derivative_equals_finite_differences(name, weighted):
    output, y, weight = sample(name)
    weight = weight if weighted else None
    _, derivative = ours(name, output, y, weight)
    for row in range(7):
        for column in range(2):
            step = np.zeros(SHAPE)
            step[:, row, column] = 1e-6
            above, below = (ours(name, output + d, y, weight)[0] for d in (step, -step))
            assert_allclose(
                (above - below) / 2e-6, derivative[:, row, column], rtol=1e-6, atol=1e-9
            )


@pytest.mark.parametrize("name", LOSSES)
def test_link_and_mean(name):
    mean, loss = np.array([0.5, 1.0, 7.0]), SCIKIT_LEARNS[name]()
    assert_allclose(LOSSES[name].link(mean), loss.link.link(mean), rtol=1e-14)
    assert_allclose(LOSSES[name].mean(torch.tensor(LOSSES[name].link(mean))), mean, rtol=1e-14)


def test_link_of_nothing_is_finite_and_that_of_little_exact():
    assert np.isfinite(LOSSES["poisson"].link(np.zeros(2))).all()
    assert LOSSES["poisson"].link(np.array([1e-30])) == pytest.approx(np.log(1e-30))


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_of_each_row_is_scikit_learn_s(name):
    output, y, _ = sample(name)
    expected = SCIKIT_LEARNS[name]().gradient(y[0].ravel(), output[0].ravel())
    assert_allclose(LOSSES[name].gradient(output[0], y[0]), expected.reshape(SHAPE[1:]), rtol=1e-12)
    for_all = LOSSES[name].gradient(output[0, 0], y[0])
    expected = LOSSES[name].gradient(np.tile(output[0, 0], (7, 1)), y[0])
    assert_allclose(for_all, expected, rtol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_at_the_constant_model_is_none(name):
    _, y, weight = sample(name)
    constant = LOSSES[name].constant(y[0], weight[0])
    assert_allclose((weight[0] * LOSSES[name].gradient(constant, y[0])).sum(0), 0, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_curvature_is_the_change_of_the_gradient(name):
    output, y, _ = sample(name)
    above, below = (LOSSES[name].gradient(output[0] + d, y[0]) for d in (1e-6, -1e-6))
    assert_allclose((above - below) / 2e-6, LOSSES[name].curvature(output[0]), rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_quadratic_says_that_curvature_is_one(name):
    ones = np.ones(SHAPE)
    output, _, _ = sample(name)
    assert np.array_equal(LOSSES[name].curvature(output), ones) == LOSSES[name].quadratic


def test_score_is_scikit_learn_s_r2():
    _, y, weight = sample("squared_error")
    prediction = y[0] + RNG.normal(size=y[0].shape)
    prediction[:, 1] = y[0, :, 1] = 4.0
    expected = r2_score(y[0], prediction, sample_weight=weight[0, :, 0])
    for loss in LOSSES.values():
        assert loss.score(y[0], prediction, weight[0]) == pytest.approx(expected, rel=1e-12)
        assert np.isnan(loss.score(y[0], prediction * np.inf, weight[0]))


@pytest.mark.parametrize("power, name", [(2, "squared_error"), (1, "poisson")])
def test_scale_follows_the_units_of_y(power, name):
    y, weight = RNG.uniform(size=(9, 2)), np.ones((9, 1))
    scale = LOSSES[name].scale
    assert scale(5 * y, weight) == pytest.approx(5**power * scale(y, weight), rel=1e-13)


def test_scale_of_squared_error_is_the_variance():
    y, weight = RNG.uniform(size=(9, 2)), RNG.uniform(1, 2, (9, 1))
    weight /= weight.mean()
    expected = sum(np.cov(column, aweights=weight[:, 0], ddof=0) for column in y.T)
    assert LOSSES["squared_error"].scale(y, weight) == pytest.approx(expected, rel=1e-13)
