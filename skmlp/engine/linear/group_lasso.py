"""Linear regression with group norms, to rounding: sweeps over groups, finished by Newton.

    minimise  1/2 tr(B' G B) - tr(C' B) + l1 |B| + l2 / 2 |B|^2 + sum_g strength_g |B_g|

subject to bounds, B (p, q) flat in the order of features. A sweep takes a proximal step in each
group by itself (Qin, Scheinberg, Goldfarb 2013), which finds the groups in use; away from zero a
norm is smooth, so that Newton steps on these end at rounding. Both lower F. Strengths fall to those
that are asked for by steps, on working sets: from afar a group of a tiny strength is found late.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy import linalg

from ..descent.panoc import panoc
from ..penalty.group_norms import Groups
from ..penalty.prox import PenaltyNumbers
from ..task import Task
from .quadratic import SmoothQuadratic

STRENGTH_STEP = 4.0
COARSENESS = 0.3
MAX_NEWTON = 30
SMALLEST_SHARE = 1e-8
INNER_ITERATIONS = 200
MAX_HALVINGS = 30
SMALLEST_WORKING_SET = 16
LARGEST_HESSIAN = 1000
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
    b, n_iter = _by_steps(problem, start, task.max_iter)
    return b.reshape(moments.cross.shape) * unit / moments.scale[:, None], n_iter


class GroupQuadratic(SmoothQuadratic):
    """The problem of all outputs: group norms, L1 and bounds."""

    @property
    def groups(self) -> Groups:
        return self.penalty.groups

    @cached_property
    def of_weight(self) -> np.ndarray:
        """The group of each weight."""
        return np.repeat(self.groups.members, self.cross.shape[1])

    @cached_property
    def strength(self) -> np.ndarray:
        """The strength of each weight's group."""
        return self.groups.strength[self.of_weight]

    @property
    def tolerance(self) -> float:
        """What is left of a residual by rounding."""
        return EXACT * self.size

    def weights_of(self, features: np.ndarray) -> np.ndarray:
        """The places of some features' weights."""
        n_units = self.cross.shape[1]
        return (features[:, None] * n_units + np.arange(n_units)).ravel()

    def residuals(self, b: np.ndarray) -> np.ndarray:
        """How far each coefficient is from its own optimality."""
        return self.penalty.residuals(b, self.gradient(b))

    def restricted(self, members: np.ndarray) -> GroupQuadratic:
        """The problem with the other features' coefficients at zero."""
        groups = replace(self.groups, members=self.groups.members[members])
        penalty = replace(self.penalty.of(self.weights_of(members)), groups=groups)
        return GroupQuadratic(self.gram.of(members), self.cross[members], penalty)

    def times_strengths(self, factor: float) -> GroupQuadratic:
        """The problem with L1 and group strengths times a factor."""
        groups = replace(self.groups, strength=factor * self.groups.strength)
        penalty = replace(self.penalty, l1=factor * self.penalty.l1, groups=groups)
        return GroupQuadratic(self.gram, self.cross, penalty)

    def largest_factor(self, b: np.ndarray) -> float:
        """The factor on the strengths beyond which, nearly, no zero would come in at b."""
        gradient = self.gradient(b)
        n_groups = self.groups.strength.size
        squares = np.bincount(self.of_weight, gradient**2, n_groups)
        strengths = np.sqrt(np.bincount(self.of_weight, self.penalty.l1**2, n_groups))
        strengths += self.groups.strength
        penalised = strengths > 0
        return float((np.sqrt(squares[penalised]) / strengths[penalised]).max(initial=1.0))

    def norms(self, b: np.ndarray) -> np.ndarray:
        """The norm of each weight's group."""
        return self.groups.norms(b)[self.of_weight]

    def moving(self, b: np.ndarray) -> np.ndarray:
        """Weights around which F is smooth."""
        in_use = (self.strength == 0) | (self.norms(b) > 0)
        return np.flatnonzero(in_use & (self.penalty.is_free | (b != 0)))

    def derivatives(self, b: np.ndarray, moving: np.ndarray):
        """Gradient and Hessian of F in some weights, all with a penalty that is smooth at b.

        The Hessian is the first of two matrices less the second, without which norms have the
        curvature of the quadratic that lies above them and touches them at b.
        """
        penalty, n_units = self.penalty, self.cross.shape[1]
        strength, norm = self.strength[moving], self.norms(b)[moving]
        pull = np.where(norm > 0, strength / np.where(norm > 0, norm, 1.0), 0.0)
        unit = np.where(norm > 0, b[moving] / np.where(norm > 0, norm, 1.0), 0.0)
        gradient = self.gradient(b)[moving]
        gradient += penalty.l1[moving] * np.sign(b[moving]) + strength * unit
        features, place = np.unique(moving // n_units, return_inverse=True)
        block = self.gram.block(features, features)[np.ix_(place, place)]
        outputs, group = moving % n_units, self.of_weight[moving]
        hessian = block * (outputs[:, None] == outputs)
        same = group[:, None] == group
        hessian[np.diag_indices_from(hessian)] += pull + penalty.l2[moving]
        return gradient, hessian, same * (pull[:, None] * unit[:, None] * unit)


def _by_steps(problem: GroupQuadratic, b: np.ndarray, max_iter: int) -> tuple[np.ndarray, int]:
    """(coefficients, sweeps): each step's problem from the solution of the one before."""
    b, n_iter = problem.penalty.prox(b, 0.0), 0
    if problem.residuals(b).max() > problem.tolerance:
        n_steps = int(np.log(problem.largest_factor(b)) / np.log(STRENGTH_STEP))
        for factor in STRENGTH_STEP ** np.arange(n_steps, -1.0, -1.0):
            at_factor = problem.times_strengths(factor)
            tolerance = problem.tolerance + np.zeros(b.size)
            if factor > 1:
                tolerance += COARSENESS * at_factor.strength
            b, sweeps = _on_working_sets(at_factor, b, tolerance, max_iter - n_iter)
            n_iter += sweeps
    return b, max(n_iter, 1)


def _on_working_sets(problem: GroupQuadratic, b: np.ndarray, tolerance: np.ndarray, max_iter: int):
    """(coefficients, sweeps): groups in use, and those that violate their condition most."""
    members_of, shape, n_iter = problem.groups.members, problem.cross.shape, 0
    active = _groups_of(members_of, (b.reshape(shape) != 0).any(1))
    active |= problem.groups.strength == 0
    while n_iter < max_iter:
        excess = problem.residuals(b) - tolerance
        worst = np.full(active.size, -np.inf)
        np.maximum.at(worst, problem.of_weight, excess)
        if worst.max() <= 0:
            break
        entering = np.flatnonzero((worst > 0) & ~active)
        n_most = max(SMALLEST_WORKING_SET, int(active.sum()))
        active[entering[np.argsort(-worst[entering])[:n_most]]] = True
        features = np.flatnonzero(active[members_of])
        restricted, weights = problem.restricted(features), problem.weights_of(features)
        found, sweeps = _solve(restricted, b[weights], tolerance[weights], max_iter - n_iter)
        b, n_iter = np.zeros_like(b), n_iter + sweeps
        b[weights] = found
    return b, n_iter


def _groups_of(members: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.bincount(members, chosen, members.max() + 1) > 0


def _solve(problem: GroupQuadratic, b: np.ndarray, tolerance: np.ndarray, max_iter: int):
    """(coefficients, sweeps) where no residual is above a third of its tolerance.

    Where Newton steps would take long PANOC takes their place.
    """
    b, n_iter, groups = newton(problem, b), 0, _Sweeps(problem)
    while n_iter < max_iter and (problem.residuals(b) > 0.3 * tolerance).any():
        b, n_iter = groups.swept(b), n_iter + 1
        if problem.moving(b).size > LARGEST_HESSIAN:
            nearest = 0.3 * float(tolerance.min())
            b = panoc(problem, b, nearest, INNER_ITERATIONS, np.inf, lambda x, value: False).x
        b = newton(problem, b)
    without = np.where(problem.norms(b) <= 0.3 * problem.tolerance, 0.0, b)  # what a tie has left
    if (problem.residuals(without) <= tolerance).all():
        b = without
    return b, max(n_iter, 1)


class _Sweeps:
    """Proximal steps in one group after the other."""

    def __init__(self, problem: GroupQuadratic) -> None:
        self._problem, self._groups = problem, []
        for group in np.unique(problem.groups.members):
            features = np.flatnonzero(problem.groups.members == group)
            weights = problem.weights_of(features)
            penalty = problem.penalty.of(weights)
            curvature = np.linalg.norm(problem.gram.block(features, features), 2)
            curvature += penalty.l2.max()
            if curvature > 0:
                strength = problem.groups.strength[group] / curvature
                self._groups.append((features, weights, penalty, strength, 1 / curvature))

    def swept(self, b: np.ndarray) -> np.ndarray:
        """The coefficients after a step in each group."""
        b, gram, shape = b.copy(), self._problem.gram, (-1, self._problem.cross.shape[1])
        image = gram.image(np.arange(self._problem.cross.shape[0]), b.reshape(shape))
        for features, weights, penalty, strength, step in self._groups:
            own = b[weights]
            gradient = gram.slope(features, image) - self._problem.cross[features]
            moved = penalty.prox(own - step * (gradient.ravel() + penalty.l2 * own), step)
            norm = np.linalg.norm(moved)
            moved *= max(0.0, 1.0 - strength / norm) if norm > 0 else 0.0
            if not np.array_equal(moved, own):
                image += gram.image(features, (moved - own).reshape(shape))
                b[weights] = moved
        return b


def newton(problem: GroupQuadratic, b: np.ndarray) -> np.ndarray:
    """Newton steps that lower F, in the weights around which it is smooth.

    A weight that would change its sign, where that has a kink or a bound, ends the step at zero.
    """
    value = problem.value(b) + problem.penalty.value(b)
    for _ in range(MAX_NEWTON):
        moving = problem.moving(b)
        if not 0 < moving.size <= LARGEST_HESSIAN:
            return b
        gradient, above, radial = problem.derivatives(b, moving)
        if np.abs(gradient).max() <= 0.1 * problem.tolerance:
            return b
        step = _bounded_step(problem, b, moving, gradient, above, radial)
        b, value, moved = _descended(problem, b, moving, step, value)
        if not moved:
            return b
    return b


def _bounded_step(problem: GroupQuadratic, b, moving, gradient, above, radial) -> np.ndarray:
    """The Newton step, with more curvature where it would move a group by more than its norm.

    Else a single group of a small norm shortens the steps of all. Where F is flat, a share
    |gradient| / strength of the curvature of the bound moves a group by its norm.
    """
    group, strength = problem.of_weight[moving], problem.strength[moving]
    norm, share = problem.norms(b)[moving], np.zeros(moving.size)

    def size(vector: np.ndarray) -> np.ndarray:
        return np.sqrt(np.bincount(group, vector**2, problem.groups.strength.size))[group]

    least = np.maximum(size(gradient) / np.where(strength > 0, strength, 1.0), SMALLEST_SHARE)
    while True:
        step = _newton_step(gradient, above - (1 - share) * radial)
        further = (strength > 0) & (size(step) > norm) & (share < 1)
        if not further.any():
            return step
        share[further] = np.clip(10 * share, least, 1.0)[further]


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
