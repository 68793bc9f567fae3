"""What scikit-learn does around each fit, where a small network would mostly wait for that."""

from functools import cache
from inspect import signature

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints


class Shortcuts:
    """Mixin: names of parameters looked up once, defaults checked once, and R2 of plain arrays."""

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

    def score(self, X, y, sample_weight=None):
        """R2 of the predictions, that of :func:`sklearn.metrics.r2_score`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.

        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        Returns
        -------
        score : float
            R2, the mean over outputs.
        """
        prediction = self.predict(X)
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
