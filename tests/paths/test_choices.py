"""What paths, cross-validation and stability selection publish and warn of, in any units of y."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from support.searches_of_strengths import ENTRIES, LINEAR, NETWORK, WEIGHT, X, run_cv, run_path, y

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)
from skmlp.engine.train import train
from skmlp.estimators.publication import warn_of_status
from skmlp.parameters.task_builder import build_task
from skmlp.training_data.fit_data import checked_arrays, fit_data

NOISY = np.column_stack([X, np.random.default_rng(7).normal(size=(90, 4))])


# Convergence


@pytest.mark.parametrize("run", ENTRIES)
def test_unconverged_fits_are_counted_in_one_warning(run):
    hasty = RegularizedMLPRegressor(**{**NETWORK, "max_iter": 2, "tol": 1e-8})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(hasty, adaptive=False)
    (message,) = [str(w.message) for w in caught if w.category is ConvergenceWarning]
    assert "fits of the path did not converge" in message
    assert "tol=1e-08" in message


@pytest.mark.parametrize("run", ENTRIES)
def test_converged_fits_raise_no_warning(run):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        run(RegularizedMLPRegressor(**NETWORK))


# What is published


@pytest.mark.parametrize("model", [LINEAR, NETWORK])
@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_networks_of_a_path_carry_their_strengths(model, param, l1_ratio):
    path = run_path(
        RegularizedMLPRegressor(**model), param=param, l1_ratio=l1_ratio, adaptive=False
    )
    strengths = [getattr(network, param) for network in path.models]
    assert_allclose(strengths, l1_ratio * path.strengths, rtol=1e-14)
    alphas = [network.alpha for network in path.models]
    expected = model["alpha"] if l1_ratio == 1 else (1 - l1_ratio) * 90 * path.strengths
    assert_allclose(alphas, np.broadcast_to(expected, len(alphas)), rtol=1e-14)
    for relaxed in path.relaxed_models:
        assert (relaxed.group_l1, relaxed.l1_per_layer, relaxed.alpha) == (0, 0, 0)
        assert_array_equal(np.isfinite(relaxed.penalty_factor), relaxed.get_support())


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_network_chosen_can_be_fitted_again(adaptive):
    """A linear one is the same again; its factors hold those of the adaptive penalty."""
    chosen = run_cv(RegularizedMLPRegressor(**LINEAR), adaptive=adaptive, relaxed=False)
    again = clone(chosen.estimator_).fit(X, y)
    assert chosen.estimator_.group_l1 == chosen.strength_
    assert_allclose(again.coefs_[0], chosen.coefs_[0], atol=1e-9)
    network = run_cv(RegularizedMLPRegressor(**NETWORK), adaptive=adaptive, relaxed=False)
    assert network.estimator_.group_l1 == network.strength_
    assert clone(network.estimator_).fit(X, y).score(X, y) > network.score(X, y) - 0.05


RELAXED = {
    "linear": (LINEAR, {}),
    "adaptive": (LINEAR, {"adaptive": True, "strengths": [0.05, 0.1]}),
    "several outputs": (LINEAR, {"target": np.column_stack([y, X[:, 2] + y])}),
    "names and groups": (
        {**LINEAR, "feature_groups": [["b", "e"]], "penalty_factor": {"d": np.inf, "a": 0}},
        {"data": pd.DataFrame(NOISY, columns=list("abcdefgh"))},
    ),
    "L1": ({**LINEAR, "group_l1": 0.1}, {"param": "l1_per_layer", "l1_ratio": 0.5}),
    "network": (NETWORK, {}),
    "network, adaptive": (NETWORK, {"adaptive": True}),
    "network, L1": (NETWORK, {"param": "l1_per_layer", "strengths": [0.02, 0.05]}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model, settings", RELAXED.values(), ids=list(RELAXED))
def test_a_refit_that_is_chosen_can_be_fitted_again(model, settings):
    """On the same features, without a penalty; a linear one is the same again."""
    data, target = settings.get("data", NOISY), settings.get("target", y)
    params = {k: v for k, v in settings.items() if k not in ("data", "target")}
    chosen = RegularizedMLPRegressorCV(
        RegularizedMLPRegressor(**model),
        **{"n_strengths": 5, "cv": 3, "relaxed": True, "selection": "1se", **params},
    ).fit(data, target)
    refit = chosen.estimator_
    assert chosen.relaxed_
    assert (refit.group_l1, refit.l1_per_layer, refit.alpha) == (0, 0, 0)
    again = clone(refit).fit(data, target)
    assert_array_equal(again.get_support(), chosen.get_support())
    assert chosen.get_support().sum() < 8
    if model["hidden_layer_sizes"] == ():
        assert_allclose(again.coefs_[0], chosen.coefs_[0], rtol=0, atol=1e-9)
    else:
        assert again.score(data, target) > chosen.score(data, target) - 0.02


@pytest.mark.filterwarnings("ignore")
def test_a_choice_among_refits_and_penalised_networks_carries_its_own_penalty():
    kinds = set()
    for noise in (0.0, 3.0):
        target = y + noise * np.random.default_rng(4).normal(size=90)
        chosen = RegularizedMLPRegressorCV(
            RegularizedMLPRegressor(**NETWORK), n_strengths=4, cv=3, adaptive=False
        ).fit(NOISY, target)
        kinds.add(chosen.relaxed_)
        expected = (0, 0) if chosen.relaxed_ else (chosen.strength_, NETWORK["alpha"])
        assert (chosen.estimator_.group_l1, chosen.estimator_.alpha) == expected
    assert kinds == {True, False}


@pytest.mark.parametrize("relaxed", [False, True, "auto"])
def test_the_error_of_the_network_chosen_is_published(relaxed):
    chosen = run_cv(RegularizedMLPRegressor(**NETWORK), relaxed=relaxed)
    of_path = chosen.mse_mean_[np.flatnonzero(chosen.strengths_ == chosen.strength_)[0]]
    if relaxed == "auto" and chosen.relaxed_:
        assert chosen.mse_ < of_path
    else:
        assert chosen.mse_ == of_path


def test_what_is_published_is_read_from_the_task():
    """An estimator of other parameters publishes and warns of what was trained."""
    counts = np.round(np.exp(y))
    model = RegularizedMLPRegressor(
        "poisson",
        5,
        normalization="layer",
        early_stopping=True,
        max_iter=3,
        learning_rate_init=0.02,
        random_state=0,
    )
    arrays = checked_arrays(clone(model), X, counts, None, reset=True)
    data = fit_data(model, arrays, None, None, 0)
    task, other = build_task(model, data, 0), RegularizedMLPRegressor()
    (solution,) = train([task])
    attributes = other._adopt(task, data, solution, {})
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\)"):
        warn_of_status(task, attributes, solution)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\)"):
        model.fit(X, counts)
    for name in ("out_activation_", "validation_scores_", "best_loss_", "loss_curve_", "t_"):
        assert getattr(other, name) == getattr(model, name), name
    assert len(other.layer_norm_gains_) == 1
    assert_array_equal(other._predict(X), model.predict(X))


# Weights


def test_the_default_network_does_not_depend_on_the_sum_of_weights():
    fits = [
        RegularizedMLPRegressorCV(n_strengths=4, cv=3).fit(X, y, unit * WEIGHT / WEIGHT.sum())
        for unit in (1.0, 90.0)
    ]
    assert_allclose(fits[0].strengths_, fits[1].strengths_, rtol=1e-6)
    assert fits[0].score(X, y) == pytest.approx(fits[1].score(X, y), abs=0.02)


def test_small_weights_beside_an_alpha_of_one_s_own_are_warned_of():
    model = RegularizedMLPRegressorCV(RegularizedMLPRegressor(**NETWORK), n_strengths=3, cv=2)
    with pytest.warns(UserWarning, match="divided by the sum of the weights"):
        model.fit(X, y, np.full(90, 1 / 90))


# Units of y


@pytest.mark.parametrize("model", [LINEAR, NETWORK, {**NETWORK, "normalize_y": False}])
@pytest.mark.parametrize("unit", [1e-200, 1e200])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_units_of_y_whose_squares_are_no_numbers(model, unit, n_outputs):
    outputs = y * unit if n_outputs == 1 else np.column_stack([y, y * unit])
    network, small = RegularizedMLPRegressor(**model), {"n_strengths": 3}
    for run in (
        RegularizedMLPRegressorCV(network, **small).fit,
        lambda *data: regularization_path(network, *data, **small),
        lambda *data: stability_selection(network, *data, n_subsamples=2, **small),
    ):
        with pytest.raises(ValueError, match=r"y varies by .*Scale y"):
            run(X, outputs)


@pytest.mark.parametrize("unit", [2.0**-480, 2.0**-270, 2.0**270, 2.0**490])
def test_choice_in_small_and_large_units_of_y(unit):
    noisy = y + 2 * np.random.default_rng(1).normal(size=90)
    network = RegularizedMLPRegressor(**LINEAR)
    model, other = (
        RegularizedMLPRegressorCV(network, selection="1se", cv=KFold()).fit(X, of * noisy)
        for of in (1.0, unit)
    )
    assert model.strength_min_ < model.strength_
    assert other.strength_ == pytest.approx(model.strength_)
    assert_allclose(other.mse_mean_ / unit**2, model.mse_mean_, rtol=1e-9)
    assert_allclose(other.mse_se_ / unit**2, model.mse_se_, rtol=1e-9)


def test_constant_y_has_no_unit():
    constant = np.full(90, 1e-200)
    model = RegularizedMLPRegressorCV(RegularizedMLPRegressor(**LINEAR)).fit(X, constant)
    assert_allclose(model.predict(X), constant)
