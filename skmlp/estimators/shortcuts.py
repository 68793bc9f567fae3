"""What scikit-learn does around each fit, where a small network would mostly wait for that."""

from functools import cache
from inspect import signature

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints
from sklearn.utils.validation import _check_sample_weight

from ..parameters.loss_values import estimator_loss


class Shortcuts:
    """Mixin: names of parameters looked up once, and defaults checked once."""

    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()

    def _validate_params(self):
        """scikit-learn's check, of what is not a default."""
        known, nothing = valid_defaults(type(self)), object()
        given = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if value is not known.get(name, nothing)
        }
        validate_parameter_constraints(self._parameter_constraints, given, type(self).__name__)


class ScoresExplained:
    """Mixin: the share that is explained, where R2 of plain arrays needs no checks."""

    def score(self, X, y, sample_weight=None, offset=None):
        """R2 of the predictions, or the share of the loss that they explain.

        R2 is that of :func:`sklearn.metrics.r2_score`, for the losses that MLPRegressor has. For
        others it is D2, 1 - loss / loss of the best constant prediction.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.

        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, see ``predict``. The constant has none.

        Returns
        -------
        score : float
            R2 or D2, the mean over outputs.
        """
        prediction = self.predict(X) if offset is None else self.predict(X, offset)
        loss = estimator_loss(self)
        if not loss.scores_r2:
            return d2_of_loss(loss, y, prediction, sample_weight)
        score = r2_of_arrays(y, prediction) if sample_weight is None else None
        return r2_score(y, prediction, sample_weight=sample_weight) if score is None else score


@cache
def valid_defaults(estimator_class):
    """The parameters and defaults of a class that its constraints allow."""
    valid, constraints = {}, estimator_class._parameter_constraints
    for name, parameter in signature(estimator_class).parameters.items():
        try:
            validate_parameter_constraints(constraints, {name: parameter.default}, "")
            valid[name] = parameter.default
        except InvalidParameterError:
            pass
    return valid


def d2_of_loss(loss, y, prediction, sample_weight):
    """1 - loss / loss of the best constant prediction, the mean over outputs."""
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    check_consistent_length(y, prediction, sample_weight)
    y = loss.columns(y.reshape(len(y), -1), "y")
    loss.check_range(y, "y")
    weight = np.ones(len(y))
    if sample_weight is not None:
        weight = _check_sample_weight(sample_weight, y, dtype=np.float64)
    return loss.score(y, prediction.reshape(y.shape), (weight / weight.mean())[:, None])


def r2_of_arrays(y, prediction):
    """R2 with the bits of ``r2_score``, or None where that has more to convert or to decide.

    Of float arrays of one dtype, (n,) or (n, n_outputs).
    """
    is_array = type(y) is type(prediction) is np.ndarray and y.dtype.kind == "f"
    if not is_array or y.dtype != prediction.dtype or y.shape != prediction.shape or len(y) < 2:
        return None
    y, prediction = y.reshape(len(y), -1), prediction.reshape(len(y), -1)
    with np.errstate(all="ignore"):
        residual = ((y - prediction) ** 2).sum(axis=0)
        total = ((y - np.average(y, axis=0)) ** 2).sum(axis=0)
    if not (np.isfinite(residual).all() and np.isfinite(total).all() and total.all()):
        return None
    return float(np.average(1 - residual / total))
