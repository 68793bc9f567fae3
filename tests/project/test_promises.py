"""The table of promises: in the words of their pages, each with tests that exist; and numbers."""

import ast
import json
import re
from functools import cache
from inspect import signature
from pathlib import Path

import pytest

from skmlp import RegularizedMLPRegressor

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
TABLE = (DOCS / "promises.md").read_text()
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
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("promise, page, reason, named", ROWS, ids=[row[0][:40] for row in ROWS])
def test_promise_is_on_its_page_and_its_tests_exist(promise, page, reason, named):
    text = (DOCS / re.fullmatch(r"\[[^]]+\]\((.+)\)", page)[1]).read_text()
    for part in promise.split(" … "):
        assert words(part) in words(text), part
    assert reason
    tests = re.findall(r"`([^`]+)::(\w+)`", named)
    assert named == ", ".join(f"`{file}::{function}`" for file, function in tests) != ""
    for file, function in tests:
        assert function in functions_of(TESTS / file), (file, function)


def test_documented_defaults_are_the_signature_s():
    page = (DOCS / "moving" / "mlp_regressor.md").read_text()
    section = page.split("## Parameters beyond `MLPRegressor`'s")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", section, re.M)
    parameters = signature(RegularizedMLPRegressor).parameters
    ours = list(parameters)[list(parameters).index("l1_per_layer") :]
    assert [name for name, _ in documented if name != "alpha"] == ours
    for name, default in documented:
        assert ast.literal_eval(default) == parameters[name].default, name


def test_number_of_reference_problems():
    references = json.loads((TESTS / "data" / "glmnet_references.json").read_text())
    n_problems = sum(len(one["problems"]) for key, one in references.items() if key != "_about")
    page = (DOCS / "guide" / "families.md").read_text()
    assert f"the tests hold {n_problems} problems" in words(page)
