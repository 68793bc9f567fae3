"""PANOC: proximal gradient steps accelerated by L-BFGS.

Stella, Themelis, Sopasakis, Patrinos (2017), "A simple and efficient algorithm for nonlinear model
predictive control". With z = prox(x - gamma grad f(x)) and r = x - z, an L-BFGS step on r(x) = 0 is
accepted where it lowers the forward-backward envelope

    phi(x) = f(x) - <grad f(x), r> + |r|^2 / (2 gamma) + g(z).

The step is that of the parameters which z leaves neither at zero nor at a bound; the others go to
z (Pas, Schuurmans, Patrinos 2022, "Alpaqa: a matrix-free solver for nonlinear MPC and large-scale
nonconvex optimization", for bounds). Where z is not zero the norms of g are smooth as well.

F is asked for at z, the iterate. Where g is nothing but bounds F is f, known at an x within them:
then x is the iterate, f takes the envelope's place, and this is L-BFGS (Nocedal 1980) with steps
that lower f enough, brought back into the bounds (Bertsekas 1982, "Projected Newton methods").
Wherever there are bounds steps are those of whole pairs, and shortened to the least of a parabola.
"""

from __future__ import annotations

from collections.abc import Generator
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from .quasi_newton import InverseHessian, InverseWithinBounds

CURVATURE_SHARE = 0.95
ROUNDING = 1e-14
MAX_HALVINGS = 11
MAX_FAILURES = 3
LARGEST_CURVATURE = 1e14
LIMIT_MESSAGE = "the iteration limit was reached"
NOT_FINITE_MESSAGE = "the objective is not finite"


class Minimum(NamedTuple):
    """Where a deterministic solver ended: the row, its residual and what it took."""

    x: np.ndarray
    residual: float
    n_iter: int
    n_evaluations: int
    message: str


class _Point(NamedTuple):
    """x with f and its gradient there, the forward-backward step z = x - r, and the envelope.

    ``along`` is <gradient, r>, ``square`` <r, r>, and ``penalty`` g at z.
    """

    x: np.ndarray
    f: float
    gradient: np.ndarray
    z: np.ndarray
    r: np.ndarray
    along: float
    square: float
    penalty: float
    envelope: float


class Question(NamedTuple):
    """Where a search asks for the smooth part, and whether for its gradient too."""

    x: np.ndarray
    with_gradient: bool


Answer = tuple[float, np.ndarray]
Search = Generator[Question, Answer, Minimum]


class _Problem:
    """Points of a problem at a step size, counting evaluations."""

    def __init__(self, penalty, max_fun: float) -> None:
        self.penalty, self.is_smooth = penalty, not penalty.has_kinks
        self.is_bounded = penalty.has_bounds
        self.n_evaluations = 0
        self._max_fun = max_fun

    @property
    def exhausted(self) -> bool:
        return self.n_evaluations >= self._max_fun

    def value(self, x: np.ndarray) -> Generator[Question, Answer, float]:
        self.n_evaluations += 1
        return (yield Question(x, False))[0]

    def value_and_gradient(self, x: np.ndarray) -> Generator[Question, Answer, Answer]:
        self.n_evaluations += 1
        return (yield Question(x, True))

    def point(self, x: np.ndarray, gamma: float) -> Generator[Question, Answer, _Point]:
        f, gradient = yield from self.value_and_gradient(x)
        return self.step(x, f, gradient, gamma)

    def step(self, x: np.ndarray, f: float, gradient: np.ndarray, gamma: float) -> _Point:
        z, r, value, along, square, _ = self.penalty.step(x, gradient, gamma)
        envelope = f if self.is_smooth else f - along + square / (2 * gamma) + value
        return _Point(x, f, gradient, z, r, along, square, value, envelope)

    def iterate(self, point: _Point) -> np.ndarray:
        """Where F is asked for."""
        return point.x if self.is_smooth else point.z

    def at_iterate(self, point: _Point, curvature: float):
        """F at the iterate, and whether the quadratic bound of f holds there."""
        if self.is_smooth:
            return point.f, True
        f_z = yield from self.value(point.z)
        return f_z + point.penalty, is_bounded(f_z, point, curvature)

    def curvature(self, x: np.ndarray, gradient: np.ndarray) -> Generator[Question, Answer, float]:
        """A local Lipschitz constant of the gradient, from one finite difference."""
        step = 1e-6 * np.maximum(1.0, np.abs(x))
        _, other = yield from self.value_and_gradient(x + step)
        return max(np.linalg.norm(other - gradient) / np.linalg.norm(step), 1e-6)


def is_bounded(f_z: float, point: _Point, curvature: float) -> bool:
    """Whether the quadratic bound of f at the point holds at its z."""
    bound = point.f - point.along + 0.5 * curvature * point.square
    return f_z <= bound + ROUNDING * max(1.0, abs(point.f))


def _backtrack(problem: _Problem, point: _Point, curvature: float):
    """Raise the curvature until the quadratic bound holds; (point, curvature, F)."""
    while True:
        value, holds = yield from problem.at_iterate(point, curvature)
        if holds or curvature > LARGEST_CURVATURE or problem.exhausted:
            return point, curvature, value
        curvature *= 2
        point = problem.step(point.x, point.f, point.gradient, CURVATURE_SHARE / curvature)


def _to_step(problem: _Problem, point: _Point, curvature: float):
    """The point at z, from which or on the way to which the curvature may rise; with it and F."""
    if not problem.is_smooth:
        at_z = yield from problem.point(point.z, CURVATURE_SHARE / curvature)
        return (yield from _backtrack(problem, at_z, curvature))
    while True:
        at_z = yield from problem.point(point.z, CURVATURE_SHARE / curvature)
        holds = is_bounded(at_z.f, point, curvature)
        if holds or curvature > LARGEST_CURVATURE or problem.exhausted:
            return at_z, curvature, at_z.f
        curvature *= 2
        point = problem.step(point.x, point.f, point.gradient, CURVATURE_SHARE / curvature)


def _line_search(problem: _Problem, point: _Point, curvature: float, direction: np.ndarray):
    """A point between the forward-backward step and the quasi-Newton step that lowers phi.

    (point, F at its iterate), or None. Where the quadratic bound fails phi is no bound of F,
    however low it lies, and the point is none to go to (De Marchi, Themelis 2022).
    """
    gamma = CURVATURE_SHARE / curvature
    decrease = (1 - CURVATURE_SHARE) / (4 * gamma) * point.square
    goal = point.envelope - decrease + ROUNDING * max(1.0, abs(point.envelope))
    tau, n_failures = 1.0, 0
    for _ in range(MAX_HALVINGS):
        x = point.x - (1 - tau) * point.r + tau * direction
        if problem.is_smooth:
            x = np.clip(x, problem.penalty.lower, problem.penalty.upper)
        candidate = yield from problem.point(x, gamma)
        if candidate.envelope <= goal:
            value, holds = yield from problem.at_iterate(candidate, curvature)
            if holds:
                return candidate, value
            n_failures += 1
        if n_failures == MAX_FAILURES or problem.exhausted:
            break
        tau *= _shorter(point, candidate) if problem.is_bounded else 0.5
    return None


def _shorter(point: _Point, candidate: _Point) -> float:
    """Where the parabola through f and its slope at the point, and f there, has its least."""
    along = point.gradient @ (candidate.x - point.x)
    excess = candidate.f - point.f - along
    return float(np.clip(-along / (2 * excess), 0.1, 0.5)) if along < 0 < excess else 0.5


def _direction(problem: _Problem, point: _Point, gamma: float, memory: InverseHessian):
    """The quasi-Newton step from x, or None.

    r / gamma is the gradient of F where F is smooth. Parameters that the forward-backward step
    leaves at zero or at a bound take that step.
    """
    penalty, z = problem.penalty, point.z
    free = (penalty.lower < z) & (z < penalty.upper)
    if not problem.is_smooth:
        free[: penalty.l1.size] &= z[: penalty.l1.size] != 0
    step = memory.times(point.r / gamma, free)
    return None if step is None else -np.where(free, step, point.r)


def _advance(problem: _Problem, point: _Point, curvature: float, memory: InverseHessian):
    """(point, curvature, F at its iterate) of the next iteration.

    Where no quasi-Newton step is found it is z, from which alone the curvature may rise: there phi
    is at most F, so that it never rises from one iteration to the next.
    """
    found = None
    if not memory.is_empty:
        direction = _direction(problem, point, CURVATURE_SHARE / curvature, memory)
        if direction is not None:
            found = yield from _line_search(problem, point, curvature, direction)
    if found is None:
        following, raised, value = yield from _to_step(problem, point, curvature)
    else:
        (following, value), raised = found, curvature
    change = following.gradient - point.gradient
    if not problem.is_smooth:
        gammas = CURVATURE_SHARE / raised, CURVATURE_SHARE / curvature
        change = following.r / gammas[0] - point.r / gammas[1]
    memory.add(following.x - point.x, change)
    return following, raised, value


def unseen(x: np.ndarray, value: float) -> None:
    """What nobody looks at."""


def search(
    penalty, x: np.ndarray, tol: float, max_iter: int, max_fun: float, monitor, see=unseen
) -> Search:
    """Minimise f + g from ``x`` until max |x - prox(x - grad f(x))| <= tol.

    A small residual is no end where the last step lowered F by more than ``tol`` of it.

    A generator that asks for f and its gradient, so that several searches can be answered
    together, and returns its Minimum: the best iterate, where it does not end by its residual.
    ``penalty`` is g. ``see(x, F)`` is shown each iterate, and ``monitor(x, F)``, where the search
    is not over, says with True that it is.
    """
    problem = _Problem(penalty, max_fun)
    memory = InverseWithinBounds() if problem.is_bounded else InverseHessian()
    x = penalty.prox(x, 0.0)
    f, gradient = yield from problem.value_and_gradient(x)
    if not np.isfinite(f):
        return Minimum(x, np.inf, 0, problem.n_evaluations, NOT_FINITE_MESSAGE)
    best, before = (f + penalty.value(x), x), f + penalty.value(x)
    curvature = yield from problem.curvature(x, gradient)
    point = problem.step(x, f, gradient, CURVATURE_SHARE / curvature)
    point, curvature, value = yield from _backtrack(problem, point, curvature)
    message, n_iter = "", 0
    while True:
        row = problem.iterate(point)
        if n_iter:
            see(row, value)
        best = min(best, (value, row), key=itemgetter(0))
        still_falls, before = before - value > tol * abs(value), value
        residual = np.inf if still_falls else penalty.residual(point.x, point.gradient)
        if residual <= tol:
            if n_iter == 0:  # a solution stays what it is
                return Minimum(x, residual, 0, problem.n_evaluations, "")
            if not problem.is_smooth:
                _, at_z = yield from problem.value_and_gradient(row)
                residual = penalty.residual(row, at_z)
            if residual <= tol:
                return Minimum(row, residual, n_iter, problem.n_evaluations, "")
        if n_iter >= max_iter or problem.exhausted:
            message = LIMIT_MESSAGE
            break
        if (n_iter and monitor(row, value)) or not np.isfinite(value):
            break
        point, curvature, value = yield from _advance(problem, point, curvature, memory)
        n_iter += 1
    _, gradient = yield from problem.value_and_gradient(best[1])
    residual = penalty.residual(best[1], gradient)
    return Minimum(best[1], residual, n_iter, problem.n_evaluations, message)


def run_alone(searching: Search, problem) -> Minimum:
    """The result of a search on one problem with ``value`` and ``value_and_gradient`` (f)."""
    answer = None
    while True:
        try:
            question = searching.send(answer)
        except StopIteration as end:
            return end.value
        if question.with_gradient:
            answer = problem.value_and_gradient(question.x)
        else:
            answer = problem.value(question.x), None


def panoc(
    problem, x: np.ndarray, tol: float, max_iter: int, max_fun: float, monitor, see=unseen
) -> Minimum:
    """The search on one problem with f and its ``penalty`` g."""
    return run_alone(search(problem.penalty, x, tol, max_iter, max_fun, monitor, see), problem)
