"""Whether classes can be told apart for ever: then the loss falls along a ray and has no minimum.

Of rows x_i of what a layer takes, in classes k_i, a direction D of weights and intercepts has the
margins (x_i D)_{k_i} - (x_i D)_c for other classes c. Where none is negative and some are positive
the loss falls for ever along D: complete separation where all are, else quasi-complete (Albert &
Anderson 1984). At a minimum sum_ic p_ic x_i (e_{k_i} - e_c)' = 0, so that a row has no margin
towards a class that it may still be in. That leaves few directions, mostly none at all; among these
a linear program looks for one (Konis 2007).

The layer is the last one. Of networks it is the linear model of X, too: with one hidden layer of an
increasing activation and two classes the weights of any unit, moved along D by its sign, lower the
loss as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ...epochs.validation_loss import inputs_of_last_layer
from ...losses.classes import softmax
from ...network.layout import Layout
from ...penalty.prox import penalty_numbers
from ...task import Task, Weights
from .highs import solve

LEAST_CHANCE = 0.5  # of a class that a row may still be in
FLAT = 1e-10  # eigenvalue, over the largest, of a direction that such rows do not see
LEAST_MARGIN = 1e-6  # of standardised columns, along directions of about length one
FEW_OUTPUTS = 1000  # up to which all are doubted after epochs, which end far from a minimum
MOST_WEIGHTS, MOST_NUMBERS = 1500, 500_000  # beyond these only complete separation is seen


class Separation(NamedTuple):
    """Rows (n,) of bool that gain for ever, by which outputs, and whether all do on all classes."""

    rows: np.ndarray
    outputs: list[int]
    is_complete: bool


class _Ways(NamedTuple):
    """Which weights (k, q) of bool may fall and rise for ever; the last row is the intercepts'."""

    down: np.ndarray
    up: np.ndarray

    @property
    def exist(self) -> bool:
        """Whether any weight of an input moves."""
        return bool((self.down | self.up)[:-1].any())

    def of(self, outputs: list[int]) -> _Ways:
        return _Ways(self.down[:, outputs], self.up[:, outputs])

    def allow(self, direction: np.ndarray) -> bool:
        return not ((direction < 0) & ~self.down | (direction > 0) & ~self.up).any()


def separation(task: Task, weights: Weights) -> Separation | None:
    """What nothing keeps from being told apart for ever, or None."""
    choices = task.program.loss.choices(task.train.y)
    ways = _ways(task) if choices else None
    if ways is None or not ways.exist:
        return None
    layers = [(inputs_of_last_layer(task, weights), ways)]
    if task.program.n_layers > 1 and task.is_unpenalised:
        layers.append((task.train.matrix(), _ways_of_slopes(task)))
    last = np.vstack([weights.coefs[-1], weights.intercepts[-1]]).astype(np.float64)
    trusts_chances = task.program.is_deterministic or task.train.y.size > FEW_OUTPUTS
    found = []
    for own, is_in in choices:
        if is_in.any(0).all():
            views = [(inputs, may.of(own)) for inputs, may in layers]
            gaining = _told_apart(views, last[:, own], is_in, trusts_chances)
            found.append((own, gaining, is_in))
    return _summary(found)


def _told_apart(views: list, last, is_in, trusts_chances: bool) -> np.ndarray:
    """The pairs (n, n_classes) of rows and other classes whose margins grow for ever.

    By the last layer's weights (k, q) as they are, or by another direction of a view.
    """
    inputs, ways = views[0]
    values = _by_class(inputs @ last[:-1] + last[-1])
    if ways.allow(last) and (_margins(values[..., None], is_in) > 0).all():
        return ~is_in
    chance = softmax(np, values) if trusts_chances else np.zeros_like(values)
    found = (_gaining(*view, chance, is_in) for view in views)
    return next((pairs for pairs in found if pairs.any()), np.zeros_like(is_in))


def _summary(found: list) -> Separation | None:
    """Of outputs, the pairs that they tell apart, and which rows are in which class."""
    if not any(gaining.any() for _, gaining, _ in found):
        return None
    named = [k for outputs, gaining, _ in found if gaining.any() for k in outputs]
    rows = np.any([gaining.any(1) for _, gaining, _ in found], axis=0)
    return Separation(rows, named, all((gaining | is_in).all() for _, gaining, is_in in found))


def _ways(task: Task) -> _Ways:
    """Those that no penalty and no bound holds."""
    layout = Layout(task.program)
    penalty, piece, bias = penalty_numbers(task, layout), layout.weights[-1], layout.biases[-1]
    is_free = (penalty.l1[piece.slice] == 0) & (penalty.l2[piece.slice] == 0)
    if penalty.groups is not None and task.program.n_layers == 1:
        is_free &= np.repeat(task.group_factors() == 0, piece.shape[1])
    unbounded = [np.isinf(bounds) for bounds in (penalty.lower, penalty.upper)]
    return _Ways(
        *(
            np.vstack([(is_free & may[piece.slice]).reshape(piece.shape), may[bias.slice]])
            for may in unbounded
        )
    )


def _ways_of_slopes(task: Task) -> _Ways:
    """Those of a linear model in the network's place."""
    n_outputs = task.program.layer_sizes[-1]
    least, largest = (np.repeat(signs[:, None], n_outputs, 1) for signs in task.signs)
    moves, free = ~task.excluded[:, None], np.ones((1, n_outputs), dtype=bool)
    return _Ways(np.vstack([(least < 0) & moves, free]), np.vstack([(largest > 0) & moves, free]))


def _gaining(X, ways: _Ways, chance, is_in) -> np.ndarray:
    """The pairs (n, n_classes) with a margin along a direction in which none has a negative one.

    Shape
        X (n, k - 1), chances (n, n_classes) of a model near its minimum, is_in the same of bool.
    """
    gaining, (k, q) = np.zeros_like(is_in), ways.up.shape
    if not ways.exist or k * q > MOST_WEIGHTS or k * len(chance) > MOST_NUMBERS:
        return gaining
    rows = _standardised(X, has_intercept=(ways.down | ways.up)[-1].any())
    directions = _unseen(rows, ~is_in & (chance >= LEAST_CHANCE), is_in, ways)
    n_numbers = directions.shape[-1] * chance.size
    if n_numbers == 0 or n_numbers > MOST_NUMBERS:
        return gaining
    margins = _margins(_by_class(np.tensordot(rows, directions, 1)), is_in)
    gaining[~is_in] = margins @ _largest_gain(margins, directions, ways) > LEAST_MARGIN
    return gaining


def _by_class(outputs):
    """Outputs (n, q, ...) with one for each class: a single one is that of the second of two."""
    return np.concatenate([0 * outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs


def _margins(values, is_in):
    """By how much values (n, n_classes, r) of own classes exceed others', (n_pairs, r)."""
    return (values[is_in][:, None] - values)[~is_in]


def _standardised(X, has_intercept: bool) -> np.ndarray:
    """Dense rows (n, k + 1), the last column of ones."""
    X = X.toarray() if sparse.issparse(X) else X
    X = X - X.mean(0) if has_intercept else X
    scale = np.sqrt((X**2).mean(0))
    return np.column_stack([X / np.where(scale > 0, scale, 1.0), np.ones(len(X))])


def _unseen(rows, may_be_in, is_in, ways: _Ways) -> np.ndarray:
    """Orthonormal directions (k + 1, q, r) without a margin of rows towards what they may be in.

    Weights that are held do not move. Of directions that move all classes alike there are none.
    """
    n_rows, (k, q) = len(rows), ways.up.shape
    moments = np.zeros((k, q, k, q))
    for a in range(is_in.shape[1]):
        for b in range(a):
            pair = may_be_in[:, a] & is_in[:, b] | may_be_in[:, b] & is_in[:, a]
            square = rows[pair].T @ rows[pair] / n_rows
            if q == 1:
                moments[:, 0, :, 0] += square
                continue
            for c, d, sign in [(a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)]:
                moments[:, c, :, d] += sign * square
    moves = ways.down & ways.up
    for j in np.flatnonzero(moves.all(1) & (q > 1)):
        moments[j, :, j, :] += 1
    moments = moments.reshape(k * q, k * q)
    moments[np.diag_indices(k * q)] += ~(ways.down | ways.up).ravel()
    values, vectors = np.linalg.eigh(moments)
    return vectors[:, values <= FLAT * max(values[-1], 1.0)].reshape(k, q, -1)


def _largest_gain(margins, directions, ways: _Ways) -> np.ndarray:
    """The combination (r,) of directions, in a box, of the most margins in sum, none negative."""
    signs = [(directions[~ways.up], 1), (directions[~ways.down], -1)]
    limits = np.vstack([-margins, *(sign * held for held, sign in signs)])
    bounds = [(-1, 1)] * margins.shape[1]
    result = solve(-margins.sum(0), A_ub=limits, b_ub=np.zeros(len(limits)), bounds=bounds)
    return np.zeros(margins.shape[1]) if result.x is None else result.x
