"""The backend of joblib whose tasks meet, so that the engine trains many at once."""

import os
import sys
from contextlib import contextmanager
from functools import partial
from multiprocessing import parent_process

import joblib
from joblib.parallel import (
    FallbackToBackend,
    ParallelBackendBase,
    SequentialBackend,
    ThreadingBackend,
)

from ..engine.train import train
from .clock import record
from .meeting import current_runner
from .own_threads import OwnThreads
from .relay import Relay
from .runner import Call, Runner
from .windows import Window

MAX_TASKS = 512
STALL_TIMEOUT = 300.0
FEW_THREADS = 32
NOT_GIVEN = 1 << 16  # what a backend sees for Parallel(n_jobs=None)


def training_threads(n_jobs):
    """How many threads the engine may use.

    None is every core that this process may use; in a worker of joblib, dask or ray, the number of
    threads that it was given.
    """
    if n_jobs is None:
        limit = int((os.environ.get("OMP_NUM_THREADS") or "1").split(",")[0])  # "4,2": by nesting
        return min(limit, joblib.cpu_count()) if in_worker() else joblib.cpu_count()
    if n_jobs == 0:
        raise ValueError("n_jobs == 0 has no meaning; use None for all cores.")
    return n_jobs if n_jobs > 0 else max(1, joblib.cpu_count() + 1 + n_jobs)


def in_worker():
    """Whether this process, or this thread of it, works for another one."""
    if parent_process() is not None:
        return True
    if (ray := sys.modules.get("ray")) is not None and ray.is_initialized():
        return ray.get_runtime_context().worker.mode == ray.WORKER_MODE
    if (distributed := sys.modules.get("distributed")) is None:
        return False
    try:
        return distributed.get_worker() is not None
    except ValueError:
        return False


class _RealThreads(ThreadingBackend):
    """For calls that ask for threads, such as those of trees: one unless told otherwise.

    Few are given whatever the number of cores, since they may wait for each other. Many are a cut
    of work into as many pieces as a block has places, as forests make it: a thread each core does.
    """

    def effective_n_jobs(self, n_jobs):
        if n_jobs is None or n_jobs >= NOT_GIVEN:
            return 1
        return min(super().effective_n_jobs(n_jobs), max(FEW_THREADS, joblib.cpu_count()))


class BlockBackend(ParallelBackendBase):
    """What is active in a block: it gives every Parallel a backend of its own, by ``for_call``.

    A backend that several calls share could not tell which of them a task belongs to.
    """

    supports_retrieve_callback = True
    supports_timeout = False
    supports_sharedmem = True
    uses_threads = True
    default_n_jobs = NOT_GIVEN
    n_slots = MAX_TASKS

    def __init__(self, nesting_level=None, inner_max_num_threads=None, *, is_nested=False):
        super().__init__(nesting_level=nesting_level)
        self.is_nested = is_nested

    def effective_n_jobs(self, n_jobs):
        """So many that every task is handed over at once, unless one was asked for.

        Other code asks too, in order to cut its work into pieces: inside of a task it is told one,
        as with joblib's own backends.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return 1 if n_jobs == 1 or (n_jobs is None and self.is_nested) else self.n_slots

    def configure(self, n_jobs=1, parallel=None, prefer=None, require=None, **kwargs):
        """Where this call of Parallel is to run."""
        if prefer == "threads" or require == "sharedmem":
            raise FallbackToBackend(_RealThreads(nesting_level=self.nesting_level))
        if self.effective_n_jobs(n_jobs) == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        raise FallbackToBackend(self.for_call(n_jobs))

    def apply_async(self, func, callback=None):
        """The name of ``submit`` before joblib 1.5."""
        return self.submit(func, callback)

    def for_call(self, n_jobs):
        """The backend of one Parallel; ``n_jobs`` is NOT_GIVEN where it was not given."""
        raise NotImplementedError


class CallBackend(BlockBackend):
    """The backend of one Parallel. Outcomes are pairs of a result and an exception or None."""

    def __init__(self, block):
        super().__init__(block.nesting_level, is_nested=block.is_nested)
        self.block, self.n_slots = block, block.n_slots

    def configure(self, n_jobs=1, parallel=None, **kwargs):
        self.parallel = parallel
        return self.effective_n_jobs(n_jobs)

    def retrieve_result_callback(self, outcome):
        result, error = outcome
        if error is not None:
            raise error
        return result


class BatchedBackend(BlockBackend):
    """``parallel_config(backend="skmlp")``: see ``batched_fits`` for the parameters."""

    def __init__(
        self,
        nesting_level=None,
        inner_max_num_threads=None,
        *,
        n_threads=None,
        max_tasks=MAX_TASKS,
        max_bytes=None,
        stall_timeout=STALL_TIMEOUT,
        is_nested=False,
    ):
        super().__init__(nesting_level, inner_max_num_threads, is_nested=is_nested)
        self.n_threads, self.stall_timeout = n_threads, stall_timeout
        self.max_tasks, self.max_bytes = max_tasks, max_bytes
        self.n_slots = max(MAX_TASKS, max_tasks)

    def for_call(self, n_jobs):
        asked = None if n_jobs >= NOT_GIVEN else n_jobs
        return _BatchedCall(self, self.n_threads if self.n_threads is not None else asked)

    def nested(self):
        """The block's backend as a task inside of it sees it."""
        return BatchedBackend(
            (self.nesting_level or 0) + 1,
            n_threads=self.n_threads,
            max_tasks=self.max_tasks,
            max_bytes=self.max_bytes,
            stall_timeout=self.stall_timeout,
            is_nested=True,
        )

    def relay(self, n_threads):
        """A new relay with the block's limits."""
        n_threads = training_threads(n_threads)
        return Relay(
            partial(train, n_threads=n_threads),
            OwnThreads(train, n_threads),
            Window(self.max_tasks, self.max_bytes),
            self.stall_timeout,
        )


class _BatchedCall(CallBackend):
    """The tasks of one Parallel, as runners of its own relay or of that around it."""

    def __init__(self, block, n_threads):
        super().__init__(block)
        self._n_threads = n_threads
        self._relay = self._call = None

    def get_nested_backend(self):
        return self.block.nested(), None

    def start_call(self):
        owner = current_runner()
        self._relay = self.block.relay(self._n_threads) if owner is None else owner.relay
        self._call = Call(owner)
        record(self._call.clocks)

    def submit(self, func, callback=None):
        if (owner := current_runner()) is not None:
            owner.check()
        runner = Runner(self._relay, self._call, func, callback)
        self._relay.submit(runner)
        return runner

    @contextmanager
    def retrieval_context(self):
        if self._is_outermost():
            self._relay.run(self._call)
        elif not self._call.settled:
            current_runner().join(self._call)
        yield

    def abort_everything(self, ensure_ready=True):
        if self._call is None:
            return
        self._relay.abandon(self._call)
        if self._is_outermost():
            self._relay.unwind(self._call)

    def _is_outermost(self):
        """Whether this thread is to run the relay: none of its runners."""
        owner = current_runner()
        return owner is None or owner.relay is not self._relay
