"""Quasi-complete separation is named wherever nothing is penalised that tells classes apart."""

import warnings

import numpy as np
import pytest
from classes import EXACT, classifier
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from skmlp import RegularizedMLPClassifierCV, regularization_path

RNG = np.random.default_rng(0)
N = 200
X = RNG.normal(size=(N, 4))
X[:, 3] = RNG.uniform(size=N) < 0.1
RARE = X[:, 3] > 0
F = X[:, 0] + RNG.normal(size=N)
OVERLAPPING = F > 0
QUASI = OVERLAPPING | RARE
FREE = {**EXACT, "alpha": 0.0, "tol": 1e-6, "max_iter": 2000, "random_state": 0}
NAMED = rf"^{RARE.sum()} of {N} rows, in classes \[True\], .*quasi-complete.*no minimum"


def said(fit):
    """What is said of separation: 'complete', 'quasi' or nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    own = [str(w.message) for w in caught if "no minimum" in str(w.message)]
    assert len(own) < 2
    return own and ("quasi" if "quasi-complete" in own[0] else "complete")


def margins_of(X, place, n_classes):
    """Margins of own classes over others as a matrix by all weights, intercepts among them."""
    rows = np.column_stack([X, np.ones(len(X))])
    return np.array(
        [
            np.kron(np.eye(n_classes)[own] - np.eye(n_classes)[other], row)
            for row, own in zip(rows, place, strict=True)
            for other in range(n_classes)
            if other != own
        ]
    )


def separation_by_definition(X, place, n_classes):
    """By Albert and Anderson's definition, each by one linear program over all rows."""
    margins = margins_of(X, place, n_classes)
    n_weights = margins.shape[1]
    box = [(-1, 1)] * n_weights
    all_gain = linprog(
        np.append(np.zeros(n_weights), -1.0),
        A_ub=np.column_stack([-margins, np.ones(len(margins))]),
        b_ub=np.zeros(len(margins)),
        bounds=[*box, (None, None)],
    )
    if -all_gain.fun > 1e-9:
        return "complete"
    some_gain = linprog(-margins.sum(0), A_ub=-margins, b_ub=np.zeros(len(margins)), bounds=box)
    return "quasi" if -some_gain.fun > 1e-9 else []


@pytest.mark.parametrize("n_classes, n_rows", [(2, 12), (3, 24)])
def test_is_that_of_the_definition(n_classes, n_rows):
    kinds = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        columns = rng.integers(0, 3, (n_rows, 2)).astype(float)
        noise = rng.integers(-1, 2, n_rows)
        place = np.clip((columns.sum(1) + noise) // (6 // n_classes), 0, n_classes - 1).astype(int)
        place[:n_classes] = range(n_classes)
        kinds.append(separation_by_definition(columns, place, n_classes))
        assert said(lambda: classifier(**FREE).fit(columns, place)) == kinds[-1], seed  # noqa: B023
    assert min(kinds.count("quasi"), kinds.count([])) > 1


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"solver": "adam", "max_iter": 300},
        {"penalty_factor": [1, 1, 1, 0], "l1_per_layer": 0.01},
        {"penalty_factor": [1, 1, 1, 0], "group_l1": 0.01, "feature_groups": [0, 0, 1, 2]},
        {"positive_weights": True},
        {"lower_limits": [-0.1, -0.1, -0.1, 0.0]},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_rows_and_classes_are_named(network):
    with pytest.warns(ConvergenceWarning, match=NAMED):
        classifier(**{**FREE, **network}).fit(X, QUASI)


@pytest.mark.filterwarnings("ignore:lbfgs failed")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("alpha", [0.0, (1.0, 0.0)], ids=["free", "last layer free"])
def test_networks_of_few_units(activation, alpha):
    """A unit of the group is there; what X tells apart counts where nothing at all is penalised."""
    network = {"hidden_layer_sizes": (2,), "activation": activation, "max_iter": 300}
    fit = classifier(**{**FREE, **network, "alpha": alpha}).fit
    assert said(lambda: fit(X, QUASI)) == ("quasi" if alpha == 0 else [])


@pytest.mark.parametrize(
    "held",
    [
        {"alpha": 1e-3},
        {"l1_per_layer": 1e-3},
        {"penalty_factor": [0, 0, 0, 1], "l1_per_layer": 1e-3},
        {"penalty_factor": [1, 1, 1, np.inf]},
        {"upper_limits": 4.0},
        {"lower_limits": -4.0, "upper_limits": [np.inf, np.inf, np.inf, 0.0]},
        {"hidden_layer_sizes": (4,), "alpha": 0.1},
    ],
    ids=str,
)
def test_what_is_held_is_not_told_apart(held):
    assert not said(lambda: classifier(**{**FREE, **held}).fit(X, QUASI))


def test_limits_keep_what_is_told_apart_at_a_minimum():
    model = classifier(**FREE, lower_limits=-3.0, upper_limits=3.0)
    assert not said(lambda: model.fit(X, X[:, 0] > 0))
    assert model.coefs_[0][0, 0] == 3
    assert model.optimality_ < 1e-7


def test_classes_that_only_some_are_told_apart_from():
    """Of three classes the middle one alone has no row in the rare group."""
    place = np.digitize(F, [-0.5, 0.5])
    place[RARE & (place == 1)] = 2
    with pytest.warns(ConvergenceWarning, match=r"in classes \[0, 2\], .*quasi-complete"):
        classifier(**FREE).fit(X, place)


def test_labels_are_named_each_by_itself():
    both = np.column_stack([OVERLAPPING, QUASI, X[:, 1] > 0]).astype(int)
    with pytest.warns(ConvergenceWarning, match=r"in labels \[1, 2\], .*quasi-complete"):
        classifier(**FREE).fit(X, both)
    assert said(lambda: classifier(**FREE).fit(X, both[:, 2:].repeat(2, axis=1))) == "complete"
    assert not said(lambda: classifier(**FREE).fit(X, both[:, [0, 0]]))


# Paths


def path(**params):
    kwargs = {"n_strengths": 4, "adaptive": False, **params}
    return lambda: regularization_path(classifier(**FREE), X, QUASI, **kwargs)


def chosen(network=None, **params):
    model = classifier(**{**FREE, **(network or {})})
    return lambda: RegularizedMLPClassifierCV(model, n_strengths=4, **params).fit(X, QUASI)


@pytest.mark.parametrize(
    "fit, expected",
    [
        (path(), "quasi"),
        (path(relaxed=False), []),
        (chosen(), []),
        (chosen(relaxed=True), "quasi"),
        (chosen(alphas=[0.0]), "quasi"),
        (chosen(alphas=[0.5]), []),
        (chosen({"penalty_factor": [1, 1, 1, 0]}), "quasi"),
    ],
)
def test_paths_say_it_once_where_nothing_is_penalised(fit, expected):
    assert said(fit) == expected
