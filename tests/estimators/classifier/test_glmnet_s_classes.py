"""Linear classifiers are glmnet's binomial and multinomial models, supports included."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.reference_data import CLASSES

from skmlp import RegularizedMLPClassifier, regularization_path

pytestmark = pytest.mark.filterwarnings("error")
REFERENCES = json.loads(
    (Path(__file__).parents[2] / "data" / "glmnet_classes_references.json").read_text()
)
PROBLEMS = [(data, problem) for data in CLASSES for problem in REFERENCES[data]]
ACCURACY = 1e-6  # of the largest coefficient


def classifier(**params):
    fine = {"solver": "lbfgs", "tol": 1e-10, "max_iter": 20000, "max_fun": 10**6}
    return RegularizedMLPClassifier((), **fine, **params)


def problem_of(data, problem):
    """(X, y, weights or None, share of L1)."""
    X, y = CLASSES[data]()
    weight = np.resize([1, 2, 0.5, 1], len(y)) if problem == "weight" else None
    return X, y, weight, 0.5 if problem == "elastic_net" else 1.0


def test_the_problems_on_file():
    assert set(CLASSES) == set(REFERENCES) - {"_about"}
    assert sum(len(REFERENCES[data][problem]["fits"]) for data, problem in PROBLEMS) == 30


@pytest.mark.parametrize("data, problem", PROBLEMS)
def test_coefficients_and_supports(data, problem):
    X, y, weight, ratio = problem_of(data, problem)
    total = len(y) if weight is None else weight.sum()
    for fit in REFERENCES[data][problem]["fits"]:
        strength = fit["lambda"]
        name = "group_l1" if problem == "grouped" else "l1_per_layer"
        penalty = {name: ratio * strength, "alpha": (1 - ratio) * strength * total}
        coef = classifier(**penalty).fit(X, y, weight).coefs_[0]
        expected = np.reshape(fit["coef"], coef.shape)
        assert_allclose(coef, expected, rtol=0, atol=ACCURACY * np.abs(expected).max())
        assert_array_equal(coef != 0, expected != 0)


@pytest.mark.parametrize("data, problem", PROBLEMS)
def test_paths_end_at_glmnet_s_lambda_max(data, problem):
    X, y, weight, ratio = problem_of(data, problem)
    param = "group_l1" if problem == "grouped" else "l1_per_layer"
    how = {"n_strengths": 2, "eps": 0.5, "l1_ratio": ratio, "relaxed": False}
    path = regularization_path(classifier(alpha=0), X, y, param=param, sample_weight=weight, **how)
    expected = REFERENCES[data][problem]["lambda_max"]
    assert path.strengths[-1] == pytest.approx(expected, rel=1e-9)
