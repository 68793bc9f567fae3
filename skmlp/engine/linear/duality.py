"""The duality gap of penalised linear regression, as scikit-learn's coordinate descent has it.

With residuals R and z = X'R - l2 b, the dual point is s R, of the largest s <= 1 that is feasible:

    gap = P(b) - D(s R),   D(s R) = s R'y - s^2 / 2 (|R|^2 + l2 |b|^2) - h*(s z),

where h*, the conjugate of L1 or norms within bounds, is zero where s z is within the strengths, and
infinite beyond them but for bounds that are finite (formulation A there: Fercoq, Gramfort, Salmon
2015). L2 alone has no strengths: its own conjugate is taken, at s = 1 (formulation B: Dunner et al.
2016). Coefficients without a penalty meet their condition to rounding, and are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..penalty.prox import PenaltyNumbers


class Squares(NamedTuple):
    """|y|^2, y'R and |R|^2 of each output (q,), each row counted by its share."""

    total: np.ndarray
    along: np.ndarray
    residual: np.ndarray


def dual_gap(penalty: PenaltyNumbers, coef: np.ndarray, gradient: np.ndarray, squares: Squares):
    """That of each output (q,), one of all for group norms; None where no duality applies.

    ``gradient`` (p, q) is that of the smooth part, L2 included.
    """
    l1, l2, lower, upper = (
        numbers.reshape(coef.shape)
        for numbers in (penalty.l1, penalty.l2, penalty.lower, penalty.upper)
    )
    ridge = (l2 * coef**2).sum(0)
    if penalty.groups is not None:
        if l1.any():
            return None
        one = [np.atleast_1d(numbers.sum()) for numbers in (*squares, ridge)]
        scale = _scale_of_groups(penalty, gradient)
        return gap_of(Squares(*one[:3]), one[3], penalty.groups.value(coef.ravel()), scale, 0.0)
    if l1.any():
        return gap_of_l1((l1, l2, lower, upper), coef, gradient, squares)
    if not l2.any():
        return None
    correlation = l2 * coef - gradient
    best = np.clip(correlation / np.where(l2 > 0, l2, np.inf), lower, upper)
    conjugate = (correlation * best - 0.5 * l2 * best**2).sum(0)
    return squares.residual + 0.5 * ridge - squares.along + conjugate


class OfColumns:
    """How numbers (p, q) are gathered where each output is a column."""

    @staticmethod
    def total(values: np.ndarray) -> np.ndarray:
        """The sum of each output (q,)."""
        return values.sum(0)

    @staticmethod
    def largest(values: np.ndarray) -> np.ndarray:
        """The largest of each output (q,), zero at least."""
        return values.max(0, initial=0.0)

    @staticmethod
    def spread(values: np.ndarray) -> np.ndarray:
        """One number of each output (q,), as it acts on (p, q)."""
        return values


class Segments(NamedTuple):
    """As ``OfColumns`` where outputs are segments of one array; ``place`` says which."""

    place: np.ndarray
    n_outputs: int

    @classmethod
    def of_sizes(cls, sizes: list[int]) -> Segments:
        """Those of so many numbers each."""
        return cls(np.repeat(np.arange(len(sizes)), sizes), len(sizes))

    def total(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.place, values, self.n_outputs)

    def largest(self, values: np.ndarray) -> np.ndarray:
        largest = np.zeros(self.n_outputs)
        np.maximum.at(largest, self.place, values)
        return largest

    def spread(self, values: np.ndarray) -> np.ndarray:
        return values[self.place]


def gap_of_l1(
    numbers, coef: np.ndarray, gradient: np.ndarray, squares: Squares, of=OfColumns
) -> np.ndarray:
    """The gap (q,) where L1 acts; ``numbers`` are l1, l2 and limits (p, q).

    Zeros whose condition holds may be left out.
    """
    l1, l2, lower, upper = numbers
    scale = largest_scale(of.largest(_ratio(l1, gradient, lower, upper)))
    values, z = of.total(l1 * np.abs(coef)), -of.spread(scale) * gradient
    conjugate = of.total(_conjugate(l1, z, lower, upper))
    return gap_of(squares, of.total(l2 * coef**2), values, scale, conjugate)


def gap_of(squares: Squares, ridge, values, scale, conjugate=0.0) -> np.ndarray:
    """P(b) - D(s R) from |b|^2 weighted by L2, the penalty's value, s and the conjugate."""
    square = squares.residual + ridge
    return 0.5 * (1 + scale**2) * square + values - scale * squares.along + conjugate


def largest_scale(ratio):
    """The largest s <= 1 at which s times the largest ratio is not above one."""
    return 1 / np.maximum(1.0, ratio)


def _ratio(l1, gradient, lower, upper) -> np.ndarray:
    """z over L1 where no finite bound takes up what is beyond it, at s = 1."""
    upwards = np.where(np.isinf(upper), -gradient, 0.0)
    beyond = np.maximum(upwards, np.where(np.isinf(lower), gradient, 0.0))
    return beyond / np.where(l1 > 0, l1, np.inf)


def _conjugate(l1, z, lower, upper) -> np.ndarray:
    """max_b (z b - l1 |b|) within the bounds; nought towards an infinite one."""
    rising = np.where(np.isinf(upper), 0.0, upper) * np.maximum(z - l1, 0.0)
    return rising - np.where(np.isinf(lower), 0.0, lower) * np.maximum(-z - l1, 0.0)


def _scale_of_groups(penalty: PenaltyNumbers, gradient: np.ndarray) -> float:
    """The largest s <= 1 with norms of s z, where bounds let it act, within the strengths."""
    groups, z = penalty.groups, -gradient.ravel()
    z = np.where(penalty.lower < 0, z, np.maximum(z, 0.0))
    z = np.where(penalty.upper > 0, z, np.minimum(z, 0.0))
    penalised = groups.strength > 0
    ratio = groups.norms(z)[penalised] / groups.strength[penalised]
    return float(largest_scale(ratio.max(initial=0.0)))
