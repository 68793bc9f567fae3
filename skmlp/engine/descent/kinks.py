"""Searches of networks with kinks: where nothing that was tried lowers the objective any more.

Minimisers of networks with ReLU lie on kinks, where no residual goes to zero. A search that lowers
the objective by too little is begun anew from the best iterate, with other steps and no memory;
where that gains nothing either, steps in each layer's weights and biases by themselves are tried,
since a kink that holds all parameters together need not hold those of one layer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..network.layout import Layout
from ..runtime import raise_if_cancelled
from .panoc import Question, Search

STALL_ITERATIONS = 10
STALL_DECREASE = 100.0
PROBED_STEPS = (0.1, 1.0, 10.0)


def least_decrease(tol: float) -> float:
    """The relative decrease of F, over ten iterations, that is worth going on for at kinks.

    Where F is smooth, what is left to gain from a residual is of the order of its square.
    """
    return min(STALL_DECREASE * tol**2, tol)


class Monitor:
    """Remembers the best iterate, and stops where the best has stalled.

    That is where ten iterations gain less than a share of F, ``at_kinks``, where it is tried again
    from there in other ways, or ``anywhere``, where that is enough. ``tell``, unless None, is
    called after each iteration.
    """

    def __init__(
        self,
        at_kinks: float,
        anywhere: float = 0.0,
        tell: Callable[[Monitor], None] | None = None,
    ) -> None:
        self.best: tuple[float, np.ndarray] | None = None
        self.least_decrease = max(at_kinks, anywhere)
        self.tries_again = at_kinks > anywhere
        self.tell = tell
        self.n_iter = self.n_told = 0
        self.begin()

    def begin(self) -> None:
        """Begin the count of iterations without a decrease."""
        self.stalled = False
        self._least: list[float] = []

    @property
    def least(self) -> float:
        """The best value."""
        return np.inf if self.best is None else self.best[0]

    def see(self, x: np.ndarray, value: float) -> None:
        """Take note of an iterate."""
        raise_if_cancelled()
        self.n_iter += 1
        self._keep(x, value)
        self._told()

    def reporter(self, best: np.ndarray) -> Callable[[float], None] | None:
        """What a search that has no monitor calls with F of its ``best`` row after iterations."""
        return None if self.tell is None else lambda value: self._keep(best, value) or self._told()

    def _told(self) -> None:
        self.n_told += 1
        if self.tell is not None:
            self.tell(self)

    def __call__(self, x: np.ndarray, value: float) -> bool:
        self._least.append(self.least)
        if self.least_decrease > 0 and len(self._least) > STALL_ITERATIONS:
            self.stalled = not self.gains(self._least[-1 - STALL_ITERATIONS])
        return self.stalled

    def take(self, x: np.ndarray, value: float, n_iter: int, is_stalled: bool) -> None:
        """The best of a search that had no monitor, and whether that stalled."""
        self._keep(x, value)
        self.n_iter += n_iter
        self.stalled = is_stalled

    def gains(self, before: float) -> bool:
        """Whether the best value lies below ``before`` by what is worth it."""
        return before - self.least > self.least_decrease * abs(self.least)

    def _keep(self, x: np.ndarray, value: float) -> None:
        if self.best is None or value < self.best[0]:
            self.best = (value, x.copy())


def descend(
    search: Callable[..., Search],
    penalty,
    x: np.ndarray,
    tol: float,
    max_iter: int,
    max_fun: float,
    monitor: Monitor,
    layout: Layout,
) -> Search:
    """PANOC from ``x`` to the tolerance, or to where nothing that is tried gains at kinks.

    ``search`` is that of ``panoc`` but for the penalty; its limits are counted over all searches.
    """
    n_iter = n_evaluations = 0
    while True:
        before = monitor.least
        monitor.begin()
        end = yield from search(x, tol, max_iter - n_iter, max_fun - n_evaluations, monitor)
        n_iter, n_evaluations = n_iter + end.n_iter, n_evaluations + end.n_evaluations
        end = end._replace(n_iter=n_iter, n_evaluations=n_evaluations)
        if not (monitor.stalled and monitor.tries_again):
            return end
        x = end.x
        if not monitor.gains(before):
            lower = yield from _probe(penalty, x, monitor, layout)
            if lower is None:
                return end
            x = lower


def _probe(penalty, x: np.ndarray, monitor: Monitor, layout: Layout):
    """Where proximal steps in one layer's weights or biases lead below F at ``x``, or None."""
    f, gradient = yield Question(x, True)
    start = f + penalty.value(x)
    best, lower = start * (1 - monitor.least_decrease), None
    for field in [*layout.weights, *layout.biases]:
        for step in PROBED_STEPS:
            moved = x.copy()
            moved[field.slice] -= step * gradient[field.slice]
            moved[field.slice] = penalty.prox(moved, step)[field.slice]
            value = (yield Question(moved, False))[0] + penalty.value(moved)
            if value < best:
                best, lower = value, moved
    return lower
