"""What the estimators ask of a loss: the scale of y, its range, and the errors of rows left out."""

from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
    mean_tweedie_deviance,
)
from sklearn.model_selection import KFold

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, regularization_path
from skmlp.engine.losses.table import REGRESSION, loss_of
from skmlp.engine.task import Weights
from skmlp.estimators.prediction import OUTPUT_ACTIVATIONS
from skmlp.training_data.target_scale import TARGET_SCALES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
METRICS = {
    "squared_error": mean_squared_error,
    "absolute_error": mean_absolute_error,
    "quantile": partial(mean_pinball_loss, alpha=0.5),
    "poisson": mean_poisson_deviance,
    "gamma": mean_gamma_deviance,
    "tweedie": partial(mean_tweedie_deviance, power=1.5),
}
LOSSES = {name: loss_of(name) for name in REGRESSION}
LINKED = ("poisson", "gamma", "tweedie")
MEANS = ("squared_error", *LINKED)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
COUNTS = RNG.poisson(np.exp(0.5 * X[:, :2] + 1)).astype(float)
WEIGHT = RNG.uniform(0.2, 3, 90)
OUTPUT = RNG.normal(size=(90, 2))


def target_of(loss, unit=1.0):
    """y of a loss, some outputs in other units."""
    return (COUNTS + (loss == "gamma") if loss in LINKED else COUNTS - 2) * unit


@pytest.mark.parametrize("name", LOSSES)
def test_out_activation_is_the_engine_s_mean(name):
    output = OUTPUT_ACTIVATIONS[LOSSES[name].out_activation](OUTPUT.copy())
    assert_allclose(output, LOSSES[name].mean(torch, torch.tensor(OUTPUT)), rtol=1e-14)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("name", METRICS)
def test_error_is_scikit_learn_s_mean_deviance(name, weight):
    """Output by output, for each in its own unit, and the mean of them."""
    row, y, units = LOSSES[name], target_of(name), np.array([2.0, 0.1])
    prediction = OUTPUT_ACTIVATIONS[row.out_activation](OUTPUT.copy())
    each = [
        METRICS[name](y[:, k], prediction[:, k], sample_weight=weight) / units[k] ** row.degree
        for k in range(2)
    ]
    assert row.error(y, OUTPUT, weight, units) == pytest.approx(np.mean(each), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_degree_says_how_errors_follow_the_unit(name):
    row, y, unit = LOSSES[name], target_of(name), 7.0
    weights = Weights([np.ones((1, 2))], [np.zeros(2)], [], [])
    scale = TARGET_SCALES[row.scaling](np.zeros(2), np.full(2, unit))
    scaled = OUTPUT * scale.to_units(weights).coefs[0][0] + scale.to_units(weights).intercepts[0]
    error = row.error(y, OUTPUT, None, np.ones(2))
    for units, expected in [(np.ones(2), unit**row.degree * error), (np.full(2, unit), error)]:
        found = row.error(unit * y, scaled, None, units, unit=unit)
        assert found == pytest.approx(expected)


def test_deviance_of_a_mean_that_underflows():
    """2 (y log(y / exp(f)) - y + exp(f)), where exp(f) is zero in floating point."""
    y, output = np.array([[3.0], [0.0]]), np.array([[-3000.0], [-2000.0]])
    expected = (3 * np.log(3) + 3 * 3000 - 3) * 2 / 2
    assert LOSSES["poisson"].error(y, output, None, np.ones(1)) == pytest.approx(expected)
    assert np.isnan(LOSSES["poisson"].error(y, -output, None, np.ones(1)))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("snap", [False, True])
@pytest.mark.parametrize("name", MEANS)
def test_constant_model_of_y_in_training_is_the_mean_of_y(name, snap, weight):
    """To rounding, although y in training is on a grid."""
    row, y = LOSSES[name], target_of(name, unit=np.array([1e-6, 300.0]))
    target = TARGET_SCALES[row.scaling].of(y, weight, True, snap=snap)
    scaled = target.transform(y)
    assert np.array_equal(scaled * 2**24, np.rint(scaled * 2**24)) == snap
    share = np.ones((90, 1)) if weight is None else weight[:, None] / weight.mean()
    constant = row.constant(scaled, share)
    weights = Weights([np.zeros((1, 2))], [constant], [], [])
    output = target.to_units(weights).intercepts[0][None]
    prediction = OUTPUT_ACTIVATIONS[row.out_activation](output)
    assert_allclose(prediction[0], np.average(y, axis=0, weights=weight), rtol=1e-13)
    again = target.from_units(target.to_units(weights))
    assert_allclose(again.intercepts[0], constant, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_y_below_the_range_is_refused(name):
    model = RegularizedMLPRegressor(name, (), max_iter=1)
    if LOSSES[name].lowest_y == -np.inf:
        model.fit(X, -COUNTS)
        return
    y, sign = target_of(name)[:, 0], ">" if name == "gamma" else ">="
    with pytest.raises(ValueError, match=f"loss='{name}' needs y {sign} 0, got a smallest y of -1"):
        model.fit(X, np.r_[-1.0, y[1:]])
    with pytest.raises(ValueError, match=r"got a smallest y_val of -1\."):
        model.fit(X, y, X_val=X, y_val=np.r_[-1.0, y[1:]])
    assert model.__sklearn_tags__().target_tags.positive_only


# Several outputs


def cv_of(loss, hidden, **params):
    network = RegularizedMLPRegressor(
        loss, hidden, activation="tanh", solver="lbfgs", alpha=3, random_state=0, **params
    )
    return RegularizedMLPRegressorCV(
        network, strengths=[1e-3, 0.05, 0.2], relaxed=False, cv=KFold(3), adaptive=False
    )


@pytest.mark.parametrize("hidden", [(), 4])
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma", "huber"])
def test_choice_does_not_depend_on_the_unit_of_one_output(loss, hidden):
    plain = cv_of(loss, hidden).fit(X, target_of(loss))
    for unit in (1e-6, 1e6):
        other = cv_of(loss, hidden).fit(X, target_of(loss, np.array([1.0, unit])))
        assert other.strength_ == plain.strength_
        assert_allclose(other.mse_path_, plain.mse_path_, rtol=1e-6)


@pytest.mark.parametrize("normalize_y", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_errors_of_outputs_count_as_in_the_loss(loss, normalize_y):
    """Over the variance of y (its mean, for the deviance) where that is the unit of training.

    Nothing is left of the networks at the strength looked at: they predict the fold's mean.
    """
    y, (rows, others) = target_of(loss), next(KFold(3).split(X))
    model = cv_of(loss, 4, normalize_y=normalize_y).set_params(strengths=[1e-3, 1e3])
    error = model.fit(X, y, sample_weight=WEIGHT).mse_path_[-1, 0]
    units, mean = np.ones(2), np.average(y, axis=0, weights=WEIGHT)
    if normalize_y:
        variance = np.average((y - mean) ** 2, axis=0, weights=WEIGHT)
        units = mean if loss == "poisson" else variance
    constant = np.average(y[rows], axis=0, weights=WEIGHT[rows])
    each = [
        METRICS[loss](y[others, k], np.full(30, constant[k]), sample_weight=WEIGHT[others])
        for k in range(2)
    ]
    assert error == pytest.approx(np.mean(each / units), rel=1e-9)


@pytest.mark.parametrize("hidden", [(), 4])
def test_poisson_paths_of_several_outputs(hidden):
    network = cv_of("poisson", hidden).estimator
    path = regularization_path(network, X, COUNTS, n_strengths=4)
    empty = np.flatnonzero(path.n_features == 0)
    for model in [path.models[k] for k in empty]:
        assert_allclose(model.predict(X), np.broadcast_to(COUNTS.mean(0), (90, 2)), rtol=1e-9)
    assert path.n_features[0] == 4


def test_rows_left_out_whose_mean_underflows():
    """A linear predictor of minus thousands has the deviance of y, not an error."""
    x = np.r_[-3000.0, RNG.normal(size=89)][:, None]
    y = RNG.poisson(np.exp(np.clip(x[:, 0], -5, 5)))
    model = RegularizedMLPRegressorCV(
        RegularizedMLPRegressor(
            "poisson", (), solver="lbfgs", alpha=0, max_iter=500, random_state=0
        ),
        n_strengths=4,
    ).fit(x, y)
    assert np.isfinite(model.mse_path_).all()
