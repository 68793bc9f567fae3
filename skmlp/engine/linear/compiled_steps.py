"""Quadratics on a Gram matrix in memory, where they are by the compiled steps of ``active_set``."""

from __future__ import annotations

import numpy as np

from ..kernels import binding
from ..kernels.choice import is_on
from ..runtime import raise_if_cancelled
from ..task import Task
from .quadratic import Quadratic, solve

LARGEST_SUPPORT = 1000


def solved(
    problem: Quadratic, start: np.ndarray, task: Task, rounding: float | None = None
) -> tuple[np.ndarray, bool, int]:
    """(coefficients, whether they are optimal, iterations), from a ``start`` that is near.

    On large supports a few factors are sooner there than a step for each column.
    """
    is_small = np.count_nonzero(start) <= LARGEST_SUPPORT
    exact = minimum(problem, start, rounding) if is_small and serves(problem) else None
    return solve(problem, task, start) if exact is None else (exact, True, 1)


def serves(problem: Quadratic) -> bool:
    """Whether bounds are none or zero, and there are compiled steps."""
    penalty = problem.penalty
    return (
        is_on()
        and not (np.isfinite(penalty.lower) & (penalty.lower != 0)).any()
        and not (np.isfinite(penalty.upper) & (penalty.upper != 0)).any()
    )


def minimum(
    problem: Quadratic, start: np.ndarray, rounding: float | None = None
) -> np.ndarray | None:
    """The solution from ``start``, or None where rounding keeps the steps from ending.

    The Gram matrix may be a corner of a larger one, whose rows are contiguous. ``rounding`` is what
    that leaves of the gradient, by default the problem's.
    """
    penalty, b = problem.penalty, start.copy()
    if not b.size:
        return b
    matrix, stride = _rows_of(problem.gram.matrix)
    reached = binding.compiled.active_set(
        matrix,
        stride,
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


def _rows_of(matrix: np.ndarray) -> tuple[np.ndarray, int]:
    """An array in C order that begins with the matrix, and its numbers a row."""
    whole = matrix if matrix.base is None else matrix.base
    is_corner = whole.ndim == 2 and whole[:1, :1].ctypes.data == matrix.ctypes.data
    if not (is_corner and whole.flags.c_contiguous):
        whole = np.ascontiguousarray(matrix)
    return whole, whole.shape[1]
