"""Arrays that need no conversion: what scikit-learn's checks leave as they are."""

import numpy as np
from sklearn.utils.validation import validate_data

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def checked_rows(estimator, X):
    """X (n, p) to predict for, as ``validate_data`` has it, which takes longer than to predict."""
    has_names = hasattr(estimator, "feature_names_in_")
    if _is_plain(X, 2) and not has_names and X.shape[1] == estimator.n_features_in_:
        return X
    return validate_data(estimator, X, accept_sparse=["csr", "csc"], reset=False)


def checked_pair(estimator, X, y, *, reset, y_numeric=True):
    """X (n, p) and y to train on, as ``validate_data`` has them."""
    are_plain = _is_plain(X, 2) and _is_plain(y, 1, 2) and X.flags.c_contiguous
    has_names = hasattr(estimator, "feature_names_in_")
    if are_plain and len(X) == len(y) and reset and not has_names:
        estimator.n_features_in_ = X.shape[1]
        return X, y
    return validate_data(
        estimator,
        X,
        y,
        accept_sparse=["csr", "csc"],
        multi_output=True,
        y_numeric=y_numeric,
        dtype=floats_of(X),
        order="C",
        reset=reset,
    )


def floats_of(X):
    """The dtypes that X may keep, that of others first; scikit-learn knows none of polars'."""
    dtypes = getattr(X, "dtypes", ())
    is_table = hasattr(dtypes, "__iter__")
    is_single = is_table and {str(dtype) for dtype in set(dtypes)} == {"Float32"}
    return (np.float32, np.float64) if is_single else (np.float64, np.float32)


def _is_plain(array, *n_axes):
    """Whether it is a numpy array of finite floats, of one row and column at least."""
    return (
        type(array) is np.ndarray
        and array.dtype in FLOATS
        and array.ndim in n_axes
        and array.size > 0
        and bool(np.isfinite(array).all())
    )
