"""What scikit-learn has of callbacks: they came with 1.9, where they are experimental."""

import warnings

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:
        """In the place of scikit-learn's, where that has none: there is no ``set_callbacks``."""


def has_callbacks(estimator):
    """Whether anybody is to be told of a fit, set on the estimator or on what is around it."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


def without_callbacks(network):
    """The network of a path; a warning where it has callbacks, which nobody would call."""
    if has_callbacks(network):
        warnings.warn(
            f"The callbacks of the {type(network).__name__} are not called: networks of a path are "
            "trained together. Set them on the estimator that is fitted, such as "
            f"{type(network).__name__}CV."
        )
        network.set_callbacks()
    return network
