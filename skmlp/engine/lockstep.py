"""Deterministic searches of several networks side by side: one pass of a stack answers them all.

Each search is its own, with its own steps and memory; what is shared is the evaluation of their
objectives. A search that has ended leaves the stack.
"""

from __future__ import annotations

import numpy as np

from .layout import Layout
from .objective import StackObjective
from .panoc import Answer, Minimum, Question, Search
from .penalties import PenaltyNumbers
from .scaling import Scaling
from .task import Task


class ScaledStack:
    """The smooth parts of several tasks in the scaled variables of each."""

    def __init__(self, tasks: list[Task], penalties: list[PenaltyNumbers], layout: Layout) -> None:
        self.scalings = [Scaling(task, layout) for task in tasks]
        self._tasks, self._penalties, self._layout = tasks, penalties, layout
        self._members: list[int] = []

    def answer(self, members: list[int], questions: list[Question]) -> list[Answer]:
        """Values and, where any is asked for, gradients, for some of the tasks."""
        if members != self._members:
            self._members = members
            own = [[items[k] for k in members] for items in (self._tasks, self._penalties)]
            self._objective = StackObjective(*own, self._layout)
        scalings = [self.scalings[k] for k in members]
        rows = [s.to_original(q.x) for s, q in zip(scalings, questions, strict=True)]
        with_gradient = any(question.with_gradient for question in questions)
        answers = zip(*self._objective.evaluate(np.stack(rows), with_gradient), strict=True)
        return [
            scaling.smooth(float(value), gradient if with_gradient else None)
            for scaling, (value, gradient) in zip(scalings, answers, strict=True)
        ]


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
