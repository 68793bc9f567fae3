"""Losses of classes equal scikit-learn's, and their derivatives finite differences."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn._loss import loss as sklearn_loss
from sklearn.metrics import accuracy_score, log_loss

from skmlp.engine.losses.table import CLASSIFICATION, loss_of
from skmlp.engine.network.batch_loss import batch_loss

RNG = np.random.default_rng(0)
BINARY, MULTINOMIAL = (loss_of(name) for name in CLASSIFICATION)
LOSSES = {"log_loss": BINARY, "multinomial": MULTINOMIAL}
N_ROWS, N_CLASSES = 40, 4
OUTPUT = 2 * RNG.normal(size=(N_ROWS, N_CLASSES))
CODES = RNG.integers(0, N_CLASSES, N_ROWS)
ONE_HOT = np.eye(N_CLASSES)[CODES]
WEIGHT = RNG.uniform(0.5, 2, (N_ROWS, 1))
WEIGHT /= WEIGHT.mean()
EXTREME = np.array([-1000.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 1000.0])


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_binary_equals_scikit_learn_s(weight):
    """Each output by itself, as with several labels."""
    value, gradient = on_batch(BINARY, OUTPUT, ONE_HOT, weight)
    theirs = sklearn_loss.HalfBinomialLoss()
    each, slope = theirs.loss_gradient(ONE_HOT.ravel(), OUTPUT.ravel())
    share = 1.0 if weight is None else weight
    each, slope = each.reshape(OUTPUT.shape) * share, slope.reshape(OUTPUT.shape) * share
    assert_allclose(value, each.sum() / N_ROWS, rtol=1e-13)
    assert_allclose(gradient, slope / N_ROWS, rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_multinomial_equals_scikit_learn_s(weight):
    value, gradient = on_batch(MULTINOMIAL, OUTPUT, ONE_HOT, weight)
    theirs = sklearn_loss.HalfMultinomialLoss(n_classes=N_CLASSES)
    each, slope = theirs.loss_gradient(CODES.astype(float), OUTPUT)
    share = 1.0 if weight is None else weight
    assert_allclose(value, (each[:, None] * share).mean(), rtol=1e-13)
    assert_allclose(gradient, slope * share / N_ROWS, rtol=1e-12, atol=1e-16)


def on_batch(loss, output, y, weight, offset=None):
    """(value, derivative) of one model."""
    parts = [None if a is None else torch.tensor(a)[None] for a in (output, y, weight, offset)]
    value, derivative = batch_loss(loss, *parts)
    return value.numpy()[0], derivative.numpy()[0]


@pytest.mark.parametrize("name", LOSSES)
def test_an_offset_is_added_to_outputs(name):
    offset = RNG.normal(size=OUTPUT.shape)
    found = on_batch(LOSSES[name], OUTPUT, ONE_HOT, WEIGHT, offset)
    expected = on_batch(LOSSES[name], OUTPUT + offset, ONE_HOT, WEIGHT)
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_numpy_and_torch_have_the_same_formulas(name):
    loss = LOSSES[name]
    ours = loss.value_and_derivative(np, OUTPUT, ONE_HOT)
    theirs = loss.value_and_derivative(torch, torch.tensor(OUTPUT), torch.tensor(ONE_HOT))
    for a, b in zip(ours, theirs, strict=True):
        assert_allclose(a, b, rtol=1e-12, atol=1e-16)
    assert_allclose(
        loss.mean(np, OUTPUT), loss.mean(torch, torch.tensor(OUTPUT)), rtol=1e-13, atol=1e-300
    )


@pytest.mark.parametrize("name", LOSSES)
def test_derivative_equals_finite_differences(name):
    _, derivative = LOSSES[name].value_and_derivative(np, OUTPUT, ONE_HOT)
    for k in range(N_CLASSES):
        step = 1e-6 * np.eye(N_CLASSES)[k]
        above, below = (
            LOSSES[name].value_and_derivative(np, OUTPUT + d, ONE_HOT)[0].sum(1)
            for d in (step, -step)
        )
        assert_allclose((above - below) / 2e-6, derivative[:, k], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_curvature_is_the_change_of_each_derivative(name):
    curvature = LOSSES[name].curvature(OUTPUT)
    for k in range(N_CLASSES):
        step = 1e-6 * np.eye(N_CLASSES)[k]
        above, below = (LOSSES[name].gradient(OUTPUT + d, ONE_HOT, WEIGHT) for d in (step, -step))
        change = (above - below)[:, k] / 2e-6
        assert_allclose(change, curvature[:, k], rtol=1e-6, atol=1e-9)


def test_links_are_scipy_s():
    assert_allclose(BINARY.mean(np, EXTREME), expit(EXTREME), rtol=1e-14)
    assert_allclose(MULTINOMIAL.mean(np, OUTPUT), softmax(OUTPUT, axis=1), rtol=1e-13)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_binary_neither_overflows_nor_cancels(y):
    """log(1 + exp(-|f|)) and its derivative keep their digits where probabilities reach y."""
    margin = EXTREME if y else -EXTREME
    value, slope = BINARY.value_and_derivative(np, EXTREME, np.full_like(EXTREME, y))
    assert_allclose(value, np.logaddexp(0, -margin), rtol=1e-13)
    assert_allclose(np.abs(slope), expit(-margin), rtol=1e-13)


def test_multinomial_does_not_overflow():
    output = np.array([[1000.0, 0.0, -1000.0]])
    value, slope = MULTINOMIAL.value_and_derivative(np, output, np.array([[0.0, 0.0, 1.0]]))
    assert_allclose(value.sum(), 2000)
    assert_allclose(slope, [[1, 0, -1]])


@pytest.mark.parametrize("with_offset", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_constant_is_the_best(name, with_offset):
    loss = LOSSES[name]
    offset = 3 * RNG.normal(size=OUTPUT.shape) if with_offset else None
    constant = loss.constant(ONE_HOT, WEIGHT, offset)
    shift = 0.0 if offset is None else offset
    output = np.broadcast_to(constant + shift, OUTPUT.shape)

    def mean_loss(constant):
        f = np.broadcast_to(constant + shift, OUTPUT.shape)
        return (WEIGHT * loss.value_and_derivative(np, f, ONE_HOT)[0]).sum() / N_ROWS

    gradient = (WEIGHT * loss.gradient(output, ONE_HOT, WEIGHT)).mean(0)
    assert_allclose(gradient, 0, atol=1e-13)
    best = minimize(mean_loss, np.zeros(N_CLASSES), method="BFGS", options={"gtol": 1e-9}).fun
    assert mean_loss(constant) <= best + 1e-12
    if name == "multinomial":
        assert abs(constant.sum()) < 1e-12


@pytest.mark.parametrize("name", LOSSES)
def test_constant_without_an_offset_is_the_shares(name):
    constant = LOSSES[name].constant(ONE_HOT, WEIGHT)
    assert_allclose(LOSSES[name].mean(np, constant), (WEIGHT * ONE_HOT).mean(0), rtol=1e-12)
    assert_allclose(LOSSES[name].constant(ONE_HOT, WEIGHT, 0 * OUTPUT), constant, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_constant_of_a_class_without_rows_is_that_of_a_row_or_less(name):
    y = ONE_HOT[CODES > 0]
    probability = LOSSES[name].mean(np, LOSSES[name].constant(y, np.ones((len(y), 1))))
    assert 0 < probability[0] <= 1 / len(y)


def test_constant_where_all_rows_are_in_the_class():
    assert 0.5 <= BINARY.mean(np, BINARY.constant(np.ones((1, 1)), np.ones((1, 1))))[0] < 1


@pytest.mark.parametrize("name", LOSSES)
def test_losses_have_no_unit(name):
    assert LOSSES[name].scale(ONE_HOT, WEIGHT) == LOSSES[name].output_scale(ONE_HOT, WEIGHT) == 1


def test_score_is_scikit_learn_s_accuracy():
    weight = WEIGHT[:, 0]
    probability = softmax(OUTPUT, axis=1)
    expected = accuracy_score(CODES, OUTPUT.argmax(1), sample_weight=weight)
    assert MULTINOMIAL.score(ONE_HOT, probability, WEIGHT) == pytest.approx(expected)
    several = accuracy_score(ONE_HOT, OUTPUT > 0, sample_weight=weight)
    assert BINARY.score(ONE_HOT, expit(OUTPUT), WEIGHT) == pytest.approx(several)
    single = accuracy_score(ONE_HOT[:, 0], OUTPUT[:, 0] > 0, sample_weight=weight)
    assert BINARY.score(ONE_HOT[:, :1], expit(OUTPUT[:, :1]), WEIGHT) == pytest.approx(single)
    assert np.isnan(BINARY.score(ONE_HOT, np.full_like(OUTPUT, np.nan), WEIGHT))


def test_error_is_twice_scikit_learn_s_log_loss():
    weight, ones = WEIGHT[:, 0], np.ones(N_CLASSES)
    expected = 2 * log_loss(CODES, softmax(OUTPUT, axis=1), sample_weight=weight)
    assert MULTINOMIAL.error(ONE_HOT, OUTPUT, weight, ones) == pytest.approx(expected, rel=1e-12)
    each = [
        2 * log_loss(ONE_HOT[:, k], expit(OUTPUT[:, k]), sample_weight=weight) for k in range(4)
    ]
    found = BINARY.error(ONE_HOT, OUTPUT, weight, ones)
    assert found == pytest.approx(np.mean(each), rel=1e-12)


def test_strata_are_the_classes():
    assert (MULTINOMIAL.strata(ONE_HOT) == CODES).all()
    assert (BINARY.strata(ONE_HOT[:, :1]) == (CODES == 0)).all()
    assert BINARY.strata(ONE_HOT) is None


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_doubt_is_that_of_one_row_of_another_class(n_outputs):
    """The others add nothing; the odds of the one are n to one."""
    output = np.full((N_ROWS, n_outputs), -1e3)
    output[0, 0] = np.log(N_ROWS)
    error = BINARY.error(np.zeros_like(output), output, None, np.ones(n_outputs))
    assert BINARY.doubt(N_ROWS, n_outputs) == pytest.approx(error)
    of_classes = np.column_stack([np.zeros(N_ROWS), output])
    first = np.eye(n_outputs + 1)[[0] * N_ROWS]
    error = MULTINOMIAL.error(first, of_classes, None, np.ones(n_outputs + 1))
    assert MULTINOMIAL.doubt(N_ROWS, n_outputs + 1) == pytest.approx(error)
