"""How many tasks may wait for each other at a time, and how large they may be."""

from collections import Counter
from dataclasses import fields, is_dataclass

import numpy as np
from scipy import sparse

SHARE_OF_FREE_MEMORY = 0.25  # tasks are copied into stacks, and their callers hold copies of X


def free_memory():
    """Bytes that the machine can give without swapping."""
    import psutil

    return psutil.virtual_memory().available


class Window:
    """The tasks that are parked, against bounds on their number and on their bytes.

    Memory that tasks share counts once. ``max_bytes=None`` is a quarter of the free memory.
    """

    def __init__(self, max_tasks, max_bytes=None):
        self.max_tasks = max_tasks
        self.max_bytes = SHARE_OF_FREE_MEMORY * free_memory() if max_bytes is None else max_bytes
        self.recount([])

    @property
    def is_full(self):
        return self._n_tasks >= self.max_tasks or self._n_bytes >= self.max_bytes

    def add(self, task):
        """Count a task."""
        self._n_tasks += 1
        for memory in _memory(task):
            self._users[memory] += 1
            self._n_bytes += memory[1] * (self._users[memory] == 1)

    def remove(self, task):
        """Count a task no longer."""
        self._n_tasks -= 1
        for memory in _memory(task):
            self._users[memory] -= 1
            self._n_bytes -= memory[1] * (self._users[memory] == 0)

    def recount(self, tasks):
        """Count these tasks and no others."""
        self._n_tasks, self._n_bytes, self._users = 0, 0, Counter()
        for task in tasks:
            self.add(task)


def arrays_of(value):
    """The arrays in dataclasses, tuples, lists, dicts and sparse matrices."""
    if isinstance(value, np.ndarray):
        yield value
    elif sparse.issparse(value):
        yield from arrays_of([value.data, value.indices, value.indptr])
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from arrays_of(item)
    elif isinstance(value, dict):
        yield from arrays_of(list(value.values()))
    elif is_dataclass(value):
        yield from arrays_of([getattr(value, field.name) for field in fields(value)])


def _memory(task):
    """Address and bytes of each piece of memory that the data of a task lie in."""
    buffers = [_buffer(array) for array in arrays_of([task.train, task.validation])]
    return {(b.__array_interface__["data"][0], b.nbytes) for b in buffers}


def _buffer(array):
    """The array whose memory this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
