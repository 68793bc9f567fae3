"""The engine's epochs and iterations as parts of a fit."""

import contextvars

from sklearn import config_context, get_config

from ..batching.meeting import as_ordinary_thread


class PassWatch:
    """An engine's ``Watch`` that makes each epoch, or iteration, a part of a fit.

    Callbacks are called in the thread that trains, with the configuration and the context variables
    of the fit. An error of theirs ends this training alone, and is raised by ``finish``.
    ``attributes_of`` are those of a solution.
    """

    def __init__(self, task, name, attributes_of):
        self._task, self._name, self._attributes_of = task, name, attributes_of
        self._config, self._context = get_config(), contextvars.copy_context()
        self._part = self._error = None

    def begin(self):
        """Begin the next one."""
        self._call(self._begin)

    def end(self, so_far):
        """End it: True where the training is to stop."""
        return self._call(self._end, so_far)

    def finish(self):
        """Raise what a callback has raised."""
        if self._error is not None:
            raise self._error
        if self._part is not None:  # begun when the search did not go on
            self._part.end()

    def _begin(self):
        self._part = self._task.part(self._name)

    def _end(self, so_far):
        part, self._part = self._part, None
        return part.end(lambda: self._attributes_of(so_far()))

    def _call(self, hook, *args):
        if self._error is None:
            try:
                with as_ordinary_thread(), config_context(**self._config):
                    return self._context.copy().run(hook, *args)
            except Exception as error:
                self._error = error
        return True
