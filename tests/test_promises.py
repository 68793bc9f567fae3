"""The table of promises: in the README's words, each with tests that exist; and its numbers."""

import ast
import json
import re
from functools import cache
from inspect import signature
from pathlib import Path

import pytest

from skmlp import RegularizedMLPRegressor

TESTS = Path(__file__).parent
README = (TESTS.parent / "README.md").read_text()
TABLE = (TESTS.parent / "docs" / "promises.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise ")
]


def words(text):
    """The text in one line, as it does not depend on where lines are broken."""
    return " ".join(text.split())


@cache
def functions_of(path):
    return {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}


def test_table_is_read():
    assert len(ROWS) > 50
    assert {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize("promise, reason, named", ROWS, ids=[row[0][:40] for row in ROWS])
def test_promise_is_in_the_readme_and_its_tests_exist(promise, reason, named):
    for part in promise.split(" … "):
        assert words(part) in words(README), part
    assert reason
    tests = re.findall(r"`([^`]+)::(\w+)`", named)
    assert named == ", ".join(f"`{file}::{function}`" for file, function in tests) != ""
    for file, function in tests:
        assert function in functions_of(TESTS / file), (file, function)


def test_defaults_in_the_readme_are_the_signature_s():
    section = README.split("## Parameters beyond `MLPRegressor`'s")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", section, re.M)
    parameters = signature(RegularizedMLPRegressor).parameters
    ours = list(parameters)[list(parameters).index("l1_per_layer") :]
    assert [name for name, _ in documented if name != "alpha"] == ours
    for name, default in documented:
        assert ast.literal_eval(default) == parameters[name].default, name


def test_number_of_reference_problems():
    references = json.loads((TESTS / "data" / "glmnet_references.json").read_text())
    n_problems = sum(len(one["problems"]) for key, one in references.items() if key != "_about")
    assert f"the tests hold {n_problems} problems" in words(README)
