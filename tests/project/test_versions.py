"""What show_versions prints, fits where nothing is compiled, and the versions that are stated."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import scipy
import sklearn
import torch
from threadpoolctl import threadpool_info

import skmlp
from skmlp.engine.kernels import binding, choice

needs_loops = pytest.mark.skipif(binding.compiled is None, reason="the loops are not compiled")


def printed(capsys):
    """What show_versions prints, by name; what scikit-learn's prints comes first."""
    sklearn.show_versions()
    theirs = capsys.readouterr().out
    skmlp.show_versions()
    both = capsys.readouterr().out
    assert both.startswith(theirs)
    lines = both.removeprefix(theirs).strip().splitlines()
    assert lines.pop(0) == "skmlp:"
    return {name.strip(): value.strip() for name, value in (line.split(":", 1) for line in lines)}


def test_versions_are_those_installed(capsys):
    ours = printed(capsys)
    assert ours["version"] == skmlp.__version__
    assert ours["torch"] == torch.__version__


def test_blas_is_one_that_is_loaded_or_built_with(capsys):
    said = printed(capsys)["SciPy's BLAS"]
    built = scipy.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    loaded = {f"{one['internal_api']} {one['version']}" for one in threadpool_info()}
    assert said.split(",")[0] in loaded or said.startswith(built)


@needs_loops
def test_instruction_set_and_whether_it_is_used(capsys, monkeypatch):
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    said = printed(capsys)["compiled loops"]
    assert said == f"compiled, {binding.compiled.INSTRUCTION_SET}"
    assert binding.compiled.INSTRUCTION_SET in {"x86-64-v4", "x86-64-v3", "baseline"}
    monkeypatch.setenv(choice.VARIABLE, "0")
    assert printed(capsys)["compiled loops"] == f"{said}, turned off by SKMLP_KERNELS=0"


WITHOUT = """
import sys
sys.modules["skmlp.engine.kernels.compiled"] = None  # as where it was not built
"""
FIT = """
import numpy as np
import skmlp
X = np.random.default_rng(0).standard_normal((60, 4))
net = skmlp.RegularizedMLPRegressor(hidden_layer_sizes=5, l1_per_layer=0.01, random_state=0)
net.set_params(max_iter=20).fit(X, X[:, 0] ** 2)
print(b"".join(coef.tobytes() for coef in net.coefs_).hex())
skmlp.show_versions()
"""


def run(program, **environment):
    """Lines that a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_without_the_extension_all_goes_through_torch():
    """To the same bits as where the loops are turned off, and it is said."""
    without, off = run(WITHOUT + FIT), run(FIT, SKMLP_KERNELS="0")
    assert without[0] == off[0]
    (said,) = (line for line in without if "compiled loops:" in line)
    assert "none (skmlp was installed without a C compiler" in said
    assert "everything goes through torch" in said


ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def stated_minima():
    """Least version by package, of those that users and tests need."""
    extras = PROJECT["optional-dependencies"]
    for line in [*PROJECT["dependencies"], *extras["test"]]:
        yield re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", line).groups()


@pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="not in the source distribution")
def test_the_oldest_versions_tested_are_the_oldest_allowed():
    lines = (ROOT / ".ci/oldest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    for name, least in stated_minima():
        assert re.sub(r"(\.0)+$", "", pins[name]) == least, name


@pytest.mark.skipif(not (ROOT / "CITATION.cff").exists(), reason="not in the source distribution")
def test_the_version_to_cite_is_that_of_the_package():
    assert f"\nversion: {skmlp.__version__}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.skipif(not (ROOT / ".github").exists(), reason="not in the source distribution")
def test_workflows_call_targets_of_the_makefile():
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        text = workflow.read_text()
        called = set(re.findall(r"\bmake ([a-z-]+)", text))
        for listed in re.findall(r"target: \[(.*)\]", text):
            called |= set(listed.split(", "))
        assert called <= targets, workflow.name
