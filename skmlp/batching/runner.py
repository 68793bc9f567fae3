"""The runners of a relay: tasks in threads of their own, of which the one with the baton runs."""

import contextvars
import threading
import traceback
import warnings
from collections import deque
from queue import SimpleQueue

import numpy as np
from sklearn import config_context, get_config

from .clock import Clock
from .meeting import run_as


class Abandoned(BaseException):
    """Unwinds a runner whose result nobody waits for any more."""


class TaskTraceback(Exception):
    """The traceback of a task that failed elsewhere, as text; the cause of its exception."""

    def __str__(self):
        return f"\n{self.args[0]}"


def with_traceback(error):
    """The exception with its traceback as its cause: joblib drops ``__traceback__``."""
    if error.__cause__ is None:
        error.__cause__ = TaskTraceback("".join(traceback.format_exception(error)))
    return error


class WarningsState:
    """What ``warnings.catch_warnings`` saves and restores: global to the process."""

    _NAMES = tuple(
        n for n in ("filters", "showwarning", "_showwarnmsg_impl") if hasattr(warnings, n)
    )

    def __init__(self):
        self._values = [getattr(warnings, name) for name in self._NAMES]

    def install(self):
        """Make this state the current one."""
        if all(getattr(warnings, n) is v for n, v in zip(self._NAMES, self._values, strict=True)):
            return
        for name, value in zip(self._NAMES, self._values, strict=True):
            setattr(warnings, name, value)
        with warnings.catch_warnings():
            pass  # so that warnings takes note of the new filters


class Call:
    """The tasks of one call of joblib.Parallel, made by the runner ``owner`` (None: the outermost).

    Tasks see the caller's context variables, scikit-learn configuration and warnings filters.
    """

    def __init__(self, owner):
        self.owner = owner
        self.depth = 0 if owner is None else owner.call.depth + 1
        self.context = contextvars.copy_context()
        self.config, self.floating_point = get_config(), np.geterr()
        self.warnings = WarningsState()
        self.waiting = deque()  # until the caller waits too: it may hold locks while it submits
        self.unfinished = set()
        self.clocks = []
        self.joined = self.failed = False

    @property
    def settled(self):
        """Whether the caller can go on."""
        return self.failed or not self.unfinished

    def is_under(self, other):
        """Whether this is the other call, or was made by one of its tasks."""
        return self is other or (self.owner is not None and self.owner.call.is_under(other))


class Runner:
    """One task of a call, in a thread of its own that runs only when the relay says so."""

    def __init__(self, relay, call, function, callback):
        self.relay, self.call, self.callback = relay, call, callback
        self.clock = Clock()
        self.warnings = call.warnings
        self.has_begun = self.has_ended = False
        self.abandonment = threading.Event()
        self.task = None
        self._function = function
        self._answer = None
        self._thread, self._was_started = None, False
        self._gate = SimpleQueue()

    @property
    def abandoned(self):
        """Whether nobody waits for its result any more."""
        return self.abandonment.is_set()

    def go(self):
        """Hand over the baton. RuntimeError where the machine has no thread left."""
        if self._was_started:
            self._gate.put(None)
            return
        self._was_started = True  # after an interrupt, too: the thread may have begun
        try:
            self._thread = self.relay.threads.take(self)
        except RuntimeError:
            self._was_started = False
            raise

    def end(self):
        """Let go of the thread, and of what the task held."""
        self.relay.threads.give_back(self._thread)
        self._function = self._thread = self.warnings = None

    def answer(self, solution):
        """What ``meet`` will return, or raise."""
        self.task, self._answer = None, solution

    def meet(self, task):
        """The solution of the task, once the relay has trained it with others, or this thread."""
        self.check()
        own_threads = self.relay.own_threads
        if not own_threads.serves(task):
            self._hand_back(self.relay.park, task)
        elif own_threads.n_threads > 1:
            self._leave(task)
        else:
            self.clock.meet()
            self.answer(self._train(task))
            self.clock.start()
            self.check()
        solution, self._answer = self._answer, None
        if isinstance(solution, BaseException):
            raise solution
        return solution

    def join(self, call):
        """Wait for a call that this task has made."""
        self._hand_back(self.relay.join, call)

    def check(self):
        """Raise Abandoned in a task that is to end."""
        if self.abandoned:
            raise Abandoned

    def _train(self, task):
        """The answer to a task, in this thread."""
        answer, seconds = self.relay.own_threads.answer(task, self.abandonment)
        self.clock.shared += seconds
        return answer

    def _leave(self, task):
        """Train the task while others have the baton."""
        self.clock.meet()
        self.relay.events.put((self, self.relay.leave, task))
        self._return(self.relay.come_back, self._train(task))

    def _hand_back(self, handler, payload):
        """Have the relay do something, until it hands over the baton again."""
        self.check()
        self.clock.meet()
        self._return(handler, payload)

    def _return(self, handler, payload):
        self.relay.events.put((self, handler, payload))
        self._gate.get()
        self.clock.start()
        self.check()

    def run(self):
        """The whole task, in the thread that was taken."""
        self.has_begun = True
        run_as(self)
        self.clock.start()
        try:
            outcome = (self.call.context.copy().run(self._configured), None)
        except BaseException as error:
            outcome = (None, with_traceback(error))
        self.clock.pause()
        self.has_ended = True
        self.relay.events.put((self, self.relay.finish, outcome))

    def _configured(self):
        self.check()
        # numpy before 2 does not have its handling of errors among the context variables
        with config_context(**self.call.config), np.errstate(**self.call.floating_point):
            return self._function()
