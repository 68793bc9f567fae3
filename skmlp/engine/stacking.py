"""Which tasks train together: groups of one program, cut into stacks that suit the machine."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import torch

from .layout import Layout
from .linear import solve_linear
from .runtime import one_thread, plain_torch
from .task import Program, Samples, Solution, Task
from .training import train_stack

STACK_BYTES = 2**21
LARGEST_STACK = 64


@dataclass(frozen=True)
class Chunk:
    """Tasks that train as one stack, and their places among all tasks."""

    tasks: list[Task]
    members: list[int]


def run(chunk: Chunk) -> list[Solution]:
    """Train the tasks of a chunk."""
    program = chunk.tasks[0].program
    with one_thread(), plain_torch():
        if program.solver == "lbfgs" and program.is_linear_regression:
            return [solve_linear(task) for task in chunk.tasks]
        return train_stack(chunk.tasks)


def cut(tasks: list[Task], n_threads: int) -> list[Chunk]:
    """The chunks of some tasks: one program each, the models that see the same rows side by side.

    A solver's state belongs to a stack, so tasks with one stand apart from those without.
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for k, task in enumerate(tasks):
        groups[task.program, task.incremental, bool(task.optimizer)].append(k)
    chunks = []
    for members in groups.values():
        group = [tasks[k] for k in members]
        size = stack_size(group[0].program, len(group), n_threads)
        if size > 1:
            group = share_samples(group)
        places: dict[Hashable, int] = {}
        sources = [(id(task.train), task.seed) for task in group]
        ranks = [places.setdefault(source, len(places)) for source in sources]
        order = np.argsort(ranks, kind="stable")
        for part in np.array_split(order, math.ceil(len(order) / size)):
            chunks.append(Chunk([group[k] for k in part], [members[k] for k in part]))
    return chunks


def stack_size(program: Program, n_models: int, n_threads: int) -> int:
    """How many models of a program train as one stack.

    On the CPU what a step of the stack touches should stay in the cache. lbfgs steps through one
    model at a time.
    """
    if program.solver == "lbfgs":
        return 1
    if program.device == "cpu":
        fitting = min(LARGEST_STACK, STACK_BYTES // bytes_of_step(program))
    else:
        fitting = free_bytes(program.device) // bytes_of_step(program)
    n_stacks = math.ceil(n_models / max(1, fitting))
    n_stacks = n_threads * math.ceil(n_stacks / n_threads)
    return max(1, math.ceil(n_models / n_stacks))


def bytes_of_step(program: Program) -> int:
    """What a step of one model touches: activations, their derivatives, and six of each weight."""
    _, *hidden, n_outputs = program.layer_sizes
    per_row = 2 * (sum(hidden) + n_outputs)
    if program.normalization or any(program.dropout):
        per_row += 2 * sum(hidden)
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
    return samples.X, samples.y, samples.weight, samples.rows


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
