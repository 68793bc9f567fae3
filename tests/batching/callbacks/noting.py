"""Callbacks that note what they are told, stop a fit, or fail."""

import threading


class Noting:
    """Notes each hook with its task's path and name, and calls ``then(self, estimator)`` at ends.

    What ``then`` returns is whether to stop.
    """

    def __init__(self, then=lambda callback, estimator: False):
        self.notes, self.threads, self.then = [], set(), then

    def _note(self, hook, context):
        path, names = [], []
        while context is not None:
            path, names = [context.task_id, *path], [context.task_name, *names]
            context = context.parent
        self.notes.append((hook, tuple(path), names[-1]))
        self.threads.add(threading.current_thread())

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self._note("end", context)
        return self.then(self, fitted_estimator)

    def paths(self, hook):
        """Paths of the tasks at which a hook was called, in order."""
        return [path for noted, path, _ in self.notes if noted == hook]

    def count(self, hook, name):
        """How often a hook was called for tasks of a name."""
        return sum((noted, task) == (hook, name) for noted, _, task in self.notes)


class Propagated(Noting):
    """The same, handed on to sub-estimators."""

    max_propagation_depth = None


def at_end(number, name, act):
    """``then`` that acts at the end of the given task of a name, counted from one."""

    def then(callback, estimator):
        if callback.count("end", name) == number and callback.notes[-1][2] == name:
            return act()
        return False

    return then


def fail():
    raise RuntimeError("a callback failed")


def interrupt():
    raise KeyboardInterrupt
