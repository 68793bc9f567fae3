"""The tasks of a fit, as scikit-learn's callbacks are told of them: a tree of contexts."""

from contextlib import contextmanager

from sklearn.utils import _safe_indexing

from .support import has_callbacks


class FitTask:
    """A task that has begun: a fit, or a part of one.

    ``data`` are X, y and ``metadata``, what scorers need beside them.
    """

    def __init__(self, estimator, context, data):
        self._estimator, self._context, self.data = estimator, context, data
        context.call_on_fit_task_begin(estimator=estimator, **data)

    def __bool__(self):
        """Whether anybody is told."""
        return True

    def part(self, name, n_parts=0, *, number=None, are_in_turn=True, rows=None):
        """Begin a part, of at most ``n_parts`` of its own (None: nobody knows).

        Parts that do not come in turn have a ``number``. ``rows`` are those of the data that it is
        of, None for all.
        """
        size = {"max_subtasks": n_parts, "sequential_subtasks": are_in_turn}
        context = self._context.subcontext(task_name=name, task_id=number, **size)
        data = self.data if rows is None else _rows_of(self.data, rows)
        return FitTask(self._estimator, context, data)

    def end(self, attributes=None):
        """End the task: True where the parts beside it are not to follow.

        ``attributes`` are those of the estimator as if the fit had stopped here, or a function that
        returns them; None where it cannot.
        """
        return self._context.call_on_fit_task_end(
            estimator=self._estimator, **self.data, reconstruction_attributes=attributes
        )

    @contextmanager
    def during(self, name, n_parts=0):
        """A part that lasts for a block of code."""
        part = self.part(name, n_parts)
        yield part
        part.end()


class NoTask:
    """What nobody is told of."""

    def __bool__(self):
        return False

    def part(self, *args, **kwargs):
        """No part either."""
        return self

    def end(self, attributes=None):
        """Go on."""
        return False

    @contextmanager
    def during(self, *args, **kwargs):
        """No part either."""
        yield self


NO_TASK = NoTask()


def begin_fit(estimator, data, n_parts):
    """The fit to X, y, weights and offset as a task, of at most ``n_parts`` parts."""
    if not has_callbacks(estimator):
        return NO_TASK
    X, y, *beside = data
    metadata = zip(("sample_weight", "offset"), beside, strict=True)
    given = {name: value for name, value in metadata if value is not None}
    context = estimator._init_callback_context(max_subtasks=n_parts)
    return FitTask(estimator, context, {"X": X, "y": y, "metadata": given or None})


def _rows_of(data, rows):
    """Some rows of the data, taken where a callback asks for them."""
    metadata = data["metadata"] or {}
    return {
        "X": lambda: _safe_indexing(data["X"], rows),
        "y": lambda: _safe_indexing(data["y"], rows),
        "metadata": lambda: {n: _safe_indexing(v, rows) for n, v in metadata.items()} or None,
    }
