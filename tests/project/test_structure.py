"""The two floors, and the tables that must agree between them."""

import ast
import inspect
import re
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import skmlp
from skmlp import RegularizedMLPRegressor
from skmlp.engine.epochs import solvers
from skmlp.engine.losses.table import REGRESSION
from skmlp.engine.network import activations, normalization
from skmlp.estimators import prediction

PACKAGE = Path(skmlp.__file__).parent
ROOT = Path(__file__).parents[1]
TREES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): ast.parse(path.read_text())
    for path in PACKAGE.rglob("*.py")
}
TESTS = {
    str(path.relative_to(ROOT.parent)): ast.parse(path.read_text()) for path in ROOT.rglob("*.py")
}
MODULES = {name.removesuffix(".__init__"): tree for name, tree in TREES.items()}


def imports(name):
    """Full names of everything that a module imports, also within its functions."""
    is_package = f"{name}.__init__" in TREES
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            above = parts[: len(parts) - node.level + is_package] if node.level else []
            base = ".".join([*above, node.module] if node.module else above)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def test_modules_are_found():
    assert len(MODULES) > 60
    assert "skmlp.engine.task" in imports("skmlp.engine.train")
    assert "skmlp.batching" in {room(name) for name in imports("skmlp")}


# Each room imports from those below it alone; a list stands side by side.
FACE = ["plots", "paths", "estimators", "training_data", "parameters", "callbacks"]
FACE += ["batching", "doc_links", "versions", "engine"]
ENGINE = [["train", "stacking", "fitting"], ["paths"], ["linear"], ["descent", "epochs"]]
ENGINE += [["kernels"], ["penalty"], ["network"], ["task", "runtime"], ["losses"]]


def room(name, within="skmlp"):
    """The room or module inside of a package that a module belongs to, None elsewhere."""
    inside = name.removeprefix(f"{within}.")
    return None if inside == name else f"{within}.{inside.split('.')[0]}"


@pytest.mark.parametrize(
    "package, floors",
    [
        ("skmlp", [[name] for name in FACE]),
        ("skmlp.engine", ENGINE),
    ],
)
def test_rooms_import_downward(package, floors):
    level = {f"{package}.{name}": k for k, floor in enumerate(floors) for name in floor}
    rooms = {room(name, package) for name in MODULES} - {None}
    assert rooms == set(level)
    for name in MODULES:
        own = room(name, package)
        for imported in imports(name) & MODULES.keys():
            other = room(imported, package)
            if None not in (own, other) and own != other:
                is_entry = level[own] == level[other] == 0
                assert level[own] < level[other] or is_entry, (name, imported)


def test_running_knows_nothing_of_the_paths_that_it_runs():
    for name in MODULES:
        if name.startswith("skmlp.paths.running"):
            assert {room(i, "skmlp.paths") for i in imports(name)} <= {"skmlp.paths.running", None}


def test_names_cannot_be_mixed_up():
    """No two modules differ by an s or an underscore; both floors have a room of paths."""
    names = [name.split(".")[-1].strip("_").removesuffix("s") for name in MODULES]
    assert {name for name, n in Counter(names).items() if n > 1} == {"path"}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("skmlp.engine")])
def test_engine_knows_neither_scikit_learn_nor_the_face(name):
    for imported in imports(name):
        assert imported.split(".")[0] not in {"sklearn", "pandas", "matplotlib"}
        assert imported.split(".")[0] != "skmlp" or imported.startswith("skmlp.engine")


def test_no_cycles_between_modules():
    graph = {name: (imports(name) & MODULES.keys()) - {name} for name in MODULES}
    TopologicalSorter(graph).prepare()


def test_no_room_is_crowded():
    """14 modules at most, rooms within counted as one, in the package and in its tests."""
    for root in (PACKAGE, ROOT):
        for folder in [root, *root.rglob("*")]:
            if folder.is_dir() and folder.name != "__pycache__":
                inside = [p for p in folder.iterdir() if p.suffix == ".py" or is_room(p)]
                assert len(inside) <= 14, folder


def is_room(path):
    return path.is_dir() and any(path.glob("*.py"))


def lines_of_code(node):
    """Lines of a module or function, without those of docstrings in it."""
    first = 1 if isinstance(node, ast.Module) else node.lineno
    last = node.body[-1].end_lineno if node.body else first
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = [
        n.body[0]
        for n in ast.walk(node)
        if isinstance(n, documented) and ast.get_docstring(n) is not None
    ]
    return last - first + 1 - sum(doc.end_lineno - doc.lineno + 1 for doc in docs)


@pytest.mark.parametrize("name", [*TREES, *TESTS])
def test_sizes_of_modules_and_functions(name):
    """300 and 40 lines; a constructor that stores parameters takes a line for each."""
    tree = {**TREES, **TESTS}[name]
    assert lines_of_code(tree) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            assert lines_of_code(node) <= 40, node.name


def test_every_module_and_class_says_what_it_is():
    for name, tree in TREES.items():
        assert ast.get_docstring(tree), name
        for node in ast.walk(tree):
            assert not isinstance(node, ast.ClassDef) or ast.get_docstring(node), (name, node.name)


# Tables

GRID = np.concatenate([np.linspace(-8, 8, 161), [-800.0, -40.0, 40.0, 800.0]])


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-6)])
def test_prediction_and_training_have_the_same_activation(name, dtype, tolerance):
    z = GRID.astype(dtype)
    tensor = torch.tensor(z)
    in_training = activations.ACTIVATIONS[name].forward(tensor, torch.empty_like(tensor)).numpy()
    in_prediction = prediction.ACTIVATIONS[name](z.copy())
    assert in_prediction.dtype == dtype
    assert_allclose(in_prediction, in_training, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_activations_say_where_they_fall_and_have_kinks(name):
    """On a grid fine enough for steps of the values, and of the slopes."""
    z, row = np.linspace(-6, 6, 120_001), activations.ACTIVATIONS[name]
    steps = np.diff(prediction.ACTIVATIONS[name](z.copy()))
    assert (steps >= 0).all() == row.increasing
    slopes = steps / np.diff(z)
    assert (np.abs(np.diff(slopes)).max() < 1e-3) == row.smooth


TABLES_OF_LOSSES = {
    "skmlp.engine.kernels.binding",
    "skmlp.engine.losses.table",
    "skmlp.engine.losses.log_link",
}


def test_names_of_losses_are_in_their_rows_alone():
    """Whoever needs to know something of a loss asks it."""
    for module, tree in MODULES.items():
        strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        is_table = module in TABLES_OF_LOSSES
        assert is_table or "poisson" not in strings, module


def test_layer_normalisation_has_the_same_constants():
    assert prediction.LAYER_NORM_EPSILON == normalization.EPSILON
    assert prediction.LEAKY_SLOPE == activations.LEAKY_SLOPE


def documented(parameter):
    """The values in braces of a parameter's documentation."""
    doc = inspect.cleandoc(RegularizedMLPRegressor.__doc__)
    text = re.search(rf"^{parameter} : ({{.*?}})", doc, re.S | re.M)
    return set(re.findall(r"'(\w+)'", text[1]))


def accepted(parameter):
    """The strings that a parameter's constraint accepts."""
    return RegularizedMLPRegressor._parameter_constraints[parameter][0].options


@pytest.mark.parametrize(
    "parameter, table",
    [
        ("activation", activations.ACTIVATIONS),
        ("activation", prediction.ACTIVATIONS),
        ("loss", REGRESSION),
        ("normalization", normalization.NORMALIZATIONS),
        ("solver", [*solvers.SOLVERS, "lbfgs"]),
    ],
)
def test_tables_docstring_and_constraints_agree(parameter, table):
    assert set(table) == documented(parameter) == accepted(parameter)
