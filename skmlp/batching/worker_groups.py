"""Groups of fits for the workers of another backend of joblib, each trained there as stacks."""

import pickle
import traceback
from contextlib import contextmanager
from itertools import chain, pairwise

import joblib
from joblib import Parallel, delayed, parallel_config

from .clock import record, recorded_calls
from .joblib_backend import NOT_GIVEN, BatchedBackend, BlockBackend, CallBackend
from .runner import TaskTraceback
from .windows import arrays_of


class Group:
    """Tasks that travel together: what they share is pickled once."""

    def __init__(self, functions):
        self.functions = functions

    def __sizeof__(self):
        """Bytes of the arrays in it: dask sends what is large to the workers straight away."""
        items = [getattr(function, "items", ()) for function in self.functions]
        return sum({id(array): array.nbytes for array in arrays_of(items)}.values())


def run_group(group, block):
    """The outcomes and clocks of the tasks of a group, in a worker."""
    with parallel_config(backend=block), recorded_calls() as calls:
        tasks = (delayed(_outcome)(function) for function in group.functions)
        return Parallel(pre_dispatch="all")(tasks), calls[0]


def _outcome(function):
    """Result, exception, and its traceback, which pickle would drop."""
    try:
        return function(), None, None
    except Exception as error:
        return None, _portable(error), traceback.format_exc()


def _portable(error):
    """The exception, or one that says the same where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def run_in_groups(functions, backend, n_jobs, block):
    """Outcomes and clocks, as ``run_group``, of one group for each worker of a backend."""
    with parallel_config(backend=backend, n_jobs=n_jobs):
        n_groups = min(joblib.effective_n_jobs(n_jobs), len(functions))
        cuts = [k * len(functions) // n_groups for k in range(n_groups + 1)]
        groups = [Group(functions[a:b]) for a, b in pairwise(cuts)]
        tasks = (delayed(run_group)(group, block) for group in groups)
        done = Parallel(batch_size=1, pre_dispatch="all")(tasks)
    outcomes, clocks = zip(*done, strict=True)
    return [*chain(*outcomes)], [*chain(*clocks)]


class GroupsBackend(BlockBackend):
    """The backend of a block whose tasks go to ``backend``, to ``n_jobs`` of its workers.

    ``limits`` are those of BatchedBackend, for each worker.
    """

    supports_sharedmem = False
    uses_threads = False
    n_slots = 1 << 14  # all tasks should be known when they are cut into groups

    def __init__(self, backend, n_jobs=None, **limits):
        super().__init__()
        self.backend, self.n_jobs, self.limits = backend, n_jobs, limits

    def for_call(self, n_jobs):
        asked = -1 if n_jobs >= NOT_GIVEN else n_jobs
        return _GroupsCall(self, self.n_jobs if self.n_jobs is not None else asked)

    def in_worker(self):
        """The block of a worker, which has one thread."""
        return BatchedBackend((self.nesting_level or 0) + 1, n_threads=1, **self.limits)


class _GroupsCall(CallBackend):
    """The tasks of one Parallel, collected until the caller waits for them."""

    def __init__(self, block, n_jobs):
        super().__init__(block)
        self._n_jobs = n_jobs
        self._waiting, self._clocks = [], []

    def get_nested_backend(self):
        return self.block.in_worker().nested(), None

    def start_call(self):
        self._waiting, self._clocks = [], []
        record(self._clocks)

    def submit(self, func, callback=None):
        self._waiting.append((func, callback))

    @contextmanager
    def retrieval_context(self):
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            functions, callbacks = zip(*waiting, strict=True)
            outcomes, clocks = run_in_groups(
                list(functions), self.block.backend, self._n_jobs, self.block.in_worker()
            )
            self._clocks += clocks
            for callback, outcome in zip(callbacks, outcomes, strict=True):
                callback(_arrived(*outcome))
        yield

    def abort_everything(self, ensure_ready=True):
        self._waiting.clear()


def _arrived(result, error, text):
    """An outcome, with the worker's traceback as the cause of its exception."""
    if error is not None and error.__cause__ is None:
        error.__cause__ = TaskTraceback(text)
    return result, error
