"""Every parameter of a classifier changes the fit, and is documented with its default."""

import ast
import inspect
import re

import numpy as np
import pytest
from classes import SMALL, TARGETS, X, classifier
from sklearn.utils._param_validation import InvalidParameterError

from skmlp import RegularizedMLPClassifier, RegularizedMLPClassifierCV, RegularizedMLPRegressor
from skmlp.estimators.docstrings import with_entries_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SGD, EARLY = {"solver": "sgd"}, {"early_stopping": True}
CHANGES = {
    "hidden_layer_sizes": ((6, 3), {}),
    "activation": ("relu", {}),
    "solver": ("lbfgs", {}),
    "alpha": (1.0, {}),
    "batch_size": (30, {}),
    "learning_rate": ("invscaling", SGD),
    "learning_rate_init": (0.002, {}),
    "power_t": (0.7, {**SGD, "learning_rate": "invscaling"}),
    "max_iter": (13, {}),
    "shuffle": (False, {"batch_size": 30}),
    "random_state": (1, {}),
    "tol": (1.0, {"max_iter": 40}),
    "momentum": (0.5, SGD),
    "nesterovs_momentum": (False, SGD),
    "early_stopping": (True, {}),
    "validation_fraction": (0.3, EARLY),
    "beta_1": (0.5, {}),
    "beta_2": (0.9, {}),
    "epsilon": (0.1, {}),
    "n_iter_no_change": (2, {"tol": 1.0, "max_iter": 40}),
    "max_fun": (4, {"solver": "lbfgs"}),
    "class_weight": ("balanced", {}),
    "l1_per_layer": (0.01, {}),
    "group_l1": (0.01, {}),
    "feature_groups": (((0, 1),), {"group_l1": 0.01}),
    "penalty_factor": ((0.0, 1.0, 2.0, 3.0), {"l1_per_layer": 0.01}),
    "lower_limits": (0.0, {}),
    "upper_limits": ((0.0, np.inf, np.inf, 0.0), {}),
    "positive_weights": (True, {}),
    "monotonic_cst": ((1, 0, -1, 0), {}),
    "fit_intercept": (False, {"hidden_layer_sizes": (), "solver": "lbfgs"}),
    "normalization": ("batch", {}),
    "dropout": (0.2, {}),
}
ELSEWHERE = {"verbose", "warm_start", "device"}
DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(RegularizedMLPClassifier).parameters.items()
}


def test_every_parameter_is_tested_here():
    assert set(CHANGES) | ELSEWHERE == set(RegularizedMLPClassifier().get_params())


@pytest.mark.filterwarnings("ignore:Layers")
@pytest.mark.parametrize("name", CHANGES)
def test_parameter_changes_the_fit_and_equals_the_constructor(name):
    value, beside = CHANGES[name]
    y = TARGETS["binary" if name == "monotonic_cst" else "multinomial"]
    plain = classifier(**beside).fit(X, y).predict_proba(X)
    changed = RegularizedMLPClassifier(**{**SMALL, **beside, name: value})
    assigned = classifier(**beside).set_params(**{name: value})
    assert assigned.get_params() == changed.get_params()
    assert assigned.get_params()[name] is value
    probability = assigned.fit(X, y).predict_proba(X)
    assert not np.array_equal(plain, probability)
    assert np.array_equal(changed.fit(X, y).predict_proba(X), probability)


@pytest.mark.parametrize("value", ["even", 1.0, (1, 2)])
def test_invalid_class_weight_is_named(value):
    with pytest.raises(InvalidParameterError, match="'class_weight' parameter"):
        classifier(class_weight=value).fit(X, TARGETS["binary"])


# Documentation


def section(cls, title):
    """The entries of a section of a class's docstring: name -> type line."""
    doc = inspect.cleandoc(cls.__doc__)
    text = re.search(rf"^{title}\n-+\n(.*?)(?=\n\n^\S[^\n]*\n-+\n|\Z)", doc, re.M | re.S).group(1)
    entries = re.findall(r"^(\w+(?:, \w+)*) : (.*(?:\n\w.*)?)$", text, re.M)
    return {name: line for names, line in entries for name in names.split(", ")}


@pytest.mark.parametrize("cls", [RegularizedMLPClassifier, RegularizedMLPClassifierCV])
def test_documented_defaults_are_the_signatures_in_order(cls):
    documented = section(cls, "Parameters")
    signature = inspect.signature(cls).parameters
    assert list(documented) == list(signature)
    for name, line in documented.items():
        default = ast.literal_eval(re.search(r"default=(.+)$", line).group(1))
        assert default == signature[name].default, name


def test_every_fitted_attribute_is_documented():
    model = classifier().fit(X, TARGETS["binary"])
    published = {name for name in vars(model) if re.fullmatch(r"[a-z]\w*[^_]_", name)}
    assert published <= set(section(RegularizedMLPClassifier, "Attributes"))
    model = RegularizedMLPClassifierCV(classifier(solver="lbfgs", alpha=1.0), n_strengths=2, cv=2)
    model.fit(X, TARGETS["binary"])
    published = {name for name in vars(model) if re.fullmatch(r"[a-z]\w*[^_]_", name)}
    assert published <= set(section(RegularizedMLPClassifierCV, "Attributes"))


def test_shared_entries_are_the_same_text():
    for title in ("Parameters", "Attributes"):
        ours, theirs = (
            section(cls, title) for cls in (RegularizedMLPClassifier, RegularizedMLPRegressor)
        )
        shared = ours.keys() & theirs.keys()
        assert len(shared) > 20
        assert all(ours[name] == theirs[name] for name in shared)
        assert "<" not in "".join(ours)


def test_docstrings_take_entries_and_sections():
    class Source:
        """Head.

        Parameters
        ----------
        a : int
            One.

        b, c : float
            Two.

            More.

        d : str
            Three.

        Notes
        -----
        Said once.
        """

    @with_entries_of(Source)
    class Taker:
        """Own.

        <b - d>

        <Notes>
        """

    entries = "b, c : float\n    Two.\n\n    More.\n\nd : str\n    Three."
    expected = f"Own.\n\n{entries}\n\nNotes\n-----\nSaid once."
    assert Taker.__doc__ == expected
