"""The networks of the folds, and the intervals that what they leave out gives."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing, indexable

from ...callbacks.support import has_callbacks
from ..running.published_networks import published, published_relaxed
from .exchangeability import why_not_exchangeable

BLOCK_NUMBERS = 2**22  # of rows times residuals looked at together


@dataclass(frozen=True)
class FoldNetworks:
    """Networks of the folds, and how far off they are on the rows they leave out.

    ``networks`` are fitted estimators; of regressors ``misses`` has for each the distances
    (n_held_out,) of y from its prediction, or from its band where it predicts several quantiles:
    below zero inside. ``doubt`` says why rows may not be exchangeable, or is None.
    """

    networks: list
    misses: list | None
    has_band: bool = False
    doubt: str | None = None

    @classmethod
    def on(cls, networks, held_out, doubt):
        """Those of networks on the Rows that each leaves out."""
        if networks[0]._takes_labels:
            return cls(networks, None)
        has_band = networks[0].out_activation_ == "ordered"
        pairs = zip(networks, held_out, strict=True)
        return cls(networks, [_misses(*pair, has_band) for pair in pairs], has_band, doubt)


def kept_folds(model, data, groups, split, along, choice):
    """The networks of the folds: at the choice, or each at a choice of its own."""
    problems = along.problems[1:]
    if model.keep_folds == "nested":
        networks = _chosen_anew(model, data, groups, [rows for rows, _ in split.folds])
    else:
        networks = _chosen_together(along.plan, problems, choice.of_folds)
    doubt = why_not_exchangeable(model.cv, split.folds, groups)
    return FoldNetworks.on(networks, [problem.held_out for problem in problems], doubt)


def _chosen_together(plan, problems, of_folds):
    """The networks at the choice of all folds; the problems are the folds'."""
    return [
        published(plan, problem, solution, of_folds.strength)
        if of_folds.strength is not None
        else published_relaxed(plan, problem, solution, of_folds.kind)
        for problem, solution in zip(problems, of_folds.solutions, strict=True)
    ]


def _chosen_anew(model, data, groups, training_rows):
    """The networks that a model chooses on each fold's training rows alone, by folds of these."""
    X, y = indexable(*data[:2])
    networks = []
    for rows in training_rows:
        own = clone(model).set_params(keep_folds=False, keep_path=False)
        if has_callbacks(own):
            own.set_callbacks()  # they are told of the whole fit
        *parts, own_groups = (_part(values, rows) for values in (X, y, *data[2:], groups))
        networks.append(own._fit(parts, own_groups).estimator_)
    return networks


def _part(values, rows):
    """Some of the rows; None, and one number for all, as they are."""
    return values if np.ndim(values) == 0 else _safe_indexing(values, rows)


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
    if folds.doubt is not None:
        warnings.warn(folds.doubt)
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
    """The intervals of some rows: from the place counted from above to that from below.

    Where bands are narrowed by more than their width nothing is left but the middle.
    """
    lows = np.hstack([low[rows, None] - miss for (low, _), miss in zip(bands, misses, strict=True)])
    highs = np.hstack([high[rows, None] + m for (_, high), m in zip(bands, misses, strict=True)])
    low = np.partition(lows, lows.shape[1] - place, axis=1)[:, lows.shape[1] - place]
    high = np.partition(highs, place - 1, axis=1)[:, place - 1]
    middle = (low + high) / 2
    return np.stack([np.minimum(low, middle), np.maximum(high, middle)], axis=1)
