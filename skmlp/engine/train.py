"""The entry of the engine: tasks in, solutions out, in the same order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from .task import Solution, Status, Task


def train(tasks: list[Task], n_threads: int = 1) -> list[Solution]:
    """Train networks, those of one program in stacks, on ``n_threads`` threads.

    An interrupt leaves a single task with the weights it has; several end with KeyboardInterrupt.
    torch is imported here, with the first fit.
    """
    from .stacking import cut

    solutions: dict[int, Solution] = {}
    for chunk, trained in _run(cut(tasks, n_threads), n_threads):
        solutions.update(zip(chunk.members, trained, strict=True))
        if len(tasks) > 1 and any(s.status is Status.INTERRUPTED for s in trained):
            raise KeyboardInterrupt
    return [solutions[k] for k in range(len(tasks))]


def train_linear_paths(
    ends: list[tuple[Task, Task]],
    strengths: Sequence[float],
    n_threads: int = 1,
    ends_saturated: bool = False,
) -> list[list[Solution]]:
    """The paths of linear regressions: each one's solutions at ascending strengths.

    ``ends`` are each one's tasks at the strengths nought and one, between which they are affine.
    Where the first path ``ends_saturated`` all have its strengths, which are the largest ones.
    """
    from .linear.whole_path import solve_path
    from .runtime import one_fit

    def run(pair: tuple[Task, Task]) -> list[Solution]:
        with one_fit():
            return solve_path(*pair, strengths)

    if not ends_saturated:
        return list(_map(run, ends, n_threads))
    with one_fit():
        first = solve_path(*ends[0], strengths, ends_saturated=True)
    strengths = strengths[len(strengths) - len(first) :]
    return [first, *_map(run, ends[1:], n_threads)]


def _run(chunks: list, n_threads: int) -> Iterator[tuple]:
    """Each chunk with its solutions."""
    from .stacking import run

    yield from zip(chunks, _map(run, chunks, n_threads), strict=True)


def _map(run: Callable, works: list, n_threads: int) -> Iterator:
    """What each of some works comes to; in the caller's thread where one is enough."""
    from .runtime import cancelled_by

    n_threads = min(n_threads, len(works))
    if n_threads <= 1:
        yield from map(run, works)
        return
    cancelled = threading.Event()
    with ThreadPoolExecutor(n_threads, "skmlp-train", cancelled_by, (cancelled,)) as pool:
        futures = [pool.submit(run, work) for work in works]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            yield from [future.result() for future in futures]
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
