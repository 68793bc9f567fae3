"""Threads for runners, each of which runs one after the other."""

import threading
from queue import SimpleQueue


class ThreadPool:
    """As many threads as there are runners at a time; one that is done is given the next.

    The first fit in a new thread takes as long again: torch and malloc prepare the thread.
    """

    def __init__(self):
        self._idle = []
        self._all = set()

    def take(self, runner):
        """A thread that has begun with this runner. RuntimeError where the machine has none."""
        thread = self._idle.pop() if self._idle else _Thread()
        self._all.add(thread)
        thread.runners.put(runner)
        if not thread.was_started:
            thread.was_started = True  # an interrupt in start leaves it: the thread may have begun
            try:
                thread.start()
            except RuntimeError:
                self._all.discard(thread)
                raise
        return thread

    def give_back(self, thread):
        """Its runner has ended; None where an interrupt has kept it from being noted."""
        if thread in self._all:
            self._idle.append(thread)
        elif thread is not None:
            thread.join()

    def end(self):
        """End the threads: the idle ones now, the others after their runners."""
        for thread in self._all:
            thread.runners.put(None)
        for thread in self._idle:
            thread.join()
        self._all.clear()
        self._idle.clear()


class _Thread(threading.Thread):
    """Runs what is put into ``runners``, until that is None."""

    def __init__(self):
        super().__init__(name="skmlp-fit", daemon=True)
        self.runners = SimpleQueue()
        self.was_started = False

    def run(self):
        while (runner := self.runners.get()) is not None:
            runner.run()
