"""Where fits meet: a task is trained by itself, or together with those of its siblings."""

import os
import threading
from contextlib import contextmanager

from ..engine.train import train

_here = threading.local()


def train_together(task):
    """The solution of an engine's task.

    In a thread that a batched block runs (``batched_fits``) the task waits there for those of its
    siblings, and one call of the engine trains them all. Everywhere else it is trained at once.
    """
    runner = current_runner()
    return train([task])[0] if runner is None else runner.meet(task)


def current_runner():
    """The runner of a batched block whose thread this is, or None."""
    return getattr(_here, "runner", None)


def run_as(runner):
    """Make this thread that of ``runner``; None for an ordinary thread."""
    _here.runner = runner


@contextmanager
def as_ordinary_thread():
    """Within a training: fits of those who are called back are their own, and meet nobody."""
    runner = current_runner()
    run_as(None)
    try:
        yield
    finally:
        run_as(runner)


if hasattr(os, "register_at_fork"):
    # a process that is forked in a runner's thread has nobody to wait for
    os.register_at_fork(after_in_child=lambda: run_as(None))
