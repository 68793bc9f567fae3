"""Which input features a network uses."""

import numpy as np
from sklearn.utils.validation import check_is_fitted


def feature_scale(samples, has_intercept):
    """The weighted standard deviation of each feature (n_features,), over the engine's samples.

    Without an intercept it is that from zero.
    """
    from ..engine.network.columns import origins_and_scales

    return origins_and_scales(samples, has_intercept)[1]


def importances(coefs, feature_scale, output_unit):
    """Norms of the first layer's rows (n_features,), for X in units of its standard deviation.

    Without hidden layers the first layer's weights are the outputs' (unit (n_outputs,)): so is y.
    """
    first = coefs[0] / output_unit if len(coefs) == 1 else coefs[0]
    return np.linalg.norm(first, axis=1) * feature_scale


class SelectsFeatures:
    """What ``coefs_`` say about features: a feature is out where its row of weights is zero."""

    # What SelectFromModel asks for: with "l1" its default threshold is 1e-5 instead of the mean
    # importance. Zeros are exact here, whatever they come from (exclusion and bounds as well).
    penalty = property(lambda self: "l1", doc="'l1': zeros in ``coefs_`` are exact.")

    def get_support(self, indices=False):
        """The features that have not left the network.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return positions instead of a mask.

        Returns
        -------
        support : ndarray of shape (`n_features_in_`,) of bool, or (n_selected,) of int
        """
        check_is_fitted(self, "coefs_")
        support = np.any(self.coefs_[0] != 0, axis=1)
        return np.flatnonzero(support) if indices else support

    @property
    def selected_features_(self):
        """Names of the selected features where they are known, else positions."""
        support = self.get_support()
        names = getattr(self, "feature_names_in_", np.arange(support.size))
        return names[support]

    @property
    def feature_importances_(self):
        """Norms of the rows of ``coefs_[0]``, for standardised features and, if linear, y."""
        check_is_fitted(self, "coefs_")
        return importances(self.coefs_, self._feature_scale, self._trained.target.unit)
