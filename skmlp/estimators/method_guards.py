"""Guards of methods: a fit that fails leaves no trace; some are there for some parameters only."""

from contextlib import contextmanager
from functools import update_wrapper
from types import MethodType

# set by scikit-learn when a fit begins to be told of, and dropped by it after the fit
OF_CALLBACKS = "_callback_fit_ctx", "_skl_callbacks_to_teardown"


@contextmanager
def all_or_nothing(estimator):
    """A fit that fails leaves the estimator as it was, but for what tears its callbacks down."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        told = {name: vars(estimator)[name] for name in OF_CALLBACKS if name in vars(estimator)}
        vars(estimator).clear()
        vars(estimator).update(before | told)
        raise


class UnavailableError(AttributeError, ValueError):
    """Raised on access: ``hasattr`` is False, and a call is the ValueError of MLPRegressor."""


class available_unless:
    """Decorate a method that ``reason(estimator)`` makes unavailable by returning a message.

    scikit-learn's ``available_if`` raises a bare AttributeError, whatever the check raised.
    """

    def __init__(self, reason):
        self.reason = reason

    def __call__(self, method):
        self.method = method
        return update_wrapper(self, method)

    def __get__(self, estimator, owner=None):
        if estimator is None:
            return self.method
        message = self.reason(estimator)
        if message is not None:
            raise UnavailableError(message)
        return MethodType(self.method, estimator)
