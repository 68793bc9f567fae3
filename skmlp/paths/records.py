"""Records of arrays: equality by value."""

from dataclasses import fields

import numpy as np

WEIGHTS = ("coefs_", "intercepts_", "layer_norm_gains_", "layer_norm_shifts_")


class EqualByValue:
    """Equality of dataclasses that hold arrays and networks; these are equal by their weights."""

    def __eq__(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return all(
            _equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)
        )

    __hash__ = None


def _equal(a, b):
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _equal_arrays(a, b)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(_equal, a, b))
    if hasattr(a, "coefs_"):
        return type(a) is type(b) and all(
            _equal(getattr(a, name, None), getattr(b, name, None)) for name in WEIGHTS
        )
    return bool(a == b)


def _equal_arrays(a, b):
    """Whether both are arrays of the same numbers, NaN in the same places."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def described(strengths):
    """Number and range of ascending strengths."""
    number = f"{len(strengths)} strength{'' if len(strengths) == 1 else 's'}"
    return f"{number} from {strengths[0]:.3g} to {strengths[-1]:.3g}"
