"""Networks without hidden layers whose solution is exact: the lasso family, and quantiles."""

from __future__ import annotations

from ..task import Solution, Task
from .lasso import is_linear_regression, solve_linear
from .programming.linear_program import is_linear_program, solve_linear_program


def is_exact(task: Task) -> bool:
    """Whether there is a solver to rounding."""
    return is_linear_regression(task.program) or is_linear_program(task)


def solve_exactly(task: Task) -> Solution:
    """The solution to rounding."""
    if is_linear_regression(task.program):
        return solve_linear(task)
    return solve_linear_program(task)
