"""Networks and folds given to paths, CV and stability selection."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneGroupOut
from sklearn.utils._param_validation import InvalidParameterError
from support.searches_of_strengths import (
    ENTRIES,
    LINEAR,
    NETWORK,
    X,
    run_cv,
    run_path,
    run_selection,
    y,
)

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    default_network,
)
from skmlp.paths.running.problems import problems_of

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
        names = {
            "default_network": default_network,
            "RegularizedMLPRegressor": RegularizedMLPRegressor,
        }
        network = eval(written, names)
        assert network.get_params() == default_network().get_params()


SETTINGS = {run_path: {"relaxed": False}, run_selection: {}}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("run", SETTINGS)
def test_the_error_of_a_network_without_penalty_says_what_to_write(run):
    """What it says runs; the network is that of the cross-validation."""
    with pytest.raises(ValueError, match="needs a penalty on every later layer") as caught:
        run(RegularizedMLPRegressor(alpha=0))
    message = str(caught.value)
    written = re.search(r"RegularizedMLPRegressor\([^)]*\)", message).group()
    example = eval(written, {"RegularizedMLPRegressor": RegularizedMLPRegressor})
    assert repr(example) == repr(default_network())
    assert "default_network()" in message
    assert "estimator.set_params(alpha=7)" in message
    assert "l1_ratio=0.9" in message
    small = {"hidden_layer_sizes": 4, "activation": "tanh", "max_iter": 300}
    settings = {"adaptive": False, **SETTINGS[run]}
    for model, ways in (
        (example, {}),
        (RegularizedMLPRegressor(solver="lbfgs", alpha=0), {"l1_ratio": 0.9}),
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


# Groups of rows

GROUPS = np.repeat(list("abcdefghi"), 10)[np.random.default_rng(1).permutation(90)]


@pytest.mark.parametrize(
    "given, splitter",
    [
        (None, None),
        (3, None),
        (LeaveOneGroupOut(), LeaveOneGroupOut()),
        ([*KFold(4).split(X)], KFold(4)),
    ],
)
def test_folds_of_initial_networks_keep_groups_whole(given, splitter, monkeypatch):
    """Folds that are drawn do; splitters get the groups."""
    seen = []

    def recorded(model, arrays, judges, seed):
        seen.extend(judges)
        return problems_of(model, arrays, judges, seed)

    monkeypatch.setattr("skmlp.paths.regularization_path.problems_of", recorded)
    network = RegularizedMLPRegressor(**NETWORK)
    warnings.filterwarnings("ignore", "The groups parameter is ignored by KFold")
    run_path(network, cv=given, groups=GROUPS, relaxed=False, strengths=[0.1])
    if splitter is None:
        for rows, others in seen:
            assert not {*GROUPS[rows]} & {*GROUPS[others]}
            assert len(rows) + len(others) == len(y)
        return
    expected = [*splitter.split(X, y, np.unique(GROUPS, return_inverse=True)[1])][:2]
    for fold, rows in zip(seen, expected, strict=True):
        for part, expected_part in zip(fold, rows, strict=True):
            assert_array_equal(part, expected_part)


@pytest.mark.parametrize("run", [run_path, run_selection])
@pytest.mark.parametrize(
    "groups, message",
    [
        (GROUPS[:-1], r"groups has shape \(89,\), but X has 90 rows"),
        (np.ones((90, 2)), r"groups has shape \(90, 2\), but X has 90 rows"),
        (np.where(GROUPS == "a", np.nan, 1.0), "groups contains NaN"),
        (np.array([*GROUPS[:-1], 3], dtype=object), "groups must hold labels of one type"),
    ],
)
def test_groups_are_checked(run, groups, message):
    with pytest.raises(ValueError, match=message):
        run(RegularizedMLPRegressor(**LINEAR), groups=groups)
