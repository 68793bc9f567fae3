"""Stability selection: which features are selected again and again on halves of the data."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ..estimators.publication import warn_of
from ..estimators.summaries.text_tables import frame_of
from ..parameters.task_builder import draw_seed
from ..training_data.fit_data import checked_arrays
from ..training_data.row_order import drawn_folds
from .candidate_features import Candidates
from .false_selections import false_bound, nothing_within
from .records import EqualByValue, described
from .running.base_network import base_network, settle_alpha
from .running.folds import checked_groups
from .running.path_plan import PATH_CONSTRAINTS, PathPlan
from .running.problems import problems_of, strata_of


@dataclass(frozen=True, repr=False, eq=False)
class StabilitySelection(EqualByValue):
    """How often each feature is selected along the path, on halves of the data.

    Selections are equal where their numbers are.

    Attributes
    ----------
    strengths : ndarray of shape (n_strengths,)
        Strengths of the path, ascending.

    frequency : ndarray of shape (n_strengths, n_features)
        Share of the subsamples in which a feature is selected at a strength.

    n_candidates : int
        Number of features that a subsample can select or leave, the least of all subsamples. Those
        with a ``penalty_factor`` of infinity (never selected) or 0 (always), and columns constant
        in a subsample, do not count. The columns of a group count as one where a group penalty
        holds them together: with ``param='l1_per_layer'`` only where the estimator has a
        ``group_l1`` beside it, else each column of ``feature_groups`` counts.

    n_selected : ndarray of shape (n_strengths,)
        Mean number of such features that a subsample selects at this strength or any larger one.

    false_bound : ndarray of shape (n_strengths,)
        Bound on the expected number of false selections among the features whose frequency
        reaches ``threshold`` at this strength or a larger one:
        n_selected ** 2 / ((2 threshold - 1) n_candidates), or less by the ``assumption``. Features
        and groups count as above.

    assumption : str or None
        What the bound assumes of the frequencies of noise.

    threshold : float
        The frequency asked for.

    max_false : float
        The bound asked for.

    start : int or None
        The first strength from which on ``false_bound`` is at most ``max_false``; None if there is
        none.

    stability : ndarray of shape (n_features,)
        The largest frequency of each feature from ``start`` on.

    support : ndarray of shape (n_features,) of bool
        The stable features: their stability is at least ``threshold``. Those with a
        ``penalty_factor`` of 0 are among them.

    feature_names : ndarray of shape (n_features,) or None
        Names of the features where they are known.

    param : str
        The penalty that moved, 'group_l1' or 'l1_per_layer'.
    """

    strengths: np.ndarray
    frequency: np.ndarray
    n_candidates: int
    n_selected: np.ndarray
    false_bound: np.ndarray
    assumption: str | None
    threshold: float
    max_false: float
    start: int | None
    stability: np.ndarray
    support: np.ndarray
    feature_names: np.ndarray | None
    param: str

    def __repr__(self):
        bound = "none" if self.start is None else f"{self.false_bound[self.start]:.3g}"
        return (
            f"<StabilitySelection: {self.support.sum()} of {self.support.size} features stable at "
            f"threshold={self.threshold}, bound on false ones {bound}; {described(self.strengths)}>"
        )

    @property
    def selected_features(self):
        """Names of the stable features where they are known, else positions."""
        return self._names[self.support]

    @property
    def _names(self):
        """Names of all features where they are known, else positions."""
        return np.arange(self.support.size) if self.feature_names is None else self.feature_names

    def to_frame(self):
        """The features as a table, from the most stable.

        Returns
        -------
        frame : pandas.DataFrame of shape (n_features, 3)
            With the columns ``feature``, ``stability`` and ``selected``, its ``support``.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        order = np.argsort(-self.stability, kind="stable")
        columns = {"feature": self._names, "stability": self.stability, "selected": self.support}
        return frame_of({name: column[order] for name, column in columns.items()})


STABILITY_CONSTRAINTS = {
    **PATH_CONSTRAINTS,
    "estimator": [*PATH_CONSTRAINTS["estimator"], None],
    "l1_ratio": [Interval(Real, 0, 1, closed="right")],  # with L2 alone nothing is selected
    "eps": [Interval(Real, 0, 1, closed="neither")],
    "n_subsamples": [Interval(Integral, 1, None, closed="left")],
    "threshold": [Interval(Real, 0.5, 1, closed="right")],
    "max_false": [Interval(Real, 0, None, closed="neither")],
    "assumption": [StrOptions({"unimodal", "r-concave"}), None],
    "random_state": ["random_state"],
}


@validate_params(STABILITY_CONSTRAINTS, prefer_skip_nested_validation=True)
def stability_selection(
    estimator,
    X,
    y,
    *,
    n_subsamples=100,
    threshold=0.75,
    max_false=1.0,
    assumption=None,
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
    offset=None,
    groups=None,
    verbose=False,
):
    """Select the features that halves of the data agree on.

    The path is run on halves drawn at random, all of them together, and the features are counted
    that each strength selects. Those in at least ``threshold`` of the halves are stable; how many
    of them are false on average is bounded, if all noise features are alike and the selection is no
    worse than guessing [1]_ [2]_ (see Notes). Halves have equal shares of classes, and of labels
    about equal ones, unless ``groups`` are given.

    Parameters
    ----------
    estimator : RegularizedMLPRegressor, RegularizedMLPClassifier or None
        The network, with a penalty on its later layers; None is :func:`default_network`. See
        :func:`regularization_path`.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data. Standardise them, unless their units are to count.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, or labels of classes.

    n_subsamples : int, default=100
        Number of halves. With an ``assumption`` it is even.

    threshold : float, default=0.75
        The share of halves that have to select a stable feature, in (0.5, 1].

    max_false : float, default=1.0
        The strengths that count are those from which on the expected number of false selections
        is bounded by this.

    assumption : {'unimodal', 'r-concave'} or None, default=None
        What the bound assumes of the frequencies at which noise is selected. None is the bound of
        Meinshausen and Buhlmann [1]_. The others are those of Shah and Samworth [2]_, which are
        lower, for halves in complementary pairs: the share of pairs in both of whose halves a noise
        feature is selected has a unimodal distribution, or a -1/2-concave one (and the frequency
        itself a -1/4-concave one), as they find where few features are selected.

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
        Weights >= 0. Halves are halves of the rows of positive weight: a row of weight 0 counts
        as left out.

    offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Known summands of the outputs, see ``RegularizedMLPRegressor.fit``.

    groups : array-like of shape (n_samples,), default=None
        Group labels of rows that depend on each other (of one patient, one site). Rows of one group
        are in the same half: halves are halves of the groups.

    verbose : bool, default=False
        Whether to print a line for each strength.

    Returns
    -------
    selection : StabilitySelection
        A warning says where the bound is so tight that nothing can be selected within it.

    Raises
    ------
    ValueError
        For data or parameters that do not fit together, with fewer than 4 rows (or groups) of
        positive weight, and when some half diverges at every strength that leaves features; else
        strengths at which one does are left out, with a warning.

    Notes
    -----
    With q features of p selected in a half, a noise feature is in both halves of a split with a
    probability of (q / p) ** 2 at most, if noise features are exchangeable and not selected more
    often than at random. Where that is so the expected number of false ones among the stable
    features is at most q ** 2 / ((2 threshold - 1) p). So p must hold only features that could have
    been selected, and it is the least over the halves, where a rare dummy may be constant: the
    bound errs to the safe side. With an ``assumption`` the chance that a noise feature reaches the
    threshold is the largest that a distribution of that shape can have there, of mean (q / p) ** 2
    for pairs and q / p for halves, and Meinshausen and Buhlmann's bound where that is less.

    The assumption is strong. It fails where noise features are correlated with signals to different
    degrees, have different penalties or scales (rare dummies, groups of different sizes), or
    depend on forced features; it cannot be checked. q is the mean over the halves of what a path
    selects anywhere from a strength on, and the strengths and ``start`` are chosen on the same
    data. Rows must be independent: equal or clustered rows fall into different halves, unless
    ``groups`` keeps them together. The bound is on a mean, not on the number in one data set.

    A paper should say what can be computed again: the number of halves and whether they are pairs,
    ``threshold``, the bound with its assumption and ``n_candidates``, the estimator, ``param``, the
    strengths and ``random_state``, and the ``stability`` of all features, not of those selected
    alone (``to_frame``, :class:`StabilitySelectionDisplay`).

    References
    ----------
    .. [1] Meinshausen, Buhlmann, "Stability selection", 2010.
    .. [2] Shah, Samworth, "Variable selection with error control: another look at stability
       selection", 2013.

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
    model = base_network(estimator, param, l1_ratio)
    arrays = checked_arrays(model, X, y, sample_weight, offset, reset=True, all_rows=True)
    settle_alpha(model, estimator, arrays[2], param, l1_ratio)
    plan = PathPlan(model, param, l1_ratio, n_init, n_jobs, verbose)
    strata = strata_of(model, arrays) if groups is None else None
    units = _units(groups, arrays)
    halves = _halves(*units, n_subsamples, assumption, random_state, strata)
    problems = problems_of(model, arrays, halves, draw_seed(model.random_state))
    problems, starts = plan.ready(problems, adaptive)
    grid = n_strengths, eps, strengths
    ran = plan.run(problems, starts, *grid, parts="halves", needed=slice(1, None))
    plan.tally.warn()
    names = getattr(model, "feature_names_in_", None)
    found = _summary(*ran, problems[1:], threshold, max_false, assumption, names, param)
    warn_of(nothing_within(found))
    return found


def _units(groups, arrays):
    """The rows of positive weight, and which unit each is of: itself, or its group."""
    _, y, weight, _ = arrays
    rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight > 0)
    groups, name = checked_groups(groups, len(y)), "rows of positive weight"
    unit = np.arange(len(rows))
    if groups is not None:
        name, unit = f"groups of {name}", np.unique(groups[rows], return_inverse=True)[1]
    n_units = unit.max(initial=-1) + 1
    if n_units < 4:
        raise ValueError(
            f"Halves of the data need at least 4 {name} in all, got {n_units} of "
            f"n_samples={len(y)}."
        )
    return rows, unit


def _halves(rows, unit, n_subsamples, assumption, random_state, strata):
    """The rows of halves of the units, and the other rows; in pairs the next half is disjoint."""
    in_pairs = assumption is not None
    if in_pairs and n_subsamples % 2:
        raise ValueError(
            f"assumption={assumption!r} is about complementary pairs of halves: give an even "
            f"n_subsamples, got {n_subsamples}."
        )
    halves, n_units, rng = [], unit.max() + 1, check_random_state(random_state)
    while len(halves) < n_subsamples:
        for inside in _two_halves(n_units, rng, strata, rows)[: 1 + in_pairs]:
            is_inside = np.isin(unit, inside)
            halves.append((rows[is_inside], rows[~is_inside]))
    return halves


def _two_halves(n_units, rng, strata, rows):
    """The units of two disjoint halves, drawn at random, with equal shares of ``strata``."""
    if strata is None:
        order, size = rng.permutation(n_units), n_units // 2
        return order[:size], order[-size:]
    half = drawn_folds(2, np.arange(n_units), rng, strata[rows])
    parts = [rng.permutation(np.flatnonzero(half == k)) for k in (0, 1)]
    size = min(map(len, parts))
    return [part[:size] for part in parts]


def _summary(strengths, fits, halves, threshold, max_false, assumption, names, param):
    """What the fits (n_strengths, 1 + n_subsamples) of the whole data and of halves come to."""
    supports = np.array([[solution.support for solution in s[1:]] for s in fits])
    candidates = Candidates.of([half.task for half in halves])
    frequency = supports.mean(1)
    from_here_on = np.logical_or.accumulate(supports[::-1])[::-1]
    n_selected = candidates.count(from_here_on).mean(1)
    n_candidates = candidates.n_candidates
    bound = false_bound(n_selected, n_candidates, threshold, len(halves), assumption)
    allowed = np.flatnonzero(bound <= max_false)
    start = int(allowed[0]) if allowed.size else None
    stability = frequency[start:].max(0) if allowed.size else np.zeros(supports.shape[2])
    return StabilitySelection(
        strengths=strengths,
        frequency=frequency,
        n_candidates=n_candidates,
        n_selected=n_selected,
        false_bound=bound,
        assumption=assumption,
        threshold=threshold,
        max_false=max_false,
        start=start,
        stability=stability,
        support=stability >= threshold,
        feature_names=names,
        param=param,
    )
