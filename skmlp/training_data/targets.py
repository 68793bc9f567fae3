"""What people hand over as y: numbers, or labels of classes."""

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, column_or_1d


def numbers_of(y, name, loss):
    """y as (n, q) in float64 with the columns that the loss has.

    A column vector warns, as scikit-learn's MLP does; ValueError for values that the loss has not.
    """
    if sparse.issparse(y):
        y = y.toarray()
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.dtype.kind not in "buifO":
        raise ValueError(f"{name} must hold numbers, got values of dtype {y.dtype}.")
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    assert_all_finite(y, input_name=name)  # None becomes NaN here
    loss.check_range(y, name)
    return loss.columns(y, name)


def check_numbers(values, name):
    """ValueError for dates, which would pass as nanoseconds, and objects that are no numbers.

    Other text is left to later checks, as in scikit-learn.
    """
    dtypes = getattr(values, "dtypes", getattr(values, "dtype", None))
    dtypes = [*dtypes] if hasattr(dtypes, "__iter__") else [dtypes]
    kinds = {_kind(dtype): dtype for dtype in dtypes}
    for kind in kinds.keys() & {"m", "M"}:
        raise ValueError(f"{name} must hold numbers, got values of dtype {kinds[kind]}.")
    if "O" in kinds and name not in ("X", "X_val"):
        try:
            np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{name} must hold numbers: {error}.") from error


def _kind(dtype):
    """numpy's letter of a dtype, or "" where it has none; dates of polars are those of numpy."""
    is_temporal = getattr(dtype, "is_temporal", None)
    return "M" if callable(is_temporal) and is_temporal() else getattr(dtype, "kind", "")
