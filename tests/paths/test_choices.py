"""What paths, cross-validation and stability selection check, publish and warn of."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils._param_validation import InvalidParameterError

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)
from skmlp.engine.train import train
from skmlp.estimators.publication import warn_of_status
from skmlp.parameters.task_builder import build_task
from skmlp.paths.running.base_network import default_network
from skmlp.training_data.fit_data import checked_arrays, fit_data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
y = np.tanh(2 * X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=90)
NOISY = np.column_stack([X, np.random.default_rng(7).normal(size=(90, 4))])
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0}
NETWORK = {
    "hidden_layer_sizes": 6,
    "activation": "tanh",
    "solver": "lbfgs",
    "alpha": 2.0,
    "tol": 1e-3,
    "max_iter": 1000,
    "random_state": 0,
}


def run_cv(model, **params):
    return RegularizedMLPRegressorCV(model, **{"n_strengths": 5, "cv": 3, **params}).fit(X, y)


def run_path(model, **params):
    return regularization_path(model, X, y, **{"n_strengths": 4, **params})


def run_selection(model, **params):
    return stability_selection(model, X, y, n_subsamples=4, n_strengths=3, random_state=0, **params)


ENTRIES = [run_cv, run_path, run_selection]


# Parameters of the network


@pytest.mark.parametrize("run", ENTRIES)
@pytest.mark.parametrize(
    "name, value",
    [("max_iter", 0), ("tol", -1), ("activation", "rellu"), ("solver", "newton"), ("loss", "l2")],
)
def test_parameters_of_the_network_are_checked(run, name, value):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
        run(RegularizedMLPRegressor(**{**NETWORK, name: value}))


@pytest.mark.parametrize("run", ENTRIES)
def test_verbose_prints_a_line_a_strength(run, capsys):
    run(RegularizedMLPRegressor(**NETWORK), verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("Strength") and "features" in line for line in lines) >= 3
    assert any(line.startswith("Refits") for line in lines) == (run is run_cv)
    run(RegularizedMLPRegressor(**NETWORK))
    assert not capsys.readouterr().out
    with pytest.raises(InvalidParameterError, match="'verbose' parameter"):
        run(RegularizedMLPRegressor(**NETWORK), verbose="much")


LINE = (
    r"Strength \d of 5, group_l1 = (\S+): (\d) features \((\S+) in folds\), loss (\S+), "
    r"mean error of folds (\S+) \(se (\S+)\)"
)


@pytest.mark.parametrize("relaxed", [False, True, "auto"])
def test_verbose_says_what_the_choice_is_made_by(relaxed, capsys):
    chosen = run_cv(RegularizedMLPRegressor(**NETWORK), verbose=True, relaxed=relaxed)
    *lines, last = capsys.readouterr().out.splitlines()
    said = [re.fullmatch(LINE, line) for line in lines if line.startswith("Strength")]
    numbers = np.array([[float(number) for number in match.groups()] for match in said])
    assert_allclose(numbers[:, 0], chosen.strengths_, rtol=1e-3)
    assert_array_equal(numbers[:, 1], chosen.n_features_path_)
    assert_allclose(numbers[:, 3], chosen.path_.objective, atol=1e-6)
    errors = numbers[:, 4]
    if relaxed is True:
        errors = [float(line.split()[-1]) for line in lines if line.startswith("Refits at")]
    else:
        assert_allclose(numbers[:, 5], chosen.mse_se_, rtol=0.06)
    assert_allclose(errors, chosen.mse_mean_, rtol=1e-5)
    assert last.startswith(f"Chosen: group_l1 = {chosen.strength_:.4g}, ")
    assert ("refitted" in last) == chosen.relaxed_
    assert float(last.split()[-1]) == pytest.approx(chosen.mse_, rel=1e-5)


def test_lbfgs_prints_its_progress(capsys):
    model = RegularizedMLPRegressor(**NETWORK).set_params(verbose=True, tol=1e-6).fit(X, y)
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("Iteration ")
    assert float(last.split("=")[1]) == pytest.approx(model.objective_, rel=1e-3)


def test_parameters_of_the_default_network_say_what_to_do():
    search = GridSearchCV(RegularizedMLPRegressorCV(), {"estimator__alpha": [1.0, 2.0]}, cv=2)
    with pytest.raises(ValueError, match=r"estimator is None: give one, such as .*solver='lbfgs'"):
        search.fit(X, y)
    model = RegularizedMLPRegressorCV()
    network = RegularizedMLPRegressor(**NETWORK)
    assert model.set_params(estimator=network, estimator__alpha=3.0).estimator.alpha == 3.0


def test_the_default_network_is_the_one_that_docs_and_messages_write():
    documented = re.search(r"None is ``(.+?)``", RegularizedMLPRegressorCV.__doc__, re.S)[1]
    with pytest.raises(ValueError, match="estimator is None") as caught:
        RegularizedMLPRegressorCV().set_params(estimator__alpha=1.0)
    told = re.search(r"CV\((.+?\))\)", str(caught.value))[1]
    for written in (" ".join(documented.split()), told):
        network = eval(written, {"RegularizedMLPRegressor": RegularizedMLPRegressor})
        assert network.get_params() == default_network().get_params()


def test_a_plain_network_gets_the_alpha_of_the_default_one():
    plain = RegularizedMLPRegressor(**{**NETWORK, "alpha": 1e-4})
    with pytest.warns(UserWarning, match="alpha=7 is taken"):
        chosen = run_cv(plain, adaptive=False, relaxed=False)
    expected = run_cv(clone(plain).set_params(alpha=7), adaptive=False, relaxed=False)
    assert_array_equal(chosen.mse_path_, expected.mse_path_)
    assert chosen.estimator_.alpha == 7


SETTINGS = {run_path: {"relaxed": False}, run_selection: {}}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("run", SETTINGS)
def test_the_error_of_a_plain_network_says_what_to_write(run):
    """What it says runs; the network is that of the cross-validation."""
    with pytest.raises(ValueError, match="needs a penalty on every later layer") as caught:
        run(RegularizedMLPRegressor())
    message = str(caught.value)
    written = re.search(r"RegularizedMLPRegressor\([^)]*\)", message).group()
    example = eval(written, {"RegularizedMLPRegressor": RegularizedMLPRegressor})
    assert repr(example) == repr(RegularizedMLPRegressorCV()._base())
    assert "estimator.set_params(alpha=7)" in message
    assert "l1_ratio=0.9" in message
    small = {"hidden_layer_sizes": 4, "activation": "tanh", "max_iter": 300}
    settings = {"adaptive": False, **SETTINGS[run]}
    for model, ways in (
        (example, {}),
        (RegularizedMLPRegressor(solver="lbfgs"), {"l1_ratio": 0.9}),
    ):
        found = run(model.set_params(**small), **settings, **ways)
        assert (np.diff(found.strengths) > 0).all()


# Folds


@pytest.mark.parametrize("model", [LINEAR, NETWORK])
def test_no_folds_are_an_error(model):
    network, splits = RegularizedMLPRegressor(**model), KFold(3).split(X)
    for cv in ([], iter(())):
        with pytest.raises(ValueError, match="cv yields no split"):
            run_cv(network, cv=cv)
    run_cv(network, cv=splits)
    with pytest.raises(ValueError, match="cv yields no split"):
        run_cv(network, cv=splits)
    with pytest.raises(ValueError, match="cv yields no split"):
        run_path(network, cv=[], adaptive=True)


def test_folds_without_rows_are_errors():
    network, rows = RegularizedMLPRegressor(**LINEAR), np.arange(90)
    with pytest.raises(ValueError, match="fold without a training row"):
        run_cv(network, cv=[(rows[:0], rows)])
    with pytest.raises(ValueError, match="leaves out no row"):
        run_cv(network, cv=[(rows, rows[:0])])
    weight = np.r_[np.zeros(45), np.ones(45)]
    halves = RegularizedMLPRegressorCV(network, cv=[(rows[:45], rows[45:])])
    with pytest.raises(ValueError, match="fold without a training row of positive weight"):
        halves.fit(X, y, weight)


ROWS = np.arange(90)
NO_ROWS = [
    ([(ROWS[:50], ROWS[40:] + 5)], "cv holds the held-out row 90, but X has n_samples=90 rows"),
    ([(ROWS[:50], ROWS[50:]), ([0, 200, 300], [1, 2])], "cv holds the training row 200, but X"),
    ([(ROWS[:50], [-91, 60])], "cv holds the held-out row -91, but X has n_samples=90"),
    ([(ROWS[:50], ROWS[50:].astype(np.uint64) + 1)], "cv holds the held-out row 90, but"),
    ([(ROWS[:50] / 1.0, ROWS[50:])], r"cv must hold row numbers.*training rows of shape \(50,\)"),
    ([(ROWS < 50, ROWS[:80] >= 50)], r"masks of shape \(90,\), got held-out rows of shape \(80,\)"),
    ([(ROWS[:50], 60)], r"got held-out rows of shape \(\) and dtype int"),
    ([(["a", "b"], ROWS[50:])], "cv must hold row numbers"),
    ((ROWS[:50], ROWS[50:]), "cv must yield pairs of training and held-out rows, got array"),
    ([(ROWS[:50],)], "cv must yield pairs"),
    ([3], "cv must yield pairs of training and held-out rows, got 3"),
]


@pytest.mark.parametrize("model", [LINEAR, NETWORK], ids=["linear", "network"])
@pytest.mark.parametrize("cv, message", NO_ROWS)
def test_folds_hold_rows_of_the_data(cv, message, model):
    network = RegularizedMLPRegressor(**model)
    with pytest.raises(ValueError, match=message):
        run_cv(network, cv=cv)
    with pytest.raises(ValueError, match=message):
        run_path(network, cv=cv, adaptive=True)


def test_rows_out_of_range_are_counted_among_all_rows():
    weight = np.r_[np.zeros(45), np.ones(45)]
    for last, outside in ((89, False), (90, True)):
        model = RegularizedMLPRegressorCV(
            RegularizedMLPRegressor(**LINEAR), n_strengths=3, cv=[(ROWS[45:70], [80, last])]
        )
        if outside:
            with pytest.raises(ValueError, match="row 90, but X has n_samples=90 rows"):
                model.fit(X, y, weight)
        else:
            assert np.isfinite(model.fit(X, y, weight).mse_)


def test_folds_as_masks_and_from_the_end():
    network, halves = RegularizedMLPRegressor(**LINEAR), (ROWS[:50], ROWS[50:])
    expected = run_cv(network, cv=[halves]).mse_path_
    for pair in ((ROWS < 50, ROWS >= 50), (halves[0], halves[1] - 90), map(list, halves)):
        assert_array_equal(run_cv(network, cv=[tuple(pair)]).mse_path_, expected)


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
    weight = RNG.uniform(0.5, 1.5, 90)
    fits = [
        RegularizedMLPRegressorCV(n_strengths=4, cv=3).fit(X, y, unit * weight / weight.sum())
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
        RegularizedMLPRegressorCV(network, selection="1se").fit(X, of * noisy) for of in (1.0, unit)
    )
    assert model.strength_min_ < model.strength_
    assert other.strength_ == pytest.approx(model.strength_)
    assert_allclose(other.mse_mean_ / unit**2, model.mse_mean_, rtol=1e-9)
    assert_allclose(other.mse_se_ / unit**2, model.mse_se_, rtol=1e-9)


def test_constant_y_has_no_unit():
    constant = np.full(90, 1e-200)
    model = RegularizedMLPRegressorCV(RegularizedMLPRegressor(**LINEAR)).fit(X, constant)
    assert_allclose(model.predict(X), constant)
