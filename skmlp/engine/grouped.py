"""Linear regression with group norms, to rounding: PANOC on second moments, finished by Newton.

    minimise  1/2 tr(B' G B) - tr(C' B) + l1 |B| + l2 / 2 |B|^2 + sum_g strength_g |B_g|

subject to bounds, B (p, q) flat in the order of features. Away from zero a norm is smooth, so that
where the groups in use are known Newton steps end at rounding. They are found on working sets.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg

from .panoc import panoc
from .penalties import PenaltyNumbers
from .task import Task

NEARNESS = (1e-3, 1e-5, 1e-7, 1e-9, 1e-12)
MAX_NEWTON = 30
MAX_HALVINGS = 30
MAX_WORKING_SETS = 100
SMALLEST_WORKING_SET = 16
LARGEST_HESSIAN = 2500
DAMPING = 1e-11
EXACT = 1e-11


def solve_groups(moments, penalty: PenaltyNumbers, task: Task) -> tuple[np.ndarray, int]:
    """(coefficients (p, q) on X as it is, iterations), in units of y of variance one."""
    unit = np.sqrt(moments.y_square) or 1.0
    scaled = moments.scaled(penalty)
    groups = replace(scaled.groups, strength=scaled.groups.strength / unit)
    scaled = replace(scaled, l1=scaled.l1 / unit, groups=groups)
    problem = GroupQuadratic(moments.gram, moments.cross / unit, scaled)
    start = np.clip((moments.start(task) / unit).ravel(), scaled.lower, scaled.upper)
    b, n_iter = _on_working_sets(problem, start, task)
    return b.reshape(moments.cross.shape) * unit / moments.scale[:, None], n_iter


class GroupQuadratic:
    """The problem in scaled columns: the interface of FullObjective."""

    def __init__(self, gram, cross: np.ndarray, penalty: PenaltyNumbers) -> None:
        self.gram, self.cross, self.penalty = gram, cross, penalty
        self.groups = penalty.groups
        self.size = max(float(np.abs(cross).max(initial=0.0)), np.finfo(float).tiny)
        self.of_weight = np.repeat(self.groups.members, cross.shape[1])  # the group of each weight
        self.strength = self.groups.strength[self.of_weight]

    def value_and_gradient(self, b: np.ndarray) -> tuple[float, np.ndarray]:
        """The smooth part up to a constant, and its gradient."""
        B = b.reshape(self.cross.shape)
        gradient = (self.gram.times(B) - self.cross).ravel() + self.penalty.l2 * b
        return 0.5 * float(b @ (gradient - self.cross.ravel())), gradient

    def value(self, b: np.ndarray) -> float:
        return self.value_and_gradient(b)[0]

    def residuals(self, b: np.ndarray) -> np.ndarray:
        """|b - prox(b - gradient)|, which is zero where b is optimal."""
        gradient = self.value_and_gradient(b)[1]
        return np.abs(b - self.penalty.prox(b - gradient, 1.0))

    def restricted(self, members: np.ndarray) -> GroupQuadratic:
        """The problem with the other features' coefficients at zero."""
        n_units = self.cross.shape[1]
        groups = replace(self.groups, members=self.groups.members[members])
        weights = (members[:, None] * n_units + np.arange(n_units)).ravel()
        penalty = replace(self.penalty.of(weights), groups=groups)
        return GroupQuadratic(self.gram.of(members), self.cross[members], penalty)

    def norms(self, b: np.ndarray) -> np.ndarray:
        """The norm of each weight's group."""
        return self.groups.norms(b)[self.of_weight]

    def moving(self, b: np.ndarray) -> np.ndarray:
        """Weights around which F is smooth."""
        in_use = (self.strength == 0) | (self.norms(b) > 0)
        return np.flatnonzero(in_use & (self.penalty.is_free | (b != 0)))

    def derivatives(self, b: np.ndarray, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and Hessian of F in some weights, all with a penalty that is smooth at b."""
        penalty, n_units = self.penalty, self.cross.shape[1]
        strength, norm = self.strength[moving], self.norms(b)[moving]
        pull = np.where(norm > 0, strength / np.where(norm > 0, norm, 1.0), 0.0)
        unit = np.where(norm > 0, b[moving] / np.where(norm > 0, norm, 1.0), 0.0)
        gradient = self.value_and_gradient(b)[1][moving]
        gradient += penalty.l1[moving] * np.sign(b[moving]) + strength * unit
        features, place = np.unique(moving // n_units, return_inverse=True)
        block = self.gram.block(features, features)[np.ix_(place, place)]
        outputs, group = moving % n_units, self.of_weight[moving]
        hessian = block * (outputs[:, None] == outputs)
        same = group[:, None] == group
        hessian -= same * (pull[:, None] * unit[:, None] * unit)
        hessian[np.diag_indices_from(hessian)] += pull + penalty.l2[moving]
        return gradient, hessian


def _on_working_sets(problem: GroupQuadratic, b: np.ndarray, task: Task) -> tuple[np.ndarray, int]:
    """(coefficients, iterations): groups in use, and those that violate their condition most."""
    members_of, n_iter = problem.groups.members, 0
    shape = problem.cross.shape
    b = problem.penalty.prox(b, 0.0)
    tolerance = EXACT * problem.size
    active = _groups_of(members_of, (np.abs(b.reshape(shape)) > 0).any(1))
    active |= problem.groups.strength == 0
    for _ in range(MAX_WORKING_SETS):
        worst = np.zeros(active.size)
        residuals = problem.residuals(b).reshape(shape).max(1)
        np.maximum.at(worst, members_of, residuals)
        entering = np.flatnonzero((worst > tolerance) & ~active)
        if not entering.size and (n_iter or worst.max() <= tolerance):
            break
        n_most = max(SMALLEST_WORKING_SET, int(active.sum()))
        active[entering[np.argsort(-worst[entering])[:n_most]]] = True
        columns = np.flatnonzero(active[members_of])
        found, iterations = _solve(problem.restricted(columns), b.reshape(shape)[columns], task)
        b = np.zeros(shape)
        b[columns], n_iter = found, n_iter + iterations
        b = b.ravel()
    return b, max(n_iter, 1)


def _groups_of(members: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.bincount(members, chosen, members.max() + 1) > 0


def _solve(problem: GroupQuadratic, start: np.ndarray, task: Task) -> tuple[np.ndarray, int]:
    """(coefficients, iterations) by Newton from the start, and from ever nearer ends of PANOC."""
    b, n_iter, tolerance = newton(problem, start.ravel()), 1, 0.3 * EXACT * problem.size
    for tol in NEARNESS:
        left = task.max_iter - n_iter
        if problem.residuals(b).max() <= tolerance or left <= 0:
            break
        end = panoc(problem, b, tol * problem.size, left, task.max_fun, lambda x, value: False)
        n_iter += max(end.n_iter, 1)
        b = newton(problem, end.x)
    without = np.where(problem.norms(b) <= tolerance, 0.0, b)  # what a tie has left
    if problem.residuals(without).max() <= EXACT * problem.size:
        b = without
    return b.reshape(start.shape), n_iter


def newton(problem: GroupQuadratic, b: np.ndarray) -> np.ndarray:
    """Newton steps that lower F, in the weights around which it is smooth.

    A weight that would change its sign, where that has a kink or a bound, ends the step at zero.
    """
    value = problem.value(b) + problem.penalty.value(b)
    for _ in range(MAX_NEWTON):
        moving = problem.moving(b)
        if not 0 < moving.size <= LARGEST_HESSIAN:
            return b
        gradient, hessian = problem.derivatives(b, moving)
        if np.abs(gradient).max() <= 0.1 * EXACT * problem.size:
            return b
        step = _newton_step(gradient, hessian)
        b, value, moved = _descended(problem, b, moving, step, value)
        if not moved:
            return b
    return b


def _newton_step(gradient: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    damping = DAMPING * max(hessian.diagonal().max(), np.finfo(float).tiny)
    while True:
        hessian[np.diag_indices_from(hessian)] += damping
        try:
            factor = linalg.cho_factor(hessian, check_finite=False)
        except linalg.LinAlgError:
            damping *= 100
            continue
        return -linalg.cho_solve(factor, gradient, check_finite=False)


def _descended(problem: GroupQuadratic, b, moving, step, value):
    """(b, F, whether it moved) after the longest part of a step that does not raise F."""
    penalty, kinked = problem.penalty, np.zeros(moving.size, dtype=bool)
    kinked[penalty.l1[moving] > 0] = True
    kinked |= (penalty.lower[moving] == 0) | (penalty.upper[moving] == 0)
    crossing = kinked & (b[moving] * (b[moving] + step) < 0)
    longest = np.min(-b[moving][crossing] / step[crossing], initial=1.0)
    for halving in range(MAX_HALVINGS):
        candidate = b.copy()
        candidate[moving] += longest * 0.5**halving * step
        if halving == 0 and longest < 1.0:
            at_zero = crossing & (-b[moving] / np.where(step, step, 1.0) <= longest * (1 + 1e-14))
            candidate[moving[at_zero]] = 0.0
        reached = problem.value(candidate) + penalty.value(candidate)
        if reached <= value + 1e-15 * max(1.0, abs(value)):
            return candidate, reached, True
    return b, value, False
