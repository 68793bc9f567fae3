"""What a task of a batched block cost, where it was parked most of the time."""

import threading
import time
from contextlib import contextmanager

_here = threading.local()


class Clock:
    """Seconds that a task cost: while it had the baton, and its share of what was done for it.

    The time it was parked is nobody's: others ran then.
    """

    def __init__(self):
        self.running = self.shared = 0.0
        self._since = self._until_meeting = None

    @property
    def total(self):
        return self.running + self.shared

    @property
    def fit_seconds(self):
        """Without what came after the task's last meeting: it published and was scored then."""
        return self.shared + (self.running if self._until_meeting is None else self._until_meeting)

    def start(self):
        """The task has the baton."""
        self._since = time.perf_counter()

    def pause(self):
        """It hands the baton back."""
        now = time.perf_counter()
        self.running, self._since = self.running + now - self._since, now

    def meet(self):
        """It hands over a task of the engine, or waits for a call of its own."""
        self.pause()
        self._until_meeting = self.running


@contextmanager
def recorded_calls():
    """The calls of joblib.Parallel that this thread makes in a batched block, each as its clocks.

    The clocks of a call are in the order of its tasks.
    """
    outer = getattr(_here, "calls", None)
    _here.calls = []
    try:
        yield _here.calls
    finally:
        _here.calls = outer


def record(clocks):
    """Add a call to those that are recorded."""
    if getattr(_here, "calls", None) is not None:
        _here.calls.append(clocks)
