"""Quadratics on a Gram matrix in memory, where they are by the compiled steps of ``active_set``."""

from __future__ import annotations

import numpy as np

from ..kernels import binding
from ..kernels.choice import is_on
from ..penalty.prox import PenaltyNumbers
from ..runtime import raise_if_cancelled
from ..task import Task
from .quadratic import Quadratic, solve

LARGEST_SUPPORT = 1000


def solved(
    problem: Quadratic,
    start: np.ndarray,
    task: Task,
    is_served: bool,
    rounding: float | None = None,
    whole: np.ndarray | None = None,
) -> tuple[np.ndarray, bool, int]:
    """(coefficients, whether they are optimal, iterations), from a ``start`` that is near.

    On large supports a few factors are sooner there than a step for each column.
    """
    is_small = np.count_nonzero(start) <= LARGEST_SUPPORT
    exact = minimum(problem, start, rounding, whole) if is_small and is_served else None
    return solve(problem, task, start) if exact is None else (exact, True, 1)


def serves(penalty: PenaltyNumbers) -> bool:
    """Whether bounds are none or zero, and there are compiled steps."""
    return bool(
        is_on()
        and not (np.isfinite(penalty.lower) & (penalty.lower != 0)).any()
        and not (np.isfinite(penalty.upper) & (penalty.upper != 0)).any()
    )


def minimum(
    problem: Quadratic,
    start: np.ndarray,
    rounding: float | None = None,
    whole: np.ndarray | None = None,
) -> np.ndarray | None:
    """The solution from ``start``, or None where rounding keeps the steps from ending.

    ``rounding`` is what that leaves of the gradient, by default the problem's. The Gram matrix may
    be a corner of a ``whole`` one.
    """
    penalty, b = problem.penalty, start.copy()
    if not b.size:
        return b
    matrix = np.ascontiguousarray(problem.gram.matrix) if whole is None else whole
    reached = binding.compiled.active_set(
        matrix,
        matrix.shape[1],
        problem.cross,
        penalty.l1,
        penalty.l2,
        penalty.lower,
        penalty.upper,
        b,
        problem.rounding(b) if rounding is None else rounding,
        binding.POTRF,
        raise_if_cancelled,
    )
    return b if reached and np.isfinite(b).all() else None
