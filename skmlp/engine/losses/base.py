"""A loss and its link: all that the engine and the estimators ask of them.

Formulas are written for the functions that numpy and torch share, of which one is handed over as
``xp``, so that this room needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class Loss:
    """A loss of outputs before the link, each row's by itself.

    Its numbers are fields, so that equal losses are equal and can be keys. ``scaling`` says what
    normalize_y does: 'standard' subtracts the mean and divides by the standard deviation, 'factor'
    divides by the mean, as suits a log link, and 'none' leaves y as it is. Where y is multiplied by
    a unit the deviance is by ``unit ** degree``. ``smooth`` says that the derivative has no jumps,
    ``quadratic`` that the loss is the square of y - output, so that centring and scaling y is a
    change of variables. ``of_difference`` says that it depends on y - output alone, where an offset
    may be taken from y. ``scores_r2`` says that models are judged by R2, not by the loss, and
    ``scores_spread`` that the score means nothing for a y that is constant.
    """

    name: ClassVar[str]
    out_activation: ClassVar[str] = "identity"
    scaling: ClassVar[str] = "standard"
    error_name: ClassVar[str]
    lowest_y: ClassVar[float] = -np.inf
    excludes_lowest: ClassVar[bool] = False
    smooth: ClassVar[bool] = True
    quadratic: ClassVar[bool] = False
    of_difference: ClassVar[bool] = False
    scores_r2: ClassVar[bool] = False
    scores_spread: ClassVar[bool] = True

    @property
    def degree(self) -> float:
        """The power of y's unit that the deviance has."""
        return 1.0

    @property
    def slopes(self) -> tuple[float, float] | None:
        """The derivative below y and above, of losses that are linear on either side."""
        return None

    # The engine's

    def value_and_derivative(self, xp, output, y):
        """The loss and its derivative with respect to the output, elementwise."""
        raise NotImplementedError

    def mean(self, xp, output):
        """The prediction, from the output before the link."""
        return output

    @staticmethod
    def link(mean: np.ndarray) -> np.ndarray:
        """The output of a prediction."""
        return mean

    def constant(
        self, y: np.ndarray, weight: np.ndarray, offset: np.ndarray | None = None
    ) -> np.ndarray:
        """The output (q,) of the best constant model, beside an offset (n, q) where there is one.

        For y (n, q) and weights (n, 1) of mean one.
        """
        raise NotImplementedError

    def curvature(self, output: np.ndarray) -> np.ndarray:
        """The second derivative, expected over y; of kinks, that of a parabola as deep."""
        return np.ones_like(output)

    def gradient(self, output: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The derivative of each row's loss at its output (n, q), or at one output (q,) for all."""
        output = np.array(np.broadcast_to(output, y.shape), dtype=np.float64)
        return self.value_and_derivative(np, output, y.astype(np.float64))[1]

    def scale(self, y: np.ndarray, weight: np.ndarray, offset: np.ndarray | None = None) -> float:
        """The size of the loss of the best constant model, beside an offset."""
        return self.of_constant(y, weight, offset)

    def of_constant(
        self, y: np.ndarray, weight: np.ndarray, offset: np.ndarray | None = None
    ) -> float:
        """The loss of the best constant model, beside an offset."""
        output = np.broadcast_to(self.constant(y, weight, offset), y.shape)
        return self.total(y, output if offset is None else output + offset, weight)

    def total(self, y: np.ndarray, output: np.ndarray, weight: np.ndarray) -> float:
        """The mean over rows, of weights (n, 1) of mean one, of the sum over outputs."""
        value, _ = self.value_and_derivative(np, output, y)
        return float((weight * value).mean(0).sum())

    def output_scale(self, y: np.ndarray, weight: np.ndarray) -> float:
        """What outputs are multiplied by where y is: its root mean variance, one with a link."""
        if self.out_activation != "identity":
            return 1.0
        return float(np.sqrt(variance(y, weight) / y.shape[1])) or 1.0

    def score(self, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> float:
        """What early stopping judges by, the larger the better, of weights of mean one.

        R2, or the share of the loss of the best constant that is explained; NaN for predictions
        that are not finite.
        """
        if self.scores_r2 or not np.isfinite(prediction).all():
            return r2(y, prediction, weight)
        y = y.astype(np.float64)
        outputs = self.link(prediction), np.broadcast_to(self.constant(y, weight), y.shape)
        residual, total = (
            (weight * self.value_and_derivative(np, output, y)[0]).sum(0) for output in outputs
        )
        return explained(residual, total)

    # The estimators'

    def deviance(self, y: np.ndarray, output: np.ndarray, unit: np.ndarray | float) -> np.ndarray:
        """The error of each row from its output, so that a mean may underflow.

        ``unit`` is that in which y was trained on.
        """
        return 2 * self.value_and_derivative(np, output, y)[0]

    def error(self, y, output, weight, units, unit=1.0) -> float:
        """The mean deviance of rows, and over the outputs with each in its unit; NaN if infinite.

        Shape
            y and output (n, q), weight (n,) or None, units (q,).
        """
        return float(self.errors(y, output[:, None], weight, units, unit)[0])

    def errors(self, y, outputs, weight, units, unit=1.0) -> np.ndarray:
        """That of several models (n_models,), whose outputs are (n, n_models, q)."""
        with np.errstate(over="ignore", invalid="ignore"):
            deviance = self.deviance(y[:, None], outputs.astype(np.float64, copy=False), unit)
            each = np.average(deviance, axis=0, weights=weight)
            errors = np.mean(each / units**self.degree, axis=-1)
        return np.where(np.isfinite(errors), errors, np.nan)

    def doubt(self, n_rows: int, n_outputs: int) -> float:
        """What rows that were not seen may add to a mean deviance that is next to nothing."""
        return 0.0

    def choices(self, y: np.ndarray) -> list[tuple[list[int], np.ndarray]]:
        """For each choice of a class: the outputs that say it, and the rows' own class.

        Shape
            rows of bool (n, n_classes).
        """
        return []

    def strata(self, y: np.ndarray) -> np.ndarray | None:
        """The class of each row of y, of which parts of the data are to hold equal shares."""
        return None

    def columns(self, y: np.ndarray, name: str) -> np.ndarray:
        """y (n, q) with a column for each output."""
        return y

    def check_range(self, y: np.ndarray, name: str) -> None:
        """ValueError for values of y, called ``name``, that the loss has no value for."""
        is_wrong = y <= self.lowest_y if self.excludes_lowest else y < self.lowest_y
        if is_wrong.any():
            sign = ">" if self.excludes_lowest else ">="
            raise ValueError(
                f"loss={self.name!r} needs {name} {sign} {self.lowest_y:g}, got a smallest {name} "
                f"of {y.min():g}."
            )


def r2(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> float:
    """1 - residual / total sum of squares, averaged over outputs; NaN for non-finite predictions.

    A constant output counts one where it is met and zero where it is not, as in scikit-learn.
    """
    if not np.isfinite(prediction).all():
        return float("nan")
    y = y.astype(np.float64)
    residual = (weight * (y - prediction) ** 2).sum(0)
    total = (weight * (y - (weight * y).mean(0)) ** 2).sum(0)
    return explained(residual, total)


def explained(residual: np.ndarray, total: np.ndarray) -> float:
    """1 - residual / total, averaged over outputs; one or zero where there is nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 1 - residual / total
    score = np.where(total > 0, score, np.where(residual > 0, 0.0, 1.0))
    return float(score.mean())


def variance(y: np.ndarray, weight: np.ndarray) -> float:
    mean = (weight * y).mean(0)
    return float((weight * (y - mean) ** 2).mean(0).sum())
