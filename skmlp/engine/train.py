"""The entry of the engine: tasks in, solutions out, in the same order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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


def _run(chunks: list, n_threads: int) -> Iterator[tuple]:
    """Each chunk with its solutions; in the caller's thread where one is enough."""
    from .runtime import cancelled_by
    from .stacking import run

    n_threads = min(n_threads, len(chunks))
    if n_threads <= 1:
        yield from ((chunk, run(chunk)) for chunk in chunks)
        return
    cancelled = threading.Event()
    with ThreadPoolExecutor(n_threads, "skmlp-train", cancelled_by, (cancelled,)) as pool:
        futures = [pool.submit(run, chunk) for chunk in chunks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            yield from ((chunk, f.result()) for chunk, f in zip(chunks, futures, strict=True))
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
