"""Guards of methods: a fit that fails leaves no trace; some are there for some parameters only."""

from contextlib import contextmanager
from functools import update_wrapper
from types import MethodType


@contextmanager
def all_or_nothing(estimator):
    """A fit that fails leaves the estimator as it was."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
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
