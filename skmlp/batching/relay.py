"""A relay: many fits, of which one at a time has the baton, that are trained together.

Tasks run in threads of their own, one at a time, so that code which was written to run in a loop
sees no concurrency. A fit parks its task for the engine and hands back the baton. When nobody can
go on, all parked tasks are trained by one call, in the thread that made the outermost call of
joblib.Parallel: Ctrl-C arrives there. Tasks that gain nothing from company are trained in their own
threads at once, while others have the baton, and go on in the order in which they came.
"""

import time
from collections import deque
from queue import Empty, SimpleQueue

from .runner import WarningsState
from .thread_pool import ThreadPool

POLL_SECONDS = 0.5  # an unbounded wait could not be interrupted on Windows


class Relay:
    """Runs the tasks of the calls made in it, deepest first.

    ``train`` takes a list of the engine's tasks, ``own_threads`` trains those that gain nothing
    from company. ``window`` bounds those that wait for each other.
    A runner that keeps the baton for ``stall_timeout`` seconds while others could go on is no
    longer waited for: it may want a lock that one of them holds.
    """

    def __init__(self, train, own_threads, window, stall_timeout):
        self.train, self.own_threads = train, own_threads
        self.window, self.stall_timeout = window, stall_timeout
        self.threads = ThreadPool()
        self.events = SimpleQueue()
        self._queues = []  # not started, whose caller waits: one queue for each depth of nesting
        self._started = set()  # and not finished
        self._doomed = set()  # abandoned, and not finished
        self._running = set()
        self._strays = set()  # the same, no longer waited for
        self._ready = deque()
        self._parked = []
        self._beside = {}  # runner: the task it trains; in order, also behind one that still does
        self._joining = {}  # runner: the call it waits for

    def submit(self, runner):
        """Take a task, to be started once the caller waits for its call."""
        call = runner.call
        call.unfinished.add(runner)
        call.clocks.append(runner.clock)
        (self._queue(call) if call.joined else call.waiting).append(runner)

    def run(self, call):
        """Run tasks until the call is settled, and no abandoned task is left."""
        base = WarningsState()
        self._open(call)
        try:
            while self._doomed or not call.settled:
                self._step(base)
        finally:
            base.install()
            self.own_threads.give_blas_back()
            self.threads.end()

    def _queue(self, call):
        while len(self._queues) <= call.depth:
            self._queues.append(deque())
        return self._queues[call.depth]

    def _open(self, call):
        """The caller waits now."""
        call.joined = True
        self._queue(call).extend(call.waiting)
        call.waiting.clear()

    def _step(self, base):
        """One event, one hand-over, or one call of the engine."""
        if self._running or not self.events.empty():
            self._handle_event(base)
        elif self._ready:
            self._hand_over(self._ready.popleft(), base)
        elif (runner := self._next_queued()) is not None:
            self._hand_over(runner, base)
        elif self._beside:
            self._handle_event(base)
        elif self._parked:
            self._train_parked()
        elif self._strays:
            self._handle_event(base)
        else:
            raise RuntimeError("No task of the batched fits can go on.")

    # What runners do, handled in the relay's thread

    def park(self, runner, task):
        """The runner waits for its task to be trained."""
        runner.task = task
        self._parked.append(runner)
        self.window.add(task)

    def leave(self, runner, task):
        """The runner trains its task without the baton."""
        self.own_threads.keep_blas()
        runner.task = self._beside[runner] = task
        self.window.add(task)

    def come_back(self, runner, answer):
        """The runner has trained its task, and waits for those that came before it."""
        runner.answer(answer)
        while self._beside and (first := next(iter(self._beside))).task is None:
            self.window.remove(self._beside.pop(first))
            self._ready.append(first)

    def join(self, runner, call):
        """The runner waits for a call that it made."""
        self._joining[runner] = call
        self._open(call)
        self._wake_joining()

    def finish(self, runner, outcome):
        """The runner has ended; joblib stores the outcome and may submit further tasks."""
        self._started.discard(runner)
        self._doomed.discard(runner)
        runner.call.unfinished.discard(runner)
        runner.end()
        if runner.abandoned:
            self._beside.pop(runner, None)
            self._ready = deque(other for other in self._ready if other is not runner)
        else:
            runner.call.failed |= outcome[1] is not None
            runner.callback(outcome)
        self._wake_joining()

    def _wake_joining(self):
        for runner, call in list(self._joining.items()):
            if call.settled:
                del self._joining[runner]
                runner.clock.shared += sum(clock.total for clock in call.clocks)
                self._ready.append(runner)

    def _handle_event(self, base):
        """Wait for the next event and handle it, or for a stall while others could go on."""
        event = self._next_event()
        if event is None:
            self._strays |= self._running
            self._running.clear()
            return
        runner, handler, payload = event
        if runner in self._running:
            runner.warnings = WarningsState()
            base.install()
        self._running.discard(runner)
        self._strays.discard(runner)
        if runner.abandoned and handler in (self.park, self.join):
            self._ready.append(runner)
        else:
            handler(runner, payload)

    def _next_event(self):
        deadline = time.perf_counter() + self.stall_timeout
        while True:
            try:
                return self.events.get(timeout=min(POLL_SECONDS, self.stall_timeout))
            except Empty:
                self._drop_stillborn()
                is_stall = time.perf_counter() >= deadline and (self._parked or self._ready)
                if is_stall or not (self._running or self._strays):
                    return None

    def _drop_stillborn(self):
        """Forget abandoned runners whose threads have not begun.

        An interrupt within ``Thread.start`` may leave a lock there that the thread waits for.
        """
        stillborn = {r for r in (*self._running, *self._strays) if r.abandoned and not r.has_begun}
        for runners in (self._running, self._strays, self._started, self._doomed):
            runners -= stillborn

    # Hand-overs

    def _next_queued(self):
        """The next task to start, of the deepest calls, unless each thread trains one already.

        More at a time would take the processors from each other, and each would need its memory.
        """
        n_in_training = sum(runner.task is not None for runner in self._beside)
        if self.window.is_full or n_in_training >= self.own_threads.n_threads:
            return None
        return next((queue.popleft() for queue in reversed(self._queues) if queue), None)

    def _hand_over(self, runner, base):
        self._started.add(runner)
        self._running.add(runner)
        runner.warnings.install()
        try:
            runner.go()
        except RuntimeError:  # no thread is left on this machine: go on with fewer at a time
            base.install()
            self._running.discard(runner)
            self._started.discard(runner)
            n_waiting = len(self._parked) + len(self._beside)
            if not n_waiting:
                raise
            self._queue(runner.call).appendleft(runner)
            self.window.max_tasks = n_waiting

    # Training

    def _train_parked(self):
        parked, self._parked = self._parked, []
        self.window.recount([])
        start = time.perf_counter()
        try:
            answers = self._solutions([runner.task for runner in parked])
            share = (time.perf_counter() - start) / len(parked)
            for runner, answer in zip(parked, answers, strict=True):
                runner.answer(answer)
                runner.clock.shared += share
        finally:  # after an interrupt too: ``abandon`` unwinds them
            self._ready.extend(parked)

    def _solutions(self, tasks):
        """Solutions; where a call fails, what each task gives by itself, its exception too."""
        try:
            return self.train(tasks)
        except Exception as error:
            if len(tasks) == 1:
                return [error]
        return [self._solutions([task])[0] for task in tasks]

    # Ends before the end

    def abandon(self, call):
        """Forget the tasks of a call and of the calls under it; unwind them, children first."""
        # an interrupt may have come between the end of a runner and the note of it
        self._started = {runner for runner in self._started if not runner.has_ended}
        doomed = {runner for runner in self._started if runner.call.is_under(call)}
        for runner in doomed:
            runner.abandonment.set()
            self._joining.pop(runner, None)
        self._doomed |= doomed
        self._queues = [deque(r for r in q if not r.call.is_under(call)) for q in self._queues]
        self._parked = [runner for runner in self._parked if runner not in doomed]
        self.window.recount([*(runner.task for runner in self._parked), *self._beside.values()])
        idle = doomed.difference(self._running, self._strays, self._beside)
        self._ready = deque(runner for runner in self._ready if runner not in doomed)
        self._ready.extendleft(sorted(idle, key=lambda runner: runner.call.depth))
        call.waiting.clear()
        call.unfinished.clear()

    def unwind(self, call):
        """End the threads of an abandoned call, but for one that is busy: it ends by itself."""
        for runner in (*self._running, *self._strays):
            self._doomed.discard(runner)
            runner.go()
        for runner in self._beside:  # an interrupt may have lost the note that it has come back
            runner.go()
        self._running.clear()
        self._strays.clear()
        self.run(call)
