"""Quadratics on a Gram matrix in memory, where they are by the compiled steps of ``active_set``."""

from __future__ import annotations

import numpy as np

from ..kernels import binding
from ..kernels.choice import is_on
from ..runtime import raise_if_cancelled
from ..task import Task
from .quadratic import Quadratic, solve


def solved(problem: Quadratic, start: np.ndarray, task: Task) -> tuple[np.ndarray, bool, int]:
    """(coefficients, whether they are optimal, iterations), from a ``start`` that is near."""
    exact = minimum(problem, start) if serves(problem) else None
    return solve(problem, task, start) if exact is None else (exact, True, 1)


def serves(problem: Quadratic) -> bool:
    """Whether bounds are none or zero, and there are compiled steps."""
    penalty = problem.penalty
    return (
        is_on()
        and not (np.isfinite(penalty.lower) & (penalty.lower != 0)).any()
        and not (np.isfinite(penalty.upper) & (penalty.upper != 0)).any()
    )


def minimum(problem: Quadratic, start: np.ndarray) -> np.ndarray | None:
    """The solution from ``start``, or None where rounding keeps the steps from ending.

    The Gram matrix may be a corner of a larger one, whose rows are contiguous.
    """
    penalty, b, matrix = problem.penalty, start.copy(), problem.gram.matrix
    if not b.size:
        return b
    reached = binding.compiled.active_set(
        matrix if matrix.base is None else matrix.base,
        matrix.strides[0] // matrix.itemsize,
        problem.cross,
        penalty.l1,
        penalty.l2,
        penalty.lower,
        penalty.upper,
        b,
        problem.rounding(b),
        raise_if_cancelled,
    )
    return b if reached and np.isfinite(b).all() else None
