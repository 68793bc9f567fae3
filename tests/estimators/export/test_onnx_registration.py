"""Converters are registered with skl2onnx whichever is imported first, and nothing else changes."""

import importlib.util
import sys
import types

import pytest

from skmlp import RegularizedMLPClassifierCV, RegularizedMLPRegressor
from skmlp.estimators.export import onnx_registration
from skmlp.estimators.export.onnx_registration import Awaiting, convert_with_skl2onnx

KINDS = (RegularizedMLPRegressor, RegularizedMLPClassifierCV)


def test_skl2onnx_imported_later_knows_the_estimators():
    """skmlp is imported at the top of this file, and nothing else has been called."""
    skl2onnx = pytest.importorskip("skl2onnx")
    for kind in KINDS:
        assert skl2onnx.get_model_alias(kind) == f"Skmlp{kind.__name__}"


def test_skl2onnx_imported_before_is_told(monkeypatch):
    skl2onnx = pytest.importorskip("skl2onnx")
    table = skl2onnx._supported_operators.sklearn_operator_name_map
    for kind in KINDS:
        monkeypatch.delitem(table, kind)
    with pytest.raises(RuntimeError, match="converter is likely missing"):
        skl2onnx.get_model_alias(KINDS[0])
    convert_with_skl2onnx(*KINDS)
    for kind in KINDS:
        assert skl2onnx.get_model_alias(kind) == f"Skmlp{kind.__name__}"


# A package of the same name, whose import registers


@pytest.fixture
def other(tmp_path, monkeypatch):
    """skl2onnx as an empty package that nobody has imported, and the calls that register."""
    (tmp_path / "skl2onnx.py").write_text("'What it says'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "skl2onnx", raising=False)
    calls = []
    monkeypatch.setattr(onnx_registration, "_register", calls.append)
    monkeypatch.setattr(sys, "meta_path", [f for f in sys.meta_path if not isinstance(f, Awaiting)])
    yield calls
    sys.modules.pop("skl2onnx", None)


def test_once_after_each_import(other):
    convert_with_skl2onnx(*KINDS)
    assert importlib.util.find_spec("skl2onnx").name == "skl2onnx"
    assert other == []
    module = importlib.import_module("skl2onnx")
    assert (module.__doc__, other) == ("What it says", [KINDS])
    importlib.reload(module)
    assert other == [KINDS, KINDS]


def test_at_once_where_it_is_imported(other, monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", types.ModuleType("skl2onnx"))
    before = [*sys.meta_path]
    convert_with_skl2onnx(*KINDS)
    assert (other, sys.meta_path) == ([KINDS], before)


def test_other_imports_are_left_alone():
    finder = Awaiting(KINDS)
    assert [finder.find_spec(name) for name in ("json", "onnx", "skl2onnx.common")] == [None] * 3


def test_where_it_is_not_installed(other, monkeypatch):
    convert_with_skl2onnx(*KINDS)
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="No module named 'skl2onnx'"):
        importlib.import_module("skl2onnx")
    assert other == []


def test_a_version_that_has_changed_leaves_a_warning(monkeypatch):
    """Its import goes on."""
    monkeypatch.setitem(sys.modules, "skl2onnx", types.ModuleType("skl2onnx"))
    monkeypatch.delitem(sys.modules, "skmlp.estimators.export.as_onnx", raising=False)
    with pytest.warns(UserWarning, match="converters could not be registered with skl2onnx: "):
        convert_with_skl2onnx(*KINDS)
