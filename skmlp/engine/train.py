"""The entry of the engine: tasks in, solutions out, in the same order."""

from __future__ import annotations

from collections import defaultdict

from .task import Program, Solution, Task


def train(tasks: list[Task]) -> list[Solution]:
    """Train networks; those of one program as one stack.

    Linear regressions with solver='lbfgs' are solved without torch.
    """
    solutions: dict[int, Solution] = {}
    stacks: dict[Program, list[int]] = defaultdict(list)
    for k, task in enumerate(tasks):
        if task.program.solver == "lbfgs" and task.program.is_linear_regression:
            from .linear import solve_linear

            solutions[k] = solve_linear(task)
        else:
            stacks[task.program].append(k)
    for members in stacks.values():
        from .training import train_stack

        solutions.update(zip(members, train_stack([tasks[k] for k in members]), strict=True))
    return [solutions[k] for k in range(len(tasks))]
