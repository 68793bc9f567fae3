"""What the folds choose: a strength of the path, or a strength and a smoothness."""

from typing import NamedTuple

import numpy as np

from ...estimators.publication import lower_rate
from .members import mean_solution, train_members
from .problems import held_out_errors, mean_errors
from .published_networks import published, published_relaxed
from .refit_surface import DENSE, RefitSurface, features

DISAGREEMENT = 2.0  # times the least error of a fold


class Folds(NamedTuple):
    """The folds' solutions where the choice is, each of its training rows alone.

    ``strength`` is that of the path's own networks, None of refits, which have a ``kind`` or none.
    """

    solutions: list
    strength: float | None = None
    kind: object = None


class Choice(NamedTuple):
    """The choice, and what it was made from.

    ``index`` is its place among the strengths, None for all features; ``errors`` (n_strengths,
    n_folds) are those of its alpha, ``of_folds`` the networks that they are of. ``results`` is a
    table of all that were compared, ``refits`` are those of all strengths, or None, ``alphas`` all
    that could have been chosen.
    """

    model: object
    index: int | None
    relaxed: bool
    mse: float
    errors: np.ndarray
    index_min: int
    index_1se: int
    results: dict
    refits: list | None = None
    alpha: float | None = None
    of_folds: Folds | None = None
    alphas: tuple = ()


def choose_along_path(plan, problems, strengths, fits, relaxed, selection):
    """Choose among the networks of the path, or their refits without any penalty."""
    refits = None
    if relaxed != "auto" and relaxed:
        refits = plan.refits.relaxed(problems, fits)
    errors = held_out_errors(problems, refits or fits)
    mean, standard_error = mean_errors(problems, errors)
    best, sparsest = _least(mean, standard_error, plan.estimator)
    index = best if selection == "min" else sparsest
    (solution, *others), mse = (refits or fits)[index], float(mean[index])
    is_relaxed = solution is not fits[index][0]
    if relaxed == "auto" and not plan.is_linear:
        (solution, *others), is_relaxed, mse = plan.refits.relaxed_while_better(
            problems, fits[index], mse
        )
    whole = problems[0]
    model = (
        published_relaxed(plan, whole, solution)
        if is_relaxed
        else published(plan, whole, solution, strengths[index])
    )
    results = _results(strengths, None, [f[0] for f in fits], mean, standard_error, errors)
    of_folds = Folds(others, None if is_relaxed else strengths[index])
    return Choice(
        model, index, is_relaxed, mse, errors, best, sparsest, results, refits, of_folds=of_folds
    )


def choose_on_surface(plan, problems, strengths, fits, whole, kinds, n_average, selection):
    """Choose a strength and a smoothness among refits; the network is the mean of several.

    ``whole`` is the problem of the rows that it is trained on.
    """
    surface = RefitSurface(problems[1:], [f[1:] for f in fits], kinds, plan)
    surface.look(selection)
    chosen = surface.choose(selection)
    if chosen is None:
        raise ValueError(_no_finite_error(plan.estimator))
    place, kind = chosen
    index = None if place == DENSE else place - 1
    columns = features(whole, None if index is None else fits[index][0])
    members = train_members(whole.task, columns, kinds[kind], n_average, plan.train)
    plan.tally.add("members", [kinds[kind].task(whole.task)] * n_average, members, True)
    model = published_relaxed(plan, whole, mean_solution(members), kinds[kind])
    mean, standard_error = surface.mean_errors
    best, sparsest = _least(mean[1:, kind], standard_error[1:, kind], plan.estimator)
    return Choice(
        model,
        index,
        True,
        float(mean[place, kind]),
        surface.errors[1:, kind],
        best,
        sparsest,
        _surface_results(surface, strengths, fits),
        alpha=kinds[kind].alpha,
        of_folds=Folds(surface.solutions(place, kind), kind=kinds[kind]),
        alphas=tuple(kind.alpha for kind in kinds),
    )


def _least(mean, standard_error, estimator):
    """Places of the least mean error, and of the sparsest within one standard error of it."""
    if not np.isfinite(mean).any():
        raise ValueError(_no_finite_error(estimator))
    best = len(mean) - 1 - np.nanargmin(mean[::-1])  # of equal ones the sparsest
    bound = mean[best] + np.nan_to_num(standard_error[best])
    return int(best), int(np.flatnonzero(mean <= bound)[-1])


def _no_finite_error(estimator):
    ways = ["scale X", *lower_rate(estimator.solver, estimator.learning_rate_init)]
    return (
        f"No strength has a finite error in every fold; {', '.join(ways)}, or use more rows a fold."
    )


def _surface_results(surface, strengths, fits):
    """The table of what was looked at; strength 0 stands for all features."""
    looked_at = np.nonzero(~np.isnan(surface.errors).all(2))
    places, kinds = looked_at
    whole = [None, *(f[0] for f in fits)]
    return _results(
        np.append(0.0, strengths)[places],
        np.array([kind.alpha for kind in surface.kinds])[kinds],
        [whole[place] for place in places],
        *(numbers[looked_at] for numbers in surface.mean_errors),
        surface.errors[looked_at],
    )


def _results(strengths, alphas, solutions, mean, standard_error, errors):
    """Columns of a table with a row for each that was compared; None stands for all features."""
    known = next(s for s in solutions if s is not None)
    n_all = len(known.support)
    n_features = [n_all if s is None else s.support.sum() for s in solutions]
    columns = {"strength": np.asarray(strengths, dtype=float)}
    if alphas is not None:
        columns["alpha"] = alphas
    columns |= {"n_features": np.array(n_features, dtype=int)}
    columns |= {"mean_error": mean, "se_error": standard_error}
    return columns | {f"fold{k}_error": column for k, column in enumerate(errors.T)}


def disagreement_notes(errors, index):
    """Words where the choice is far from the best of some folds: they disagree about it."""
    if index is None or not np.isfinite(errors[index]).all():
        return []
    least = np.nanmin(errors, axis=0)
    far = np.flatnonzero((least > 0) & (errors[index] > DISAGREEMENT * least))
    if not far.size:
        return []
    return [
        f"The folds disagree about the strength: in {far.size} of {errors.shape[1]} of them "
        f"the error of the one chosen is more than {DISAGREEMENT:g} times the least. Rows may "
        "be few, in an order, or hold outliers: look at mse_path_, or give another cv."
    ]
