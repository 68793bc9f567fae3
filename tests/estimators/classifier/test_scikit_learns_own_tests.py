"""scikit-learn's own tests of its networks, with RegularizedMLPClassifier in MLPClassifier's place.

Those of MLPRegressor alone are left out, and those that read private members.
"""

import ast
import inspect

import pytest
from sklearn.neural_network.tests import test_mlp

pytestmark = pytest.mark.filterwarnings("ignore")

PRIVATE = {
    "test_gradient": "_loss_grad_lbfgs",
    "test_learning_rate_warmstart": "_optimizer",
    "test_adaptive_learning_rate": "_optimizer",
    "test_n_iter_no_change": "_no_improvement_count",
    "test_n_iter_no_change_inf": "_no_improvement_count",
}
THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OURS = "from skmlp import RegularizedMLPClassifier as MLPClassifier"
SOURCE = inspect.getsource(test_mlp)
TREE = ast.parse(SOURCE)


def kept(node):
    """Whether a part of their module belongs to these tests."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    return not is_test or ("MLPClassifier" in names and node.name not in PRIVATE)


def translated():
    """Their module, with ours imported instead."""
    assert SOURCE.count(THEIRS) == 1
    their_regressor = "from sklearn.neural_network import MLPRegressor"
    lines = SOURCE.replace(THEIRS, f"{OURS}; {their_regressor}")
    tree = ast.parse(lines)
    tree.body = [node for node in tree.body if kept(node)]
    return compile(tree, test_mlp.__file__, "exec")


def test_what_is_left_out_reads_private_members():
    functions = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}
    for name, member in PRIVATE.items():
        attributes = {n.attr for n in ast.walk(functions[name]) if isinstance(n, ast.Attribute)}
        assert member in attributes, name


exec(translated())
