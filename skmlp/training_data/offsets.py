"""Known summands of the outputs: checked, and where they act."""

import numpy as np
from scipy import sparse
from scipy.special import logsumexp
from sklearn.utils import check_array

from ..engine.losses.ordered import on_lowest

NO_OFFSET = (
    "The model was fitted with an offset and is asked to predict without one: it predicts for an "
    "offset of 0. Give predict the offset of the rows (zeros to be rid of this warning, which "
    "comes once). A Pipeline hands it on where it is requested by set_predict_request(offset=True) "
    "and set_score_request(offset=True), with metadata routing enabled; of a search it is "
    "best_estimator_ that takes one."
)


def checked_offset(offset, n_rows, n_outputs, name="offset"):
    """The offset as (n, 1) or (n, n_outputs) in float64, or None; ValueError naming it."""
    if offset is None:
        return None
    if sparse.issparse(offset):
        raise ValueError(f"{name} must be a dense array, got a sparse one.")
    try:
        offset = check_array(
            offset, ensure_2d=False, ensure_min_samples=0, dtype=np.float64, input_name=name
        )
    except (TypeError, ValueError) as error:
        message = str(error)
        raise ValueError(message if name in message else f"{name}: {message}") from error
    columns = offset.reshape(len(offset), -1) if offset.ndim == 1 else offset
    if columns.ndim != 2 or len(columns) != n_rows or columns.shape[1] not in (1, n_outputs):
        several = f" or ({n_rows}, {n_outputs})" if n_outputs > 1 else ""
        raise ValueError(f"{name} must have shape ({n_rows},){several}, got {offset.shape}.")
    return columns


def on_outputs(offset, out_activation, n_outputs):
    """What is added to the outputs (n, n_outputs) before the link."""
    if out_activation == "ordered":
        return on_lowest(offset, n_outputs)
    return np.broadcast_to(offset, (len(offset), n_outputs))


def log_mean_exp(offset, weight):
    """The logarithm (q,) of the weighted mean of exp(offset)."""
    weight = np.ones(len(offset)) if weight is None else weight
    return logsumexp(offset, axis=0, b=weight[:, None]) - np.log(weight.sum())
