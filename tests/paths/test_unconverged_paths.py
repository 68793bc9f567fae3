"""Fits of paths that miss their tolerance are counted by kind; those that diverge end no path."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from support.searches_of_strengths import X, y

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)
from skmlp.engine.task import Status
from skmlp.paths.running import trainer as _trainer

STRENGTHS = [0.01, 0.05, 0.2]


def network(**params):
    fixed = {"hidden_layer_sizes": 6, "activation": "tanh", "alpha": 2.0, "random_state": 0}
    return RegularizedMLPRegressor(**{**fixed, "solver": "lbfgs", "tol": 1e-3, **params})


def run_path(model, **params):
    return regularization_path(model, X, y, **{"strengths": STRENGTHS, "adaptive": False, **params})


def run_cv(model, **params):
    fixed = {"strengths": STRENGTHS, "adaptive": False, "cv": 3, "relaxed": True}
    return RegularizedMLPRegressorCV(model, **{**fixed, **params}).fit(X, y)


def run_stability(model, **params):
    fixed = {"strengths": STRENGTHS, "adaptive": False, "n_subsamples": 2, "random_state": 0}
    return stability_selection(model, X, y, **{**fixed, **params})


ENTRIES = [run_path, run_cv, run_stability]


def warned(run, *args, **params):
    """(the result, the one ConvergenceWarning, its counts {kind: (missed, fits)})."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run(*args, **params)
    (message,) = [str(w.message) for w in caught if w.category is ConvergenceWarning]
    listed = message.split("converge: ")[1]
    found = re.findall(r"([a-z][a-z ]*[a-z]) (\d+) of (\d+)(?=[,.;])", listed)
    return result, message, {kind: (int(a), int(b)) for kind, a, b in found}


# Counts


@pytest.mark.parametrize("run", ENTRIES)
def test_fits_that_missed_are_counted_by_kind(run):
    _, message, counts = warned(run, network(max_iter=2, tol=1e-8))
    n_parts = {run_path: 0, run_cv: 9, run_stability: 6}[run]
    part = "halves" if run is run_stability else "folds"
    assert counts["whole data"] == (3, 3)
    assert counts.get(part, (0, 0)) == (n_parts, n_parts)
    missed, fits = map(int, re.match(r"(\d+) of the (\d+) fits", message).groups())
    assert missed == sum(count for count, _ in counts.values()) <= fits
    assert "Increase max_iter=2 or tol=1e-08 of the estimator, or standardise X." in message


@pytest.mark.parametrize("run", ENTRIES)
def test_the_largest_residual_of_the_whole_data_is_named(run):
    _, message, _ = warned(run, network(max_iter=2, tol=1e-8))
    path, _, _ = warned(run_path, network(max_iter=2, tol=1e-8), relaxed=False)
    said = re.search(r"whole data 3 of 3, largest optimality residual ([\d.e+-]*\d)", message)[1]
    assert float(said) == pytest.approx(path.optimality.max(), rel=0.05)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_refits_of_epochs_that_reach_max_iter_are_counted(solver):
    path, _, counts = warned(run_path, network(solver=solver, max_iter=5), relaxed=True)
    n_refits = len({id(model) for model in path.relaxed_models if model.get_support().any()})
    assert counts["relaxed refits"] == (n_refits, n_refits)
    assert max(model.n_iter_ for model in path.relaxed_models) == 5


def test_refits_and_initial_networks_whose_iterations_are_counted_out_have_not_missed():
    model = network(max_iter=2000, tol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        path = run_path(model, relaxed=True, adaptive=True)
    assert max(refit.n_iter_ for refit in path.relaxed_models) == 50


@pytest.mark.parametrize("run", ENTRIES)
def test_initial_networks_are_counted(run):
    _, _, counts = warned(run, network(solver="adam", max_iter=5), adaptive=True)
    assert counts["initial networks"][0] == counts["initial networks"][1] >= 5


def test_first_networks_are_counted():
    _, _, counts = warned(run_path, network(max_iter=2, tol=1e-8), n_init=3)
    assert counts["first networks"] == (1, 1)


# Divergence


def diverging(monkeypatch, is_lost, status=Status.DIVERGED):
    """Have the trainings of some tasks diverge, as those of too large a learning rate do."""

    def train(tasks, n_threads):
        solutions = engine_train(tasks, n_threads)
        for task, solution in zip(tasks, solutions, strict=True):
            if is_lost(task):
                solution.weights.coefs[0][:] = np.nan
                solution.status = status
                solution.objective = solution.optimality = np.nan
        return solutions

    engine_train = _trainer.train
    monkeypatch.setattr(_trainer, "train", train)


@pytest.mark.parametrize("status", [Status.CONVERGED, Status.MAX_ITER])
def test_weights_that_are_no_numbers_have_diverged(status, monkeypatch):
    diverging(monkeypatch, lambda task: task.group_l1 == 0.05, status)
    path, message, _ = warned(run_path, network())
    assert "whole data 1 of 3, 1 diverged." in message
    assert_array_equal(path.strengths, [0.01, 0.2])


@pytest.mark.parametrize("lost", STRENGTHS)
@pytest.mark.parametrize("run", ENTRIES)
def test_strengths_at_which_training_diverges_are_left_out(run, lost, monkeypatch):
    """The others are those of a path along them alone."""
    others = [strength for strength in STRENGTHS if strength != lost]
    expected = run(network(), strengths=others)
    diverging(monkeypatch, lambda task: task.group_l1 == lost)
    found, message, _ = warned(run, network())
    assert "1 of the 3 strengths left out, where training diverged." in message
    assert "1 diverged" in message
    if run is run_cv:
        assert_array_equal(found.strengths_, others)
        assert_array_equal(found.mse_path_, expected.mse_path_)
        assert found.path_ == expected.path_
        assert_array_equal(found.coefs_[0], expected.coefs_[0])
    else:
        assert_array_equal(found.strengths, others)
        assert found == expected


def test_divergence_of_sgd_ends_no_path():
    """L2 of the last strength times the learning rate is far above two: weights grow each step."""
    epochs = {"max_iter": 100, "n_iter_no_change": np.inf}
    model = network(solver="sgd", learning_rate_init=0.1, **epochs)
    path, message, counts = warned(
        run_path, model, strengths=[0.01, 0.1, 1e9], l1_ratio=1e-6, relaxed=False
    )
    assert_array_equal(path.strengths, [0.01, 0.1])
    assert counts["whole data"][1] == 3
    assert "1 diverged" in message
    assert "ower learning_rate_init=0.1, or standardise X." in message


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("run", ENTRIES)
@pytest.mark.parametrize("adaptive", [False, True])
def test_divergence_everywhere_names_the_learning_rate(run, solver, adaptive):
    model = network(solver=solver, activation="relu", learning_rate_init=1e300, max_iter=5)
    with pytest.raises(ValueError, match=r"lower learning_rate_init=1e\+300.*3 of the 3 strengths"):
        run(model, adaptive=adaptive)


def test_lbfgs_has_no_learning_rate_to_lower(monkeypatch):
    diverging(monkeypatch, lambda task: True)
    with pytest.raises(ValueError, match=r"Scale X \(StandardScaler in a Pipeline\)\. So it was"):
        run_path(network())


def test_strengths_without_a_feature_are_no_path(monkeypatch):
    diverging(monkeypatch, lambda task: task.group_l1 < 50)
    with pytest.raises(ValueError, match="2 of the 3 strengths, and others leave no feature"):
        run_path(network(), strengths=[0.01, 0.1, 100.0])


def test_a_fold_that_diverges_takes_its_strength_out_of_the_choice(monkeypatch):
    expected = run_cv(network())
    diverging(monkeypatch, lambda task: task.group_l1 == 0.05 and task.train.n_rows < 90)
    found, _, counts = warned(run_cv, network())
    assert counts["folds"] == (3, 9)
    assert_array_equal(np.isnan(found.mse_mean_), [False, True, False])
    assert found.strength_ in (0.01, 0.2)
    assert_array_equal(found.path_.support, expected.path_.support)


@pytest.mark.parametrize("relaxed", [True, "auto"])
def test_a_refit_that_diverges_leaves_the_penalised_network(relaxed, monkeypatch):
    expected = run_cv(network(), relaxed=False)
    diverging(monkeypatch, lambda task: task.group_l1 == 0 and not any(task.alpha))
    found, message, counts = warned(run_cv, network(), relaxed=relaxed)
    assert counts["relaxed refits"][0] == counts["relaxed refits"][1]
    assert_array_equal(found.mse_path_, expected.mse_path_)
    assert_array_equal(found.coefs_[0], expected.coefs_[0])
    assert found.mse_ == expected.mse_
    assert not found.relaxed_
    assert found.estimator_.group_l1 == found.strength_
    if relaxed is True:
        assert "Where a refit diverged its penalised network stays." in message
        assert [*map(id, found.path_.relaxed_models)] == [*map(id, found.path_.models)]


def test_an_initial_network_that_diverges_weighs_no_feature(monkeypatch):
    """The path is that of the plain penalty."""
    expected = run_path(network())
    diverging(monkeypatch, lambda task: task.tol < 1e-3 and any(task.alpha))
    found, _, counts = warned(run_path, network(), adaptive=True)
    assert counts["initial networks"][0] == counts["initial networks"][1]
    assert found.penalty_factor is None
    assert_allclose(found.objective, expected.objective, rtol=1e-12)


def test_an_interrupt_ends_the_path(monkeypatch):
    """Each of its fits would go on to the next strength."""

    def train(tasks, n_threads):
        solutions = engine_train(tasks, n_threads)
        solutions[0].status = Status.INTERRUPTED
        return solutions

    engine_train = _trainer.train
    monkeypatch.setattr(_trainer, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run_path(network())


def test_the_best_of_several_first_weights_is_none_that_diverged(monkeypatch):
    expected = run_path(network(random_state=1), n_init=1)
    diverging(monkeypatch, lambda task: task.seed == 0 and task.start is None)
    found = run_path(network(random_state=0), n_init=2)
    assert_allclose(found.objective, expected.objective, rtol=1e-3)


def test_linear_fits_have_no_tolerance_to_raise(monkeypatch):
    """They are solved to rounding, whatever tol."""

    def train(*args):
        paths = engine_train(*args)
        for solution in paths[0]:
            solution.status, solution.optimality = Status.MAX_ITER, 0.25
        return paths

    engine_train = _trainer.train_linear_paths
    monkeypatch.setattr(_trainer, "train_linear_paths", train)
    _, message, counts = warned(run_path, network(hidden_layer_sizes=()), relaxed=False)
    assert counts == {"whole data": (3, 3)}
    assert "residual 2.5e-01. Increase max_iter=200 of the estimator, or standardise X." in message
