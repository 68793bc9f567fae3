"""The networks of the folds, and the intervals that what they leave out gives."""

import warnings
from dataclasses import dataclass

import numpy as np

from ..engine.losses.ordered import OrderedQuantiles
from .running.published_networks import published, published_relaxed

BLOCK_NUMBERS = 2**22  # of rows times residuals looked at together


@dataclass(frozen=True)
class FoldNetworks:
    """Networks of the folds at the choice, and how far off they are on the rows they leave out.

    ``networks`` are fitted estimators; ``misses`` has for each the distances (n_held_out,) of y
    from its prediction, or from its band where it predicts several quantiles: below zero inside.
    """

    networks: list
    misses: list
    has_band: bool = False

    @classmethod
    def of(cls, plan, problems, choice):
        """Those of a choice; the problems are the folds'."""
        own = choice.of_folds
        networks = [
            published(plan, problem, solution, own.strength)
            if own.strength is not None
            else published_relaxed(plan, problem, solution, own.kind)
            for problem, solution in zip(problems, own.solutions, strict=True)
        ]
        pairs = zip(networks, [problem.held_out for problem in problems], strict=True)
        has_band = isinstance(problems[0].task.program.loss, OrderedQuantiles)
        return cls(networks, [_misses(*pair, has_band) for pair in pairs], has_band)


def _misses(network, rows, has_band):
    predicted = network._predict(rows.X, rows.offset)
    y = rows.y[:, 0] if predicted.ndim == 1 or has_band else rows.y
    low, high = _band(predicted) if has_band else (predicted, predicted)
    return np.maximum(low - y, y - high)


def _band(predicted):
    """The lowest and the highest of several quantiles (n, n_levels)."""
    return predicted[:, 0], predicted[:, -1]


def interval_of(estimator, X, coverage, offset):
    """Intervals (n_samples, 2) by CV+ (Barber, Candes, Ramdas, Tibshirani 2021).

    Each held-out row gives the prediction of the network that had not seen it, less and plus its
    distance; the interval goes from a low to a high one of these, counted so that exchangeable rows
    are covered. Of bands of quantiles the distance is from the band (Romano, Patterson, Candes
    2019).
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage!r}.")
    if not hasattr(estimator, "fold_networks_"):
        raise ValueError(
            "predict_interval needs the networks of the folds: fit with keep_folds=True."
        )
    folds = estimator.fold_networks_
    networks, misses = folds.networks, folds.misses
    if misses[0].ndim > 1:
        raise ValueError(f"predict_interval is for one output, got {misses[0].shape[1]}.")
    n_held_out = sum(map(len, misses))
    place = int(np.ceil(coverage * (n_held_out + 1)))
    if place > n_held_out:
        warnings.warn(
            f"coverage={coverage:g} of {n_held_out} rows left out cannot be had: the intervals are "
            "infinite. Give more rows, or less coverage."
        )
        return np.tile([-np.inf, np.inf], (X.shape[0], 1))
    predicted = [network._predict(X, offset) for network in networks]
    bands = [_band(p) if folds.has_band else (p, p) for p in predicted]
    pieces = np.array_split(np.arange(X.shape[0]), 1 + X.shape[0] * n_held_out // BLOCK_NUMBERS)
    return np.concatenate([_interval(bands, misses, rows, place) for rows in pieces])


def _interval(bands, misses, rows, place):
    """The intervals of some rows: from the place counted from above to that from below."""
    lows = np.hstack([low[rows, None] - miss for (low, _), miss in zip(bands, misses, strict=True)])
    highs = np.hstack([high[rows, None] + m for (_, high), m in zip(bands, misses, strict=True)])
    low = np.partition(lows, lows.shape[1] - place, axis=1)[:, lows.shape[1] - place]
    return np.stack([low, np.partition(highs, place - 1, axis=1)[:, place - 1]], axis=1)
