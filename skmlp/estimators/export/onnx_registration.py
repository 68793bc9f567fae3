"""Converters are registered with skl2onnx whenever that is imported, which is never done here.

skl2onnx has a table to register in, and nothing that it looks for when it is imported: so a finder
of modules waits for it. It finds nothing itself and only adds to what executing skl2onnx does.
"""

import sys
import warnings
from importlib.abc import MetaPathFinder

AWAITED = "skl2onnx"


def convert_with_skl2onnx(*estimators):
    """Let skl2onnx convert estimators of these classes, now if it is there, or once it is."""
    if AWAITED in sys.modules:
        _register(estimators)
    else:
        sys.meta_path.insert(0, Awaiting(estimators))


class Awaiting(MetaPathFinder):
    """Has the converters registered after skl2onnx has been executed."""

    def __init__(self, estimators):
        self.estimators = estimators

    def find_spec(self, name, path=None, target=None):
        """What the other finders find, for skl2onnx alone."""
        if name != AWAITED:
            return None
        others = (f.find_spec(name, path, target) for f in sys.meta_path if f is not self)
        spec = next((spec for spec in others if spec is not None), None)
        if spec is not None:
            self._extend(spec.loader)
        return spec

    def _extend(self, loader):
        execute = loader.exec_module

        def execute_and_register(module):
            execute(module)
            _register(self.estimators)

        loader.exec_module = execute_and_register


def _register(estimators):
    """A version of skl2onnx that has changed leaves a warning, and can be imported all the same."""
    try:
        from .as_onnx import register

        register(estimators)
    except (ImportError, AttributeError, KeyError, TypeError) as error:
        warnings.warn(f"skmlp's converters could not be registered with {AWAITED}: {error}")
