"""Deterministic searches of several networks side by side: one pass of a stack answers them all.

Each search is its own, with its own steps and memory; what is shared is the evaluation of their
objectives. A search that has ended leaves the stack.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers
from ..task import Task
from .objective import objective_of
from .panoc import Answer, Minimum, Question, Search
from .scaling import Scaling


class ScaledStack:
    """The smooth parts of several tasks in the scaled variables of each.

    Dense data are scaled once. Sparse ones stay as they are, and rows and gradients are scaled.
    """

    def __init__(self, tasks: list[Task], penalties: list[PenaltyNumbers], layout: Layout) -> None:
        self.scalings = [Scaling(task, layout) for task in tasks]
        self.penalties = [s.penalty(p) for s, p in zip(self.scalings, penalties, strict=True)]
        self._layout, self._members = layout, []
        self._is_sparse = sparse.issparse(tasks[0].train.X)
        self._tasks, self._penalties = tasks, penalties
        if not self._is_sparse:
            self._penalties = self.penalties
            self._tasks = [
                replace(task, train=scaling.samples(task.train))
                for task, scaling in zip(tasks, self.scalings, strict=True)
            ]

    def answer(self, members: list[int], questions: list[Question]) -> list[Answer]:
        """Values and, where any is asked for, gradients, for some of the tasks."""
        if members != self._members:
            self._members = members
            own = [[items[k] for k in members] for items in (self._tasks, self._penalties)]
            self._objective = objective_of(*own, self._layout)
        with_gradient = any(question.with_gradient for question in questions)
        rows = [question.x for question in questions]
        if not self._is_sparse:
            values, gradients = self._objective.evaluate(np.stack(rows), with_gradient)
            return [*zip(values.tolist(), gradients, strict=True)]
        scalings = [self.scalings[k] for k in members]
        rows = [s.to_original(x) for s, x in zip(scalings, rows, strict=True)]
        values, gradients = self._objective.evaluate(np.stack(rows), with_gradient)
        gradients = gradients if with_gradient else [None] * len(rows)
        return [s.smooth(*one) for s, *one in zip(scalings, values, gradients, strict=True)]


def run_together(searches: list[Search], stack: ScaledStack) -> list[Minimum]:
    """The results of searches, in their order."""
    ends: dict[int, Minimum] = {}
    answers: dict[int, Answer | None] = dict.fromkeys(range(len(searches)))
    while answers:
        questions = {}
        for k, answer in answers.items():
            try:
                questions[k] = searches[k].send(answer)
            except StopIteration as end:
                ends[k] = end.value
        members = list(questions)
        if not members:
            break
        replies = stack.answer(members, list(questions.values()))
        answers = dict(zip(members, replies, strict=True))
    return [ends[k] for k in range(len(searches))]
