"""Linear programs by SciPy's HiGHS, in a thread beside: Ctrl-C is heard at once.

HiGHS cannot be told to end. After an interrupt nobody waits for it: its thread, which the program's
end does not wait for either, goes on with what it has begun, and what it finds is dropped.
"""

from __future__ import annotations

import threading
from contextvars import copy_context

from scipy.optimize import OptimizeResult, linprog

from ...runtime import raise_if_cancelled

TOLERANCES = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
SECONDS = 0.05  # between looks for a cancelled thread


class _Beside(threading.Thread):
    """A program that is being solved, and its result or the error that it ended in."""

    def __init__(self, cost, program: dict) -> None:
        super().__init__(name="skmlp-highs", daemon=True)
        self._cost, self._program, self._context = cost, program, copy_context()
        self.ended, self.result, self.error = threading.Event(), None, None

    def run(self) -> None:
        try:
            self.result = self._context.run(
                linprog, self._cost, **self._program, method="highs", options=TOLERANCES
            )
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()


def solve(cost, **program) -> OptimizeResult:
    """``scipy.optimize.linprog``; KeyboardInterrupt for Ctrl-C, and where the thread is cancelled.

    Other threads, and the one that waits here, go on while HiGHS works.
    """
    beside = _Beside(cost, program)
    beside.start()
    while not beside.ended.wait(SECONDS):
        raise_if_cancelled()
    if beside.error is not None:
        raise beside.error
    return beside.result
