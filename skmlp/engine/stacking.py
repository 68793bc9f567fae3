"""Which tasks train together: groups of one program, cut into stacks that suit the machine."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import torch

from .fitting import train_stack
from .kernels.choice import serves
from .linear.exact import is_exact, solve_exactly
from .network.distinct import unique
from .network.layout import Layout
from .runtime import one_fit
from .task import Program, Samples, Solution, Task

# Measured at 353 rows, hidden layers (32,), (100,) and (50, 25), float32 and float64, two threads:
# far below, threads wait for each other at the interpreter's lock after each short operation; far
# above, what an operation writes has left the cache when the next one reads it.
STACK_BYTES = 2**23
LARGEST_STACK = 100


@dataclass(frozen=True)
class Chunk:
    """Tasks that train as one stack, and their places among all tasks."""

    tasks: list[Task]
    members: list[int]


def run(chunk: Chunk) -> list[Solution]:
    """Train the tasks of a chunk."""
    first = chunk.tasks[0]
    with one_fit():
        if first.program.is_deterministic and is_exact(first):
            return [solve_exactly(task) for task in chunk.tasks]
        return train_stack(chunk.tasks)


def cut(tasks: list[Task], n_threads: int) -> list[Chunk]:
    """The chunks of some tasks: one program each, the models that see the same rows side by side.

    A solver's state belongs to a stack, so tasks with one stand apart from those without. So do
    tasks that the compiled loops serve, or that are solved exactly: which way one goes must not
    depend on the others.
    """
    if len(tasks) == 1:
        return [Chunk(tasks, [0])]
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for k, task in enumerate(tasks):
        ways = task.incremental, bool(task.optimizer), is_exact(task), serves(task)
        groups[task.program, *ways].append(k)
    fair_share = sum(bytes_of_step(task.program) for task in tasks) / n_threads
    chunks = []
    for (*_, go_alone), members in groups.items():
        group = [tasks[k] for k in members]
        n_stacks = len(group)
        if not go_alone:
            n_stacks = count_stacks(group[0].program, len(group), n_threads, fair_share)
        if n_stacks < len(group):
            group = share_samples(group)
        for part in np.array_split(_by_source(group), n_stacks):
            chunks.append(Chunk([group[k] for k in part], [members[k] for k in part]))
    return chunks


def _by_source(tasks: list[Task]) -> np.ndarray:
    """An order of the tasks in which those with the same samples and seed are neighbours."""
    _, ranks = unique([(id(task.train), task.seed) for task in tasks])
    return np.argsort(ranks, kind="stable")


def count_stacks(program: Program, n_models: int, n_threads: int, fair_share: float) -> int:
    """Into how many stacks the models of a program are cut.

    On the CPU what a step of a stack touches should stay in the cache, and a stack should not be
    more than a thread's fair share of all work; a model for which that is too much trains alone, as
    in a plain fit. On other devices a stack is as large as memory allows. lbfgs without group
    norms steps through one model at a time.
    """
    if program.is_deterministic and not program.has_group_norms:
        return n_models
    bytes_each = bytes_of_step(program)
    if program.device == "cpu":
        n_fitting = min(LARGEST_STACK, STACK_BYTES // bytes_each)
        n_fitting = min(n_fitting, math.ceil(fair_share / bytes_each))
    else:
        n_fitting = free_bytes(program.device) // bytes_each
    n_stacks = math.ceil(n_models / max(1, n_fitting))
    if n_stacks > 1:
        n_stacks = n_threads * math.ceil(n_stacks / n_threads)
    return min(n_stacks, n_models)


def bytes_of_step(program: Program) -> int:
    """What a step of one model touches: activations, their derivatives, and six of each weight."""
    _, *hidden, n_outputs = program.layer_sizes
    is_narrow = len(hidden) == 1 and n_outputs == 1  # its derivatives take the activations' place
    n_buffers = 4 if program.normalization or any(program.dropout) else 2 - is_narrow
    per_row = n_buffers * sum(hidden) + n_outputs
    itemsize = np.dtype(program.dtype).itemsize
    return itemsize * (per_row * program.batch_size + 6 * Layout(program).size)


def free_bytes(device: str) -> int:
    """Half of the memory that is free on a CUDA device; a gigabyte on others."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0] // 2
    return 2**30


def share_samples(tasks: list[Task]) -> list[Task]:
    """The tasks with equal samples made one object, so that a stack gathers their rows once."""
    known: dict[Hashable, list[Samples]] = defaultdict(list)

    def shared(samples: Samples | None) -> Samples | None:
        if samples is None:
            return None
        candidates = known[_glance(samples)]
        for other in candidates:
            if all(_equal(a, b) for a, b in zip(_arrays(samples), _arrays(other), strict=True)):
                return other
        candidates.append(samples)
        return samples

    return [
        replace(task, train=shared(task.train), validation=shared(task.validation))
        for task in tasks
    ]


def _arrays(samples: Samples) -> tuple:
    return samples.X, samples.y, samples.weight, samples.rows, samples.offset


def _glance(samples: Samples) -> Hashable:
    """What equal samples have in common and others seldom do."""
    X, y = samples.X, samples.y
    ends = X[[0, -1]].tobytes() if isinstance(X, np.ndarray) else id(X)
    return X.shape, y.shape, samples.weight is None, ends, y[[0, -1]].tobytes()


def _equal(a, b) -> bool:
    if a is b:
        return True
    both = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    return both and a.dtype == b.dtype and np.array_equal(a, b)
