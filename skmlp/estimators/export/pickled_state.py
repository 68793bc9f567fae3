"""What pickles say of the versions that made them."""

import sys
import warnings
from inspect import signature

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

PACKAGE = __name__.partition(".")[0]
UNKNOWN = "0.1.0 or before"  # which did not say


class InconsistentSkmlpVersionWarning(InconsistentVersionWarning):
    """An estimator comes from a pickle of another version of skmlp.

    ``current_skmlp_version`` and ``original_skmlp_version`` say which; filters of scikit-learn's
    warning of this kind serve it too.
    """

    def __init__(self, *, estimator_name, current_skmlp_version, original_skmlp_version):
        self.estimator_name = estimator_name
        self.current_skmlp_version = current_skmlp_version
        self.original_skmlp_version = original_skmlp_version

    def __str__(self):
        return (
            f"Trying to unpickle estimator {self.estimator_name} of skmlp "
            f"{self.original_skmlp_version} when using skmlp {self.current_skmlp_version}. This "
            "might lead to breaking code or invalid results: fit again, or compare predictions "
            "with some that were kept. to_sklearn() gives models that do not need skmlp."
        )


class SaysVersions:
    """Mixin: the state says which versions of skmlp and scikit-learn it is of.

    Others load with a warning, and parameters that they did not have yet at their defaults.
    """

    def __getstate__(self):
        versions = {"_skmlp_version": current(), "_sklearn_version": sklearn.__version__}
        return {**super().__getstate__(), **versions}

    def __setstate__(self, state):
        state = dict(state)
        ours, theirs = state.pop("_skmlp_version", UNKNOWN), state.pop("_sklearn_version", None)
        name = type(self).__name__
        if ours != current():
            versions = {"current_skmlp_version": current(), "original_skmlp_version": ours}
            warnings.warn(InconsistentSkmlpVersionWarning(estimator_name=name, **versions))
            state = {**_defaults(type(self)), **state}
        if theirs not in (None, sklearn.__version__):
            versions = {"current_sklearn_version": sklearn.__version__}
            versions["original_sklearn_version"] = theirs
            warnings.warn(InconsistentVersionWarning(estimator_name=name, **versions))
        super().__setstate__(state)


def current():
    """The version of skmlp."""
    return sys.modules[PACKAGE].__version__


def _defaults(kind):
    parameters = signature(kind).parameters.items()
    return {name: given.default for name, given in parameters if given.default is not given.empty}
