"""Linear models equal the solutions of other programs that are on file."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.linear_models import assert_same_solution, linear
from support.reference_data import RECIPES

pytestmark = pytest.mark.filterwarnings("error")

REFERENCES = json.loads((Path(__file__).parents[2] / "data" / "glmnet_references.json").read_text())


PROGRAMS = ("sklearn", "glmnet", "scipy_nnls")
ON_FILE = [
    (data, problem, program)
    for data in RECIPES
    for problem, record in REFERENCES[data]["problems"].items()
    for program in PROGRAMS
    if program in record
]


def test_every_solution_on_file_is_tested():
    assert set(RECIPES) == set(REFERENCES) - {"_about"}
    assert len(ON_FILE) == 3 * 14


@pytest.mark.parametrize("name", RECIPES)
def test_data_are_those_of_the_references(name):
    X, y = RECIPES[name]()
    reference = REFERENCES[name]
    assert X.shape == (reference["n"], reference["p"])
    sums = {"X_sum_abs": np.abs(X).sum(), "y_sum": y.sum(), "y_sumsq": y @ y}
    assert sums == pytest.approx(reference["checksum"], rel=1e-12, abs=1e-10)


@pytest.mark.parametrize("data, problem, program", ON_FILE)
@pytest.mark.parametrize("by_limits", [False, True])
def test_equals_the_solution_on_file(data, problem, program, by_limits):
    """Where it is non-negative by positive weights and by limits."""
    X, y = RECIPES[data]()
    record = REFERENCES[data]["problems"][problem]
    factor = np.resize([1, 0.5, 2, 1, 3], X.shape[1]) if record.get("penalty_factor") else None
    weight = np.resize([1, 2, 0.5, 1], len(y)) if record.get("sample_weight") else None
    is_positive = record.get("nonneg", False)
    signs = {"positive_weights": is_positive}
    if by_limits:
        signs = {"lower_limits": 0.0 if is_positive else None}
    model = linear(
        record["l1"],
        record["l2"],
        len(y) if weight is None else weight.sum(),
        penalty_factor=factor,
        **signs,
    ).fit(X, y, weight)
    solution = record[program]
    coef = solution.get("coef_dense")
    if coef is None:
        coef = np.zeros(X.shape[1])
        coef[[int(j) for j in solution["coef"]]] = list(solution["coef"].values())
    assert_same_solution(model, coef, solution["intercept"])
    assert model.objective_ == pytest.approx(solution["objective"], rel=1e-12)
    assert model.optimality_ <= 1e-12 * np.abs(X.T @ y).max()
