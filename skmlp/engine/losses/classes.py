"""Losses of classes: the logarithm of the probability that a row's own class is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Loss

NEVER = 1.0  # row that a class counts as which has none: its logarithm is infinite
N_BISECTIONS = 100
MOST_STEPS = 200
ROUNDING = 1e-14


@dataclass(frozen=True)
class _Classes(Loss):
    """y are columns of zeros and ones, which stay as they are."""

    scaling: ClassVar[str] = "none"
    lowest_y: ClassVar[float] = 0.0
    scores_spread: ClassVar[bool] = False

    def scale(self, y, weight, offset=None):
        """Losses of probabilities have no unit."""
        return 1.0

    def output_scale(self, y, weight):
        return 1.0

    def score(self, y, prediction, weight):
        """The share of rows whose classes are all met."""
        if not np.isfinite(prediction).all():
            return float("nan")
        is_met = (self.decide(prediction) == (y > 0.5)).all(axis=1)
        return float((weight[:, 0] * is_met).mean())

    def doubt(self, n_rows, n_outputs):
        """One more row of another class than was all but sure, at the odds that n rows allow."""
        return 2 * np.log1p(n_rows) / (n_rows * n_outputs)

    def decide(self, prediction: np.ndarray) -> np.ndarray:
        """Which classes (n, q) of bool probabilities say."""
        raise NotImplementedError


@dataclass(frozen=True)
class BinaryLogLoss(_Classes):
    """log(1 + exp(f)) - y f: each output a class that a row is in or not."""

    name: ClassVar[str] = "log_loss"
    out_activation: ClassVar[str] = "logistic"
    error_name: ClassVar[str] = "Mean deviance"

    def value_and_derivative(self, xp, output, y):
        """Without cancellation where a probability is near that of y."""
        small = xp.exp(-xp.abs(output))
        above = output > 0
        value = xp.where(above, output, 0.0 * output) - y * output + xp.log1p(small)
        slope = xp.where(above, (1 - y) - y * small, (1 - y) * small - y) / (1 + small)
        return value, slope

    def mean(self, xp, output):
        small = xp.exp(-xp.abs(output))
        return xp.where(output > 0, 1.0 + 0.0 * small, small) / (1 + small)

    def constant(self, y, weight, offset=None):
        """With an offset by bisection: the mean derivative rises with the output."""
        y = y.astype(np.float64)
        share, least = (weight * y).mean(0), NEVER / (len(y) + 1)
        share = np.where(share > 0, np.where(share < 1, share, 1 - least), least)
        alone = np.log(share) - np.log1p(-share)
        if offset is None:
            return alone
        low, high = alone - offset.max(0), alone - offset.min(0)
        for _ in range(N_BISECTIONS):
            middle = 0.5 * (low + high)
            slope = (weight * (self.mean(np, middle + offset) - share)).mean(0)
            low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
        return 0.5 * (low + high)

    def curvature(self, output):
        probability = self.mean(np, output)
        return probability * (1 - probability)

    def decide(self, prediction):
        return prediction > 0.5

    def choices(self, y):
        is_in = y > 0.5
        return [([k], np.column_stack([~one, one])) for k, one in enumerate(is_in.T)]

    def strata(self, y):
        return y[:, 0] > 0.5 if y.shape[1] == 1 else None


@dataclass(frozen=True)
class MultinomialLogLoss(_Classes):
    """log sum_k exp(f_k) - sum_k y_k f_k, where one of the y_k of a row is one and others zero."""

    name: ClassVar[str] = "multinomial"
    out_activation: ClassVar[str] = "softmax"
    error_name: ClassVar[str] = "Mean deviance"

    def value_and_derivative(self, xp, output, y):
        """The value stands at the row's own class."""
        log_probability = log_softmax(xp, output)
        return -y * log_probability, xp.exp(log_probability) - y

    def mean(self, xp, output):
        return softmax(xp, output)

    def constant(self, y, weight, offset=None):
        """Outputs of mean zero; with an offset by Newton's steps, or smaller ones that are safe."""
        share = (weight * y.astype(np.float64)).mean(0)
        share = np.where(share > 0, share, NEVER / len(y))
        share = share / share.sum()
        constant = np.log(share)
        if offset is not None:
            constant = self._beside(share, weight, offset)
        return constant - constant.mean()

    def _beside(self, share, weight, offset):
        """The constant beside an offset, for shares (q,) of the classes.

        log(share / mean probability) is a step that never raises the loss: as far as a bound of
        log sum exp goes.
        """

        def loss(constant):
            f = constant + offset
            return (weight[:, 0] * _log_sum_exp(np, f)[..., 0]).mean() - share @ constant

        constant = np.log(share)
        for _ in range(MOST_STEPS):
            p = self.mean(np, constant + offset)
            mean = (weight * p).mean(0)
            if np.abs(mean - share).max() < ROUNDING:
                break
            curvature = np.diag(mean) - p.T @ (weight * p) / len(p)
            newton = constant + np.linalg.lstsq(curvature, share - mean, rcond=1e-12)[0]
            safe = constant + np.log(share / mean)
            constant = min(newton, safe, key=loss)
        return constant

    def curvature(self, output):
        probability = self.mean(np, output)
        return probability * (1 - probability)

    def deviance(self, y, output, unit):
        """Of rows, in one column."""
        return 2 * self.value_and_derivative(np, output, y)[0].sum(-1, keepdims=True)

    def choices(self, y):
        return [([*range(y.shape[1])], y > 0.5)]

    def doubt(self, n_rows, n_outputs):
        """Of one choice, whose deviance is that of all outputs."""
        return super().doubt(n_rows, 1)

    def strata(self, y):
        return y.argmax(axis=1)

    def decide(self, prediction):
        return prediction.argmax(axis=1)[:, None] == np.arange(prediction.shape[1])


def _log_sum_exp(xp, output):
    """log sum exp of rows (..., 1)."""
    largest = xp.amax(output, -1)[..., None]
    return largest + xp.log(xp.sum(xp.exp(output - largest), -1)[..., None])


def log_softmax(xp, output):
    """Logarithms of probabilities (..., q) that add up to one."""
    shifted = output - xp.amax(output, -1)[..., None]
    return shifted - xp.log(xp.sum(xp.exp(shifted), -1)[..., None])


def softmax(xp, output):
    """Probabilities (..., q) that add up to one."""
    exponential = xp.exp(output - xp.amax(output, -1)[..., None])
    return exponential / xp.sum(exponential, -1)[..., None]
