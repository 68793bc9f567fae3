"""Stability selection: which features are selected again and again on halves of the data."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, validate_params

from ._data import checked_arrays
from ._path import PATH_CONSTRAINTS
from ._paths import PathSearch, support_of, with_penalty
from ._problems import problems_of
from ._task import draw_seed


@dataclass(frozen=True)
class StabilitySelection:
    """How often each feature is selected along the path, on halves of the data.

    Attributes
    ----------
    strengths : ndarray of shape (n_strengths,)
        Strengths of the path, ascending.

    frequency : ndarray of shape (n_strengths, n_features)
        Share of the subsamples in which a feature is selected at a strength.

    n_selected : ndarray of shape (n_strengths,)
        Mean number of features that a subsample selects at this strength or any larger one.

    false_bound : ndarray of shape (n_strengths,)
        Bound on the expected number of false selections among the features whose frequency
        reaches ``threshold`` at this strength or a larger one:
        n_selected ** 2 / ((2 threshold - 1) n_features).

    threshold : float
        The frequency asked for.

    start : int or None
        The first strength from which on ``false_bound`` is at most ``max_false``; None if there is
        none.

    stability : ndarray of shape (n_features,)
        The largest frequency of each feature from ``start`` on.

    support : ndarray of shape (n_features,) of bool
        The stable features: their stability is at least ``threshold``.

    feature_names : ndarray of shape (n_features,) or None
        Names of the features where they are known.
    """

    strengths: np.ndarray
    frequency: np.ndarray
    n_selected: np.ndarray
    false_bound: np.ndarray
    threshold: float
    start: int | None
    stability: np.ndarray
    support: np.ndarray
    feature_names: np.ndarray | None

    @property
    def selected_features(self):
        """Names of the stable features where they are known, else positions."""
        names = self.feature_names
        return (np.arange(self.support.size) if names is None else names)[self.support]


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        **{key: value for key, value in PATH_CONSTRAINTS.items() if key != "cv"},
        "n_subsamples": [Interval(Integral, 1, None, closed="left")],
        "threshold": [Interval(Real, 0.5, 1, closed="right")],
        "max_false": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def stability_selection(
    estimator,
    X,
    y,
    *,
    n_subsamples=100,
    threshold=0.75,
    max_false=1.0,
    param="group_l1",
    n_strengths=20,
    eps=1e-2,
    strengths=None,
    l1_ratio=1.0,
    adaptive="auto",
    n_init=1,
    n_jobs=None,
    random_state=None,
    sample_weight=None,
    verbose=False,
):
    """Select the features that halves of the data agree on.

    The path is run on halves drawn at random, all of them together, and the features are counted
    that each strength selects. Those in at least ``threshold`` of the halves are stable; how many
    of them are false on average is bounded, if all noise features are alike and the selection is no
    worse than guessing [1]_.

    Parameters
    ----------
    estimator : RegularizedMLPRegressor
        The network; see :func:`regularization_path`.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data. Standardise them, unless their units are to count.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.

    n_subsamples : int, default=100
        Number of halves.

    threshold : float, default=0.75
        The share of halves that have to select a stable feature, in (0.5, 1].

    max_false : float, default=1.0
        The strengths that count are those from which on the expected number of false selections
        is bounded by this.

    param : {'group_l1', 'l1_per_layer'}, default='group_l1'
        The penalty that moves.

    n_strengths : int, default=20
        Number of strengths between ``eps`` times the largest and the largest.

    eps : float, default=1e-2
        The smallest strength over the largest.

    strengths : array-like of shape (n_strengths,), default=None
        Strengths to use instead, > 0.

    l1_ratio : float, default=1.0
        Share of the strength that is L1 (or the group penalty); the rest is L2 on every layer.

    adaptive : bool or 'auto', default='auto'
        Whether each half divides the features' penalties by the sensitivities of an initial
        network of its own. The strength of these is the one that predicts the other halves best.

    n_init : int, default=1
        Number of first weights that are tried; the best objective wins.

    n_jobs : int or None, default=None
        Number of threads; None is one, negative ones count from the number of cores.

    random_state : int, RandomState instance or None, default=None
        Draws the halves.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights >= 0.

    verbose : bool, default=False
        Whether to print a line for each strength.

    Returns
    -------
    selection : StabilitySelection

    References
    ----------
    .. [1] Meinshausen, Buhlmann, "Stability selection", 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor, stability_selection
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> linear = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    >>> found = stability_selection(linear, X.apply(scale), y, random_state=0)
    >>> found.selected_features
    array(['bmi', 's5'], dtype=object)
    """
    model = with_penalty(clone(estimator), param, l1_ratio)
    arrays = checked_arrays(model, X, y, sample_weight, reset=True, all_rows=True)
    search = PathSearch(model, param, l1_ratio, n_init, n_jobs, verbose)
    halves = _halves(len(arrays[1]), n_subsamples, check_random_state(random_state))
    problems = problems_of(model, arrays, halves, draw_seed(model.random_state))
    problems, starts = search.ready(problems, adaptive)
    strengths, fits = search.run(problems, starts, n_strengths, eps, strengths)
    supports = np.array([[support_of(solution) for solution in s[1:]] for s in fits])
    names = getattr(model, "feature_names_in_", None)
    return _summary(strengths, supports, threshold, max_false, names)


def _halves(n_rows, n_subsamples, rng):
    """Pairs of rows and the others; a half has two rows at least."""
    if n_rows < 4:
        raise ValueError(f"Halves of the data need at least 4 rows in all, got {n_rows}.")
    orders = [rng.permutation(n_rows) for _ in range(n_subsamples)]
    return [(np.sort(o[: n_rows // 2]), np.sort(o[n_rows // 2 :])) for o in orders]


def _summary(strengths, supports, threshold, max_false, names):
    """From the supports (n_strengths, n_subsamples, n_features)."""
    frequency = supports.mean(1)
    from_here_on = np.logical_or.accumulate(supports[::-1])[::-1]
    n_selected = from_here_on.sum(2).mean(1)
    with np.errstate(divide="ignore"):
        false_bound = n_selected**2 / np.float64((2 * threshold - 1) * supports.shape[2])
    allowed = np.flatnonzero(false_bound <= max_false)
    start = int(allowed[0]) if allowed.size else None
    stability = frequency[start:].max(0) if allowed.size else np.zeros(supports.shape[2])
    return StabilitySelection(
        strengths=strengths,
        frequency=frequency,
        n_selected=n_selected,
        false_bound=false_bound,
        threshold=threshold,
        start=start,
        stability=stability,
        support=stability >= threshold,
        feature_names=names,
    )
