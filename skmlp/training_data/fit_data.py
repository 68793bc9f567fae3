"""Training data of a fit: checked, split, with y in the units of training."""

import warnings
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..engine.task import Samples
from ..parameters.layer_values import hidden_sizes
from ..parameters.loss_values import estimator_loss
from .plain_arrays import checked_pair
from .target_scale import TARGET_SCALES, TargetScale
from .targets import check_numbers
from .validation_split import validation_rows


class FitData(NamedTuple):
    """Samples to train on and to validate on (or None), the scale of y, and y (n, q) itself."""

    train: Samples
    validation: Samples | None
    target: TargetScale
    y: np.ndarray


def checked_arrays(estimator, X, y, sample_weight, *, reset, all_rows=False, keeps_labels=False):
    """X (n, p) dense or CSR, y (n, q) and weights (n,) or None.

    Rows of weight zero are left out, unless ``all_rows``. ``keeps_labels`` says that the classes
    are those that the estimator knows.
    """
    check_numbers(X, "X")
    if not estimator._takes_labels:
        check_numbers(y, "y")
    X, y = checked_pair(estimator, X, y, reset=reset, y_numeric=not estimator._takes_labels)
    y = estimator._matrix_of_y(y, "y", is_first=reset and not keeps_labels)
    with _naming("sample_weight"):
        weight = _checked_weight(sample_weight, X, "sample_weight")
    weight = estimator._weighted(y, weight, is_training=True)
    X = X.tocsr() if sparse.issparse(X) else X
    if weight is not None and (weight == 0).any() and not all_rows:
        X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
    return X, y, weight


def _checked_weight(weight, X, name):
    """Finite weights >= 0, not all zero, in float64; equal ones are None."""
    if weight is None:
        return None
    check_numbers(weight, name)
    weight = _check_sample_weight(weight, X, dtype=np.float64)
    if (weight < 0).any():
        raise ValueError(f"Negative values in {name}: the smallest is {weight.min():g}.")
    if not weight.any():
        raise ValueError(f"{name} must contain at least one non-zero number; all are zero.")
    with np.errstate(over="ignore"):
        total = weight.sum()
    if not np.finfo(np.float64).tiny <= total < np.inf:
        size = "large" if weight.max() > 1 else "small"
        raise ValueError(f"{name} holds values too {size} to add up; divide them by their mean.")
    return weight


@contextmanager
def _naming(argument):
    """Errors say which argument they are about, by its name or in words."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if argument in str(error) or argument.replace("_", " ") in str(error).lower():
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{argument}: {error}") from error


def validation_arrays(estimator, X_val, y_val, sample_weight_val):
    """The user's validation data in the form of ``checked_arrays``, or None."""
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val is provided, but X_val was not provided.")
        return None
    if y_val is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    if X_val is None:
        raise ValueError("y_val is provided, but X_val was not provided.")
    check_numbers(X_val, "X_val")
    with _naming("X_val"):
        X_val = validate_data(
            estimator,
            X_val,
            accept_sparse=["csr", "csc"],
            dtype=(np.float64, np.float32),
            order="C",
            reset=False,
        )
    if not estimator._takes_labels:
        check_numbers(y_val, "y_val")
    dtype = None if estimator._takes_labels else "numeric"
    y_val = check_array(
        y_val, accept_sparse="csr", ensure_2d=False, dtype=dtype, input_name="y_val"
    )
    with _naming("X_val and y_val"):
        check_consistent_length(X_val, y_val)
    y_val = estimator._matrix_of_y(y_val, "y_val", is_first=False)
    with _naming("sample_weight_val"):
        weight = _checked_weight(sample_weight_val, X_val, "sample_weight_val")
    weight = estimator._weighted(y_val, weight, is_training=False)
    return X_val.tocsr() if sparse.issparse(X_val) else X_val, y_val, weight


def fit_data(estimator, arrays, validation, target, seed):
    """Split off validation rows where early stopping needs them, and put y in training units.

    ``target`` is the scale of y to keep, or None to take that of the training rows.
    """
    (X, y, weight), loss = arrays, estimator_loss(estimator)
    train, held_out = _Part(X, y, weight), None if validation is None else _Part(*validation)
    if held_out is None and estimator.early_stopping and estimator.solver != "lbfgs":
        strata = loss.strata(y)
        mask = validation_rows(X, y, weight, estimator.validation_fraction, seed, strata)
        train, held_out = _part(*arrays, ~mask), _part(*arrays, mask)
    if held_out is not None and held_out.y.shape[1] != y.shape[1]:
        raise ValueError(f"y_val has {held_out.y.shape[1]} outputs, y has {y.shape[1]}.")
    if held_out is not None and estimator.early_stopping and loss.scores_spread:
        _warn_of_constant(held_out, train)
    if target is None:
        is_network = len(hidden_sizes(estimator.hidden_layer_sizes)) > 0
        normalize = getattr(estimator, "normalize_y", False)
        target = TARGET_SCALES[loss.scaling].of(train.y, train.weight, normalize, is_network)
    validation = None if held_out is None else _samples(held_out, target, X.dtype)
    return FitData(_samples(train, target, X.dtype), validation, target, train.y)


def _warn_of_constant(held_out, train):
    """Warn where R2 on the validation rows is zero whatever the network, though y varies."""
    y = held_out.y if held_out.weight is None else held_out.y[held_out.weight > 0]
    if np.ptp(train.y, axis=0).any() and not np.ptp(y, axis=0).any():
        warnings.warn(
            f"y is constant in the validation data ({len(y)} row(s) of positive weight), where R2 "
            "cannot get better: early stopping ends after n_iter_no_change epochs. Give X_val and "
            "y_val that vary, raise validation_fraction, or set early_stopping=False."
        )


class _Part(NamedTuple):
    """Rows of X, all or some, with their y and weights."""

    X: object
    y: np.ndarray
    weight: np.ndarray | None
    rows: np.ndarray | None = None


def _part(X, y, weight, mask):
    rows = np.flatnonzero(mask)
    return _Part(X, y[rows], None if weight is None else weight[rows], rows)


def _samples(part, target, dtype):
    """Samples for the engine, y in the units of training."""
    with np.errstate(over="ignore"):
        y = target.transform(part.y).astype(dtype)
    if not np.isfinite(y).all():
        raise ValueError(
            f"y holds values too large for {np.dtype(dtype).name}: scale y, or give X in float64."
        )
    weight = None if part.weight is None or (part.weight == 1).all() else part.weight
    return Samples(part.X.astype(dtype, copy=False), y, weight, part.rows)
