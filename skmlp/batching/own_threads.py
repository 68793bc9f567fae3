"""Fits that train in the threads of their tasks, while others go on with scikit-learn's part."""

import time
from queue import SimpleQueue

SMALL_DATA = 2**20  # bytes of X


class OwnThreads:
    """Trains tasks that gain nothing from company, one by one, ``n_threads`` at a time.

    ``train`` is the engine's. BLAS has one thread in all of the process while it trains. From the
    first of these fits to the end of the outermost call it keeps that, so that the bits of what
    others do do not hinge on who trains meanwhile.
    """

    def __init__(self, train, n_threads):
        self.n_threads = n_threads
        self._train = train
        self._limit = None
        self._places = SimpleQueue()
        for place in range(n_threads):
            self._places.put(place)

    def serves(self, task):
        """Whether a task is one: the compiled loops take one model at a time.

        Beside the training of large data it does not matter what surrounds it, and other steps may
        want BLAS's threads.
        """
        from ..engine.kernels.choice import serves

        return serves(task) and (self.n_threads == 1 or task.train.X.nbytes <= SMALL_DATA)

    def keep_blas(self):
        """Hold BLAS to one thread, for all steps."""
        if self._limit is None:
            from ..engine.runtime import one_thread

            limit = one_thread()
            limit.__enter__()
            self._limit = limit

    def give_blas_back(self):
        """What the user had."""
        if self._limit is not None:
            self._limit.__exit__(None, None, None)
            self._limit = None

    def answer(self, task, cancelled):
        """(solution or exception, its seconds); the event ``cancelled`` ends the training."""
        from ..engine.runtime import cancelled_by

        place, start = self._places.get(), time.thread_time()
        cancelled_by(cancelled)
        try:
            answer = None if cancelled.is_set() else self._train([task])[0]
        except BaseException as error:  # raised where the task has the baton again
            answer = error
        finally:
            cancelled_by(None)
            self._places.put(place)
        return answer, time.thread_time() - start
