"""What a network on wide data begins with: features whose squares and products say something.

A network over all of many columns at its start is noise, and one that starts without a feature has
a slope towards it, but none towards its square or its product with another. So every square and
every product of two features is scored against what a linear model leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ..network.columns import column_moments
from ..task import Samples, Task, Weights

N_SQUARES, N_PRODUCTS = 10, 10  # those of the largest scores
N_DIRECTIONS = 3  # of the residuals of several outputs
BLOCK_COLUMNS, BLOCK_NUMBERS = 1024, 2**22  # 16 MB at the most
MOST_OPERATIONS = 2e12  # of the products of all pairs: minutes
LEAST_NORM = 1e-6  # of a square beside its column, or of a product, over its size: else rounding


def looks_at_all_products(task: Task) -> bool:
    """Whether the products of all pairs are few enough to be scored."""
    return task.program.n_samples * task.program.layer_sizes[0] ** 2 <= MOST_OPERATIONS


def remainder(task: Task, weights: Weights) -> np.ndarray:
    """Minus the loss's derivative at a linear model's outputs (n, k), in its main directions."""
    samples, (coef,) = task.train, weights.coefs
    output = np.asarray(samples.matrix() @ coef) + weights.intercepts[0]
    weight = samples.relative_weight()
    slope = -task.program.loss.gradient(output + samples.shift, samples.y, weight) * weight
    left, size, _ = np.linalg.svd(slope - slope.mean(0), full_matrices=False)
    return (left * size)[:, :N_DIRECTIONS]


def products_that_tell(task: Task, rest: np.ndarray) -> np.ndarray:
    """Pairs (k, 2) of the features whose squares and products fit the rest (n, d) best.

    Of too many pairs, those with one of the features that fit it best, as they are or squared.
    """
    columns = _Columns(task)
    slopes, squares = columns.scores(rest)
    own = _largest(squares, N_SQUARES)
    first = np.arange(columns.numbers.size)
    if not looks_at_all_products(task):
        n_first = max(1, int(MOST_OPERATIONS / (task.program.n_samples * first.size)))
        first = np.union1d(own, _largest(slopes, n_first))
    pairs = columns.best_pairs(rest, first)
    return columns.numbers[np.concatenate([np.stack([own, own], axis=1), pairs])]


def _largest(scores: np.ndarray, most: int) -> np.ndarray:
    """Places of the largest positive scores, at most so many."""
    most = min(most, scores.size)
    places = np.argpartition(-scores, most - 1)[:most] if most else np.empty(0, int)
    return places[scores[places] > 0]


class _Columns:
    """Standardised columns of the features that vary and are not excluded, a block at a time."""

    def __init__(self, task: Task) -> None:
        X = task.train.matrix()
        self._X = X.tocsc() if sparse.issparse(X) else X
        self._mean, self._std = column_moments(task.train)
        self.numbers = np.flatnonzero((self._std > 0) & ~task.excluded)

    def of(self, places: np.ndarray) -> np.ndarray:
        """Some of them (n, k) in float32: scores need no more."""
        return _standardised(self._X, self.numbers[places], self._mean, self._std)

    def _blocks(self, places: np.ndarray) -> Iterator[np.ndarray]:
        most = max(1, min(BLOCK_COLUMNS, BLOCK_NUMBERS // self._X.shape[0]))
        for start in range(0, places.size, most):
            yield places[start : start + most]

    def scores(self, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How much of the rest each column fits, and its square beside it, (n_columns,) each."""
        rest, n = rest.astype(np.float32), len(rest)
        slopes, squares = np.zeros((2, self.numbers.size))
        for places in self._blocks(np.arange(self.numbers.size)):
            Z = self.of(places)
            square = Z * Z
            square -= square.mean(0)
            square -= Z * ((square * Z).mean(0) / np.maximum((Z * Z).mean(0), LEAST_NORM))
            norm = (square * square).sum(0)
            slopes[places] = ((Z.T @ rest) ** 2).sum(1)
            fit = ((square.T @ rest) ** 2).sum(1)
            squares[places] = np.where(norm > LEAST_NORM * n, fit / np.maximum(norm, 1e-30), 0)
        return slopes, squares

    def best_pairs(self, rest: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Places (k, 2) of the products that fit the rest best, one of each of ``first``."""
        rest, best = rest.astype(np.float32), []
        everything = np.arange(self.numbers.size)
        in_order = first.size == everything.size
        for left in self._blocks(first):
            Z = self.of(left)
            weighted, square = [Z * column[:, None] for column in rest.T], Z * Z
            for right in self._blocks(everything[left[0] :] if in_order else everything):
                scores = _scores_of_products(weighted, square, self.of(right))
                scores[left[:, None] >= right if in_order else left[:, None] == right] = 0
                places = _largest(scores.ravel(), N_PRODUCTS)
                i, j = np.unravel_index(places, scores.shape)
                best += [*zip(scores[i, j], left[i], right[j], strict=True)]
            best = sorted(best, key=lambda found: -found[0])[:N_PRODUCTS]
        return np.array([pair for _, *pair in best], dtype=int).reshape(-1, 2)


def _scores_of_products(weighted: list, square: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(sum_i r_i a_i b_i)^2 / sum_i (a_i b_i)^2, summed over the directions r, for all a and b."""
    norm = square.T @ (other * other)
    fit = sum((one.T @ other) ** 2 for one in weighted)
    return np.where(norm > LEAST_NORM * len(other), fit / np.maximum(norm, 1e-30), 0)


def _standardised(X, columns: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    X = X[:, columns]
    X = X.toarray() if sparse.issparse(X) else X
    return ((X - mean[columns]) / std[columns]).astype(np.float32)


class Products(NamedTuple):
    """Products of two standardised columns, each in a unit between those of its features.

    ``pairs`` (k, 2) are their numbers; ``mean`` and ``std`` (n_features,) those of the columns.
    """

    pairs: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, samples: Samples, pairs: np.ndarray) -> Products:
        return cls(pairs, *column_moments(samples))

    def beside(self, X):
        """X with the products as further columns, dense in C order or CSR."""
        columns, places = np.unique(self.pairs, return_inverse=True)
        Z = _standardised(X, columns, self.mean, self.std).astype(np.float64)
        i, j = places.reshape(self.pairs.shape).T
        unit = np.sqrt(self.std[self.pairs]).prod(1)
        products = Z[:, i] * Z[:, j] * unit
        if sparse.issparse(X):
            return sparse.hstack([X, sparse.csr_array(products)], format="csr")
        return np.hstack([X, products])

    def in_linear(self, task: Task) -> Task:
        """A linear task with the products as further columns; their factor lies between two."""
        program = task.program
        sizes = (program.layer_sizes[0] + len(self.pairs), program.layer_sizes[-1])
        samples = Samples(self.beside(task.train.matrix()), task.train.y, task.train.weight)
        factor = task.penalty_factor
        if factor is not None:
            factor = np.append(factor, np.sqrt(factor[self.pairs]).prod(1))
        program = replace(program, layer_sizes=sizes)
        return replace(task, program=program, train=samples, penalty_factor=factor, validation=None)

    def features(self, support: np.ndarray) -> np.ndarray:
        """Numbers of the features that a support, products included, consists of."""
        n_features = self.mean.size
        used = self.pairs[np.flatnonzero(support[n_features:])]
        return np.union1d(np.flatnonzero(support[:n_features]), used)
