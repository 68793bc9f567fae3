"""An exact change of variables for deterministic solvers: standardised inputs and outputs.

With x' = (x - mean) / std and y' = (y - mean_y) / scale, the network with weights W_1' = std W_1,
W_K' = W_K / scale (and biases that absorb the means) has the same objective divided by scale^2,
with l1' = l1 |dW / dW'| / scale^2, and bounds over dW / dW'. Without an intercept the means
are zeros, and deviations are those from zero.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..network.columns import origins_and_scales, pooled
from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers
from ..task import Samples, Task


class Scaling:
    """The change of variables of one task: rows, penalty, and smooth values with gradients.

    Features of a group share one standard deviation, so that its norm stays a norm.
    """

    def __init__(self, task: Task, layout: Layout) -> None:
        self._layout = layout
        self._first, self._first_bias = layout.weights[0], layout.biases[0]
        self._last, self._last_bias = layout.weights[-1], layout.biases[-1]
        has_intercept = task.program.has_intercept
        mean, std = origins_and_scales(task.train, has_intercept)
        if task.program.has_group_norms:
            std = pooled(std, np.asarray(task.program.feature_groups))
        self._mean, self._std = mean[:, None], np.where(std > 0, std, 1.0)[:, None]
        self._y_mean, self._y_scale = 0.0, 1.0
        if task.program.loss.quadratic:
            share = task.train.relative_weight() / task.train.n_rows
            if has_intercept:
                self._y_mean = (share * task.train.y).sum(0)
            scale = np.sqrt((share * (task.train.y - self._y_mean) ** 2).sum(0).mean())
            self._y_scale = float(scale) if scale > 0 else 1.0

    @property
    def unit(self) -> float:
        """The objective over that of the scaled variables."""
        return self._y_scale**2

    def penalty(self, penalty: PenaltyNumbers) -> PenaltyNumbers:
        """The penalty of the scaled variables."""
        ones = np.zeros(self._layout.size)
        ones[: self._layout.n_weights] = 1.0
        multiplier = self._scale(ones)[: self._layout.n_weights]
        square = self._y_scale**2
        groups = penalty.groups
        if groups is not None:
            of_group = np.zeros(groups.strength.size)
            of_group[groups.members] = self._weight(multiplier)[:, 0]
            groups = replace(groups, strength=groups.strength * of_group / square)
        l1, l2 = penalty.l1 * multiplier / square, penalty.l2 * multiplier**2 / square
        units = np.ones(self._layout.size)
        units[: multiplier.size] = multiplier
        lower, upper = penalty.lower / units, penalty.upper / units
        return PenaltyNumbers(l1, l2, lower, upper, groups)

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Centres and factors (n_features,) of the columns of X."""
        return self._mean[:, 0].copy(), 1 / self._std[:, 0]

    def outputs(self, y: np.ndarray) -> np.ndarray:
        """y in the scaled variables, float64."""
        return (y - self._y_mean) / self._y_scale

    def samples(self, samples: Samples) -> Samples:
        """Dense samples in the scaled variables, in float64."""
        X = (samples.matrix() - self._mean[:, 0]) / self._std[:, 0]
        return replace(samples, X=X, y=self.outputs(samples.y), rows=None)

    def _weight(self, row: np.ndarray) -> np.ndarray:
        return row[self._first.slice].reshape(self._first.shape)

    def _scale(self, row: np.ndarray) -> np.ndarray:
        """The scaling of weights alone: dW / dW' times ``row``."""
        result = row.copy()
        self._weight(result)[...] /= self._std
        result[self._last.slice] *= self._y_scale
        return result

    def to_original(self, scaled: np.ndarray) -> np.ndarray:
        """The flat row of the network on the data as they are."""
        row = self._scale(scaled)
        weight = self._weight(scaled) / self._std
        row[self._first_bias.slice] -= self._mean[:, 0] @ weight
        bias = self._last_bias.slice
        row[bias] = self._y_scale * row[bias] + self._y_mean
        return row

    def from_original(self, row: np.ndarray) -> np.ndarray:
        """The inverse of ``to_original``."""
        scaled = row.copy()
        scaled[self._last.slice] /= self._y_scale
        bias = self._last_bias.slice
        scaled[bias] = (scaled[bias] - self._y_mean) / self._y_scale
        weight = self._weight(scaled)
        scaled[self._first_bias.slice] += self._mean[:, 0] @ weight
        weight *= self._std
        return scaled

    def smooth(self, value: float, gradient: np.ndarray | None) -> tuple[float, np.ndarray]:
        """The smooth part and its gradient in the scaled variables, from those in the others."""
        value = value / self._y_scale**2
        if gradient is None:
            return value, None
        gradient = gradient / self._y_scale**2
        gradient[self._last_bias.slice] *= self._y_scale
        result = self._scale(gradient)
        bias = gradient[self._first_bias.slice]
        self._weight(result)[...] -= (self._mean / self._std) * bias
        return value, result
