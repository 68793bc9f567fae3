"""Training data of a fit: checked, split, with y in the units of training."""

import warnings
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..engine.task import Samples
from ..parameters.feature_values import coefficient_limits
from ..parameters.layer_values import hidden_sizes
from ..parameters.loss_values import estimator_loss
from ..parameters.monotonic import monotone_signs, signed_limits
from .offsets import checked_offset
from .plain_arrays import checked_pair, floats_of
from .target_scale import TARGET_SCALES, TargetScale
from .targets import check_numbers
from .validation_split import validation_rows


class FitData(NamedTuple):
    """Samples to train on and to validate on (or None), and the scale of y.

    ``y`` and ``offset`` (n, q), or None, are those of the training rows as they were given.
    ``limits`` (2, n_features) are those of coefficients in the units of y, or None, with the signs
    of features that the function is to be monotone in, if it ``is_monotone`` in any.
    """

    train: Samples
    validation: Samples | None
    target: TargetScale
    y: np.ndarray
    offset: np.ndarray | None = None
    limits: np.ndarray | None = None
    is_monotone: bool = False


def checked_arrays(
    estimator, X, y, sample_weight, offset=None, *, reset, all_rows=False, keeps_labels=False
):
    """X (n, p) dense or CSR, y (n, q), weights (n,) and offset (n, q), each of these or None.

    Rows of weight zero are left out, unless ``all_rows``. ``keeps_labels`` says that the classes
    are those that the estimator knows.
    """
    if offset is not None and estimator._takes_labels:
        raise ValueError("offset is for regressors: classifiers predict without one.")
    check_numbers(X, "X")
    if not estimator._takes_labels:
        check_numbers(y, "y")
    X, y = checked_pair(estimator, X, y, reset=reset, y_numeric=not estimator._takes_labels)
    y = estimator._matrix_of_y(y, "y", is_first=reset and not keeps_labels)
    offset = _offset_beside(y, offset, estimator_loss(estimator), "offset")
    with _naming("sample_weight"):
        weight = _checked_weight(sample_weight, X, "sample_weight")
    weight = estimator._weighted(y, weight, is_training=True)
    X = X.tocsr() if sparse.issparse(X) else X
    if weight is not None and (weight == 0).any() and not all_rows:
        X, y, offset = X[weight > 0], y[weight > 0], _rows(offset, weight > 0)
        weight = weight[weight > 0]
    return X, y, weight, offset


def _offset_beside(y, offset, loss, name):
    """An offset as (n, q) beside y (n, q), or None; several quantiles have the same."""
    check_numbers(offset, name)
    n_outputs = 1 if loss.out_activation == "ordered" else y.shape[1]
    offset = checked_offset(offset, len(y), n_outputs, name)
    return None if offset is None else np.broadcast_to(offset, y.shape)


def _rows(array, rows):
    """Some rows of an array that may be None."""
    return None if array is None else array[rows]


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


def validation_arrays(estimator, X_val, y_val, sample_weight_val, offset_val=None):
    """The user's validation data in the form of ``checked_arrays``, or None."""
    if X_val is None and y_val is None:
        for name, given in (("sample_weight_val", sample_weight_val), ("offset_val", offset_val)):
            if given is not None:
                raise ValueError(f"{name} is provided, but X_val was not provided.")
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
            dtype=floats_of(X_val),
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
    offset_val = _offset_beside(y_val, offset_val, estimator_loss(estimator), "offset_val")
    with _naming("sample_weight_val"):
        weight = _checked_weight(sample_weight_val, X_val, "sample_weight_val")
    weight = estimator._weighted(y_val, weight, is_training=False)
    return X_val.tocsr() if sparse.issparse(X_val) else X_val, y_val, weight, offset_val


def fit_data(estimator, arrays, validation, target, seed):
    """Split off validation rows where early stopping needs them, and put y in training units.

    ``target`` is the scale of y to keep, or None to take that of the training rows.
    """
    train, held_out = _Part(*arrays), None if validation is None else _Part(*validation)
    loss = estimator_loss(estimator)
    if held_out is None and estimator.early_stopping and estimator.solver != "lbfgs":
        fraction, strata = estimator.validation_fraction, loss.strata(train.y)
        mask = validation_rows(*train[:3], fraction, seed, strata)
        train, held_out = train.of(~mask), train.of(mask)
    _check_validation(train, held_out)
    if held_out is not None and estimator.early_stopping and loss.scores_spread:
        _warn_of_constant(held_out, train)
    given = train
    train, held_out = train.beyond(loss), None if held_out is None else held_out.beyond(loss)
    if target is None:
        is_network = len(hidden_sizes(estimator.hidden_layer_sizes)) > 0
        scale = TARGET_SCALES[loss.scaling]
        how = {"snap": is_network, "has_intercept": estimator.fit_intercept}
        normalize, weight = getattr(estimator, "normalize_y", False), train.weight
        target = scale.of(train.y, weight, normalize, offset=train.offset, **how)
    samples = [
        None if part is None else _samples(part, target, train.X.dtype)
        for part in (train, held_out)
    ]
    limits, is_monotone = _limits(estimator, train.X.shape[1])
    return FitData(*samples, target, given.y, given.offset, limits, is_monotone)


def _limits(estimator, n_features):
    """(limits of what leaves each feature, or None; whether they make the function monotone)."""
    names = getattr(estimator, "feature_names_in_", None)
    limits = estimator.lower_limits, estimator.upper_limits
    limits = coefficient_limits(*limits, n_features, names)
    signs = monotone_signs(estimator, n_features, names)
    return signed_limits(limits, signs), signs is not None


def _check_validation(train, held_out):
    """ValueError for validation rows with other outputs, or without the offset of training."""
    if held_out is None:
        return
    if held_out.y.shape[1] != train.y.shape[1]:
        raise ValueError(f"y_val has {held_out.y.shape[1]} outputs, y has {train.y.shape[1]}.")
    if (held_out.offset is None) != (train.offset is None):
        names = ("offset", "offset_val")
        given, missing = names if held_out.offset is None else names[::-1]
        raise ValueError(f"{given} is provided with X_val, but {missing} was not provided.")


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
    """Rows of X, all or some, with their y, weights and offset."""

    X: object
    y: np.ndarray
    weight: np.ndarray | None
    offset: np.ndarray | None = None
    rows: np.ndarray | None = None

    def of(self, mask):
        """Those of a mask of all rows; X is not copied."""
        rows = np.flatnonzero(mask)
        own = self.y[rows], _rows(self.weight, rows), _rows(self.offset, rows)
        return _Part(self.X, *own, rows)

    def beyond(self, loss):
        """With the offset taken from y, where that is the same to the loss."""
        if self.offset is None or not loss.of_difference:
            return self
        return self._replace(y=self.y - self.offset, offset=None)


def _samples(part, target, dtype):
    """Samples for the engine, y in the units of training."""
    with np.errstate(over="ignore"):
        y = target.transform(part.y).astype(dtype)
    if not np.isfinite(y).all():
        raise ValueError(
            f"y holds values too large for {np.dtype(dtype).name}: scale y, or give X in float64."
        )
    weight = None if part.weight is None or (part.weight == 1).all() else part.weight
    offset = None if part.offset is None else target.centred(part.offset).astype(dtype)
    return Samples(part.X.astype(dtype, copy=False), y, weight, part.rows, offset)
