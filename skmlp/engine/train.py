"""The entry of the engine: tasks in, solutions out, in the same order."""

from __future__ import annotations

from collections import defaultdict

from .task import Program, Solution, Task


def train(tasks: list[Task]) -> list[Solution]:
    """Train networks; those of one program as one stack.

    torch is imported here, with the first fit.
    """
    from .linear import solve_linear
    from .runtime import one_thread, plain_torch
    from .training import train_stack

    stacks: dict[Program, list[int]] = defaultdict(list)
    for k, task in enumerate(tasks):
        stacks[task.program].append(k)
    solutions: dict[int, Solution] = {}
    with one_thread(), plain_torch():
        for program, members in stacks.items():
            stack = [tasks[k] for k in members]
            if program.solver == "lbfgs" and program.is_linear_regression:
                trained = [solve_linear(task) for task in stack]
            else:
                trained = train_stack(stack)
            solutions.update(zip(members, trained, strict=True))
    return [solutions[k] for k in range(len(tasks))]
