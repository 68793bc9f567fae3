"""Losses equal scikit-learn's, and their derivatives finite differences."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar
from sklearn._loss import loss as sklearn_loss
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, r2_score

from skmlp.engine.losses.ordered import OrderedQuantiles
from skmlp.engine.losses.table import REGRESSION, loss_of
from skmlp.engine.network.batch_loss import batch_loss

RNG = np.random.default_rng(0)
LOSSES = {
    "squared_error": loss_of("squared_error"),
    "poisson": loss_of("poisson"),
    "absolute_error": loss_of("absolute_error"),
    "huber": loss_of("huber", delta=0.7),
    "quantile": loss_of("quantile", quantile=0.3),
    "gamma": loss_of("gamma"),
    "tweedie": loss_of("tweedie", power=1.4),
    "inverse_gaussian": loss_of("tweedie", power=3.0),
}
SCIKIT_LEARNS = {
    "squared_error": sklearn_loss.HalfSquaredError(),
    "poisson": sklearn_loss.HalfPoissonLoss(),
    "absolute_error": sklearn_loss.AbsoluteError(),
    "huber": sklearn_loss.HuberLoss(delta=0.7),
    "quantile": sklearn_loss.PinballLoss(quantile=0.3),
    "gamma": sklearn_loss.HalfGammaLoss(),
    "tweedie": sklearn_loss.HalfTweedieLoss(power=1.4),
    "inverse_gaussian": sklearn_loss.HalfTweedieLoss(power=3.0),
}
SMOOTH = [name for name, loss in LOSSES.items() if loss.smooth]
LINKED = [name for name, loss in LOSSES.items() if loss.out_activation == "exp"]
SHAPE = (3, 7, 2)


def target(name, shape):
    """y that the loss has a value for, zeros among them where it may."""
    if name not in LINKED:
        return RNG.normal(size=shape)
    if LOSSES[name].excludes_lowest:
        return RNG.gamma(2.0, size=shape)
    return RNG.poisson(1.0, shape).astype(float)


def sample(name):
    """Outputs, targets and weights of mean one."""
    weight = RNG.uniform(0.5, 2, (3, 7, 1))
    return RNG.normal(size=SHAPE), target(name, SHAPE), weight / weight.mean(1, keepdims=True)


def on_batch(loss, output, y, weight, offset=None):
    tensors = [None if a is None else torch.tensor(a) for a in (output, y, weight, offset)]
    value, derivative = batch_loss(loss, *tensors)
    return value.numpy(), derivative.numpy()


def ours(name, output, y, weight):
    return on_batch(LOSSES[name], output, y, weight)


def test_every_loss_is_tested():
    assert {loss.name for loss in LOSSES.values()} == set(REGRESSION)


def test_powers_that_have_names():
    named = [loss_of("tweedie", power=power).name for power in (0, 1, 2)]
    assert named == ["squared_error", "poisson", "gamma"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_equals_scikit_learns(name, weighted):
    output, y, weight = sample(name)
    weight = weight if weighted else None
    value, derivative = ours(name, output, y, weight)
    loss = SCIKIT_LEARNS[name]
    each, gradient = loss.loss_gradient(y.ravel(), output.ravel())
    each = (each + loss.constant_to_optimal_zero(y.ravel())).reshape(SHAPE)
    weight = 1.0 if weight is None else weight
    assert_allclose(value, (each * weight).sum(2).mean(1), rtol=1e-11)
    assert_allclose(derivative, gradient.reshape(SHAPE) * weight / 7, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_numpy_and_torch_have_the_same_formulas(name):
    output, y, _ = sample(name)
    pairs = zip(
        LOSSES[name].value_and_derivative(np, output, y),
        LOSSES[name].value_and_derivative(torch, torch.tensor(output), torch.tensor(y)),
        strict=True,
    )
    for ours, theirs in pairs:
        assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_an_offset_is_added_to_outputs(name):
    output, y, weight = sample(name)
    offset = RNG.normal(size=SHAPE)
    found = on_batch(LOSSES[name], output, y, weight, offset)
    expected = ours(name, output + offset, y, weight)
    assert_allclose(found[0], expected[0], rtol=1e-13)
    assert_allclose(found[1], expected[1], rtol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_y_at_and_below_the_end_of_the_range(name):
    """As scikit-learn's losses see it."""
    loss, interval = LOSSES[name], SCIKIT_LEARNS[name].interval_y_true
    for value in (-1.0, 0.0, 1.0):
        y = np.array([[value]])
        if interval.includes(y):
            loss.check_range(y, "y")
        else:
            with pytest.raises(ValueError, match=f"loss='{loss.name}' needs y >=? 0, got a smal"):
                loss.check_range(y, "y")


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
def test_mean_is_the_inverse_of_scikit_learn_s_link(name):
    mean = np.array([0.5, 1.0, 7.0])
    output = SCIKIT_LEARNS[name].link.link(mean)
    assert_allclose(LOSSES[name].mean(np, output), mean, rtol=1e-14)
    assert_allclose(LOSSES[name].mean(torch, torch.tensor(output)), mean, rtol=1e-14)


def test_link_of_nothing_is_finite_and_that_of_little_exact():
    assert np.isfinite(LOSSES["poisson"].link(np.zeros(2))).all()
    assert LOSSES["poisson"].link(np.array([1e-30])) == pytest.approx(np.log(1e-30))


@pytest.mark.parametrize("with_offset", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_constant_is_the_best(name, with_offset):
    _, y, weight = sample(name)
    y, weight = y[0], weight[0]
    offset = RNG.normal(size=y.shape) if with_offset else None

    def mean_loss(output, k):
        shifted = output if offset is None else output + offset[:, k]
        output = np.broadcast_to(shifted, len(y))
        return weight[:, 0] @ LOSSES[name].value_and_derivative(np, output, y[:, k])[0]

    for k, constant in enumerate(LOSSES[name].constant(y, weight, offset)):
        best = minimize_scalar(mean_loss, args=(k,), bounds=(-40, 40), options={"xatol": 1e-10})
        assert mean_loss(constant, k) <= best.fun + 1e-9 * abs(best.fun)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_of_each_row_is_scikit_learn_s(name):
    output, y, _ = sample(name)
    expected = SCIKIT_LEARNS[name].gradient(y[0].ravel(), output[0].ravel())
    gradient, weight = LOSSES[name].gradient, np.ones((7, 1))
    found = gradient(output[0], y[0], weight)
    assert_allclose(found, expected.reshape(SHAPE[1:]), rtol=1e-12, atol=1e-15)
    for_all = gradient(output[0, 0], y[0], weight)
    expected = gradient(np.tile(output[0, 0], (7, 1)), y[0], weight)
    assert_allclose(for_all, expected, rtol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_at_the_constant_model_is_none(name):
    _, y, weight = sample(name)
    constant = LOSSES[name].constant(y[0], weight[0])
    gradient = LOSSES[name].gradient(constant, y[0], weight[0])
    assert_allclose((weight[0] * gradient).sum(0), 0, atol=1e-12)


@pytest.mark.parametrize("name", LINKED)
def test_curvature_is_the_change_of_the_gradient_expected(name):
    """At y equal to its mean, in which the gradient is linear."""
    output = RNG.normal(size=(7, 2))
    y = np.exp(output)
    above, below = (LOSSES[name].gradient(output + d, y, None) for d in (1e-6, -1e-6))
    assert_allclose((above - below) / 2e-6, LOSSES[name].curvature(output), rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_quadratic_says_that_it_is_the_square(name):
    output, y, _ = sample(name)
    value, _ = LOSSES[name].value_and_derivative(np, output, y)
    assert np.allclose(value, 0.5 * (y - output) ** 2) == LOSSES[name].quadratic


def test_score_is_scikit_learn_s_r2():
    _, y, weight = sample("squared_error")
    prediction = y[0] + RNG.normal(size=y[0].shape)
    prediction[:, 1] = y[0, :, 1] = 4.0
    expected = r2_score(y[0], prediction, sample_weight=weight[0, :, 0])
    for name in ("squared_error", "poisson"):
        assert LOSSES[name].score(y[0], prediction, weight[0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name, power", [("gamma", 2), ("tweedie", 1.4), ("inverse_gaussian", 3)])
def test_score_is_scikit_learn_s_d2_of_deviances(name, power):
    y, prediction = target(name, 9), RNG.uniform(0.5, 2, 9)
    weight = RNG.uniform(1, 2, 9)
    expected = d2_tweedie_score(y, prediction, sample_weight=weight, power=power)
    weight = (weight / weight.mean())[:, None]
    found = LOSSES[name].score(y[:, None], prediction[:, None], weight)
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("level", [0.5, 0.3])
def test_score_is_scikit_learn_s_d2_of_quantiles(level):
    """Of rows that have their quantile among them."""
    y, prediction = RNG.normal(size=11), RNG.normal(size=11)
    expected = d2_pinball_score(y, prediction, alpha=level)
    losses = [loss_of("quantile", quantile=level)]
    losses += [LOSSES["absolute_error"]] if level == 0.5 else []
    for loss in losses:
        found = loss.score(y[:, None], prediction[:, None], np.ones((11, 1)))
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_score_of_what_is_not_finite_is_not_a_number(name):
    y = target(name, (5, 1))
    assert np.isnan(LOSSES[name].score(y, np.full((5, 1), np.inf), np.ones((5, 1))))


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in ("huber", "tweedie")])
def test_scale_follows_the_units_of_y(name):
    y, weight = RNG.uniform(size=(9, 2)), np.ones((9, 1))
    loss = LOSSES[name]
    expected = 5**loss.degree * loss.scale(y, weight)
    assert loss.scale(5 * y, weight) == pytest.approx(expected, rel=1e-9)


def test_scale_of_squared_error_is_the_variance():
    y, weight = RNG.uniform(size=(9, 2)), RNG.uniform(1, 2, (9, 1))
    weight /= weight.mean()
    expected = sum(np.cov(column, aweights=weight[:, 0], ddof=0) for column in y.T)
    assert LOSSES["squared_error"].scale(y, weight) == pytest.approx(expected, rel=1e-13)


# Several quantiles

LEVELS = OrderedQuantiles((0.1, 0.4, 0.5, 0.9))


def test_predictions_are_in_order_and_losses_those_of_each_level():
    output, y = RNG.normal(size=(2, 9, 4)), np.repeat(RNG.normal(size=(2, 9, 1)), 4, axis=2)
    prediction = LEVELS.mean(np, output)
    assert (np.diff(prediction, axis=2) > 0).all()
    value, _ = LEVELS.value_and_derivative(np, output, y)
    for k, level in enumerate(LEVELS.levels):
        each = sklearn_loss.PinballLoss(quantile=level).loss(
            y[..., k].ravel(), prediction[..., k].ravel()
        )
        assert_allclose(value[..., k].ravel(), each, rtol=1e-12, atol=1e-15)
    assert_allclose(prediction[..., 0], output[..., 0])


def test_derivative_of_several_quantiles_equals_finite_differences():
    output, y = RNG.normal(size=(9, 4)), np.repeat(RNG.normal(size=(9, 1)), 4, axis=1)
    _, derivative = LEVELS.value_and_derivative(np, output, y)
    for k in range(4):
        step = 1e-6 * np.eye(4)[k]
        pair = [LEVELS.value_and_derivative(np, output + d, y)[0].sum(1) for d in (step, -step)]
        assert_allclose((pair[0] - pair[1]) / 2e-6, derivative[:, k], rtol=1e-6, atol=1e-8)


def test_constant_of_several_quantiles_predicts_each():
    y, weight = RNG.normal(size=(30, 1)), np.ones((30, 1))
    constant = LEVELS.constant(LEVELS.columns(y, "y"), weight)
    each = [loss_of("quantile", quantile=level).constant(y, weight)[0] for level in LEVELS.levels]
    assert_allclose(LEVELS.mean(np, constant), each, rtol=1e-12)


def test_several_quantiles_of_several_outputs_are_refused():
    with pytest.raises(ValueError, match=r"y has 2 outputs, and quantile=.* several levels"):
        LEVELS.columns(np.zeros((3, 2)), "y")
