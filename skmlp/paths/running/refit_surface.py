"""Networks on the features of a path, smooth by L2 alone: their errors by strength and alpha.

Which features a penalty selects is one question, how smooth a network of these should be another.
Folds answer both: networks without the penalty that moves are compared at each strength, on the
features that it selects, with several alphas. Not all of the surface is looked at: the strengths at
the best alpha, the alphas at the best strength, and all features.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...engine.paths.moving_penalty import solve_on
from .problems import doubt, held_out_errors, mean_errors
from .trainer import is_iterative, is_wide

DENSE = 0  # the place of all features; that of strength k is k + 1
REFIT_TOL, REFIT_GAIN = 1e-4, 3e-3
REFIT_ITER = 1000
FOLD_ITER = 150  # where errors are compared
MOST_RISES = 2  # in a row, after which alphas, or strengths from sparse to dense, are left out
TIE = 0.5  # standard errors within which a smoother network is as good


class Smoothness(NamedTuple):
    """What a refit is: its activation, and the alpha of all its layers."""

    activation: str
    alpha: float

    def task(self, task, start=None, n_iter=REFIT_ITER):
        """The task with this activation and this L2 alone, in at most ``n_iter`` iterations."""
        program = replace(task.program, activation=self.activation)
        task = replace(task, program=program, adaptive_factor=None).without_penalty()
        task = replace(task, alpha=(self.alpha,) * program.n_layers, start=start)
        if not is_iterative(task):
            return task
        limits = {"max_iter": n_iter, "max_fun": 10 * n_iter, "least_gain": REFIT_GAIN}
        return replace(task, tol=REFIT_TOL, **limits)


class _Rises:
    """How many errors in a row lie above the least by more than a tie."""

    def __init__(self):
        self.in_a_row, self._least, self._bound = 0, np.inf, np.inf

    def add(self, error, standard_error):
        if error < self._least:
            self._least, self._bound = error, error + TIE * np.nan_to_num(standard_error)
        self.in_a_row = self.in_a_row + 1 if error > self._bound else 0


class RefitSurface:
    """Refits of folds by place and kind, each trained once, and their errors.

    ``fits`` are the solutions of the folds at each strength, ``kinds`` a list of Smoothness by
    ascending alpha. ``errors`` (1 + n_strengths, n_kinds, n_folds) are NaN where not looked at.
    No standard error is taken for less than the ``doubt``.
    """

    def __init__(self, problems, fits, kinds, plan):
        self.kinds, self._problems, self._fits = kinds, problems, fits
        self._train, self._tally, self._say = plan.train, plan.tally, plan.say
        self._refits, self.doubt = {}, doubt(problems)
        self.errors = np.full((1 + len(fits), len(kinds), len(problems)), np.nan)

    # Which cells

    def look(self, selection):
        """Fill what the choice is made from, until that is at an alpha of known strengths.

        Of wide data all features say little: strengths come first, and the one at which the path
        itself is best.
        """
        middle = (len(self.kinds) - 1) // 2
        if is_wide(self._problems[0].task):
            self._along_strengths(middle)
            of_path, _ = mean_errors(self._problems, held_out_errors(self._problems, self._fits))
            for errors in (self.mean_errors[0][1:, middle], of_path):
                if np.isfinite(errors).any():
                    self._along_alphas(1 + int(np.nanargmin(errors)), middle)
        self._along_alphas(DENSE, middle)
        seen = set()
        while (chosen := self.choose(selection)) and (kind := chosen[1]) not in seen:
            seen.add(kind)
            self._along_strengths(kind)
            self._along_alphas(int(np.nanargmin(self.mean_errors[0][:, kind])), kind)

    def _along_strengths(self, kind):
        """Fill the places of a kind from the sparsest on, until errors rise."""
        rises, before = _Rises(), None
        for place in range(len(self._fits), DENSE, -1):
            self._fill(place, kind)
            if (keys := self._keys(place, kind)) != before:
                rises.add(*self._error(place, kind))
            before = keys
            if rises.in_a_row == MOST_RISES:
                break

    def _along_alphas(self, place, start):
        """Fill a place at one kind, and on either side of it until errors rise."""
        self._fill(place, start)
        for way in (-1, 1):
            kind, rises = start, _Rises()
            while rises.in_a_row < MOST_RISES and 0 <= kind < len(self.kinds):
                self._fill(place, kind)
                rises.add(*self._error(place, kind))
                kind += way

    def _error(self, place, kind):
        """Mean over the folds, and its standard error."""
        (mean,), (error,) = mean_errors(self._problems, self.errors[place, [kind]])
        return mean, error

    # The choice

    @property
    def mean_errors(self):
        """Mean over the folds and its standard error, (1 + n_strengths, n_kinds) each."""
        flat = self.errors.reshape(-1, self.errors.shape[2])
        return [a.reshape(self.errors.shape[:2]) for a in mean_errors(self._problems, flat)]

    def choose(self, selection):
        """(place, kind), or None without a finite error.

        'min' is the smoothest network about as good as the best, where its error is least; '1se'
        the sparsest, then the smoothest, within one standard error of the best, or the doubt.
        """
        mean, standard_error = self.mean_errors
        if not np.isfinite(mean).any():
            return None
        best = np.unravel_index(np.nanargmin(mean), mean.shape)
        error = max(np.nan_to_num(standard_error[best]), self.doubt)
        alphas = np.array([kind.alpha for kind in self.kinds])
        if selection == "1se":
            places, kinds = np.nonzero(mean <= mean[best] + error)
            order = np.lexsort((-mean[places, kinds], alphas[kinds], places))
        else:
            places, kinds = np.nonzero(mean <= mean[best] + TIE * error)
            order = np.lexsort((places, -mean[places, kinds], alphas[kinds]))
        return int(places[order[-1]]), int(kinds[order[-1]])

    # Networks

    def columns(self, k, place):
        """Numbers of the features of a fold at a place."""
        solution = None if place == DENSE else self._fits[place - 1][k]
        return features(self._problems[k], solution)

    def solutions(self, place, kind):
        """Those of the folds at a place and kind that have been looked at."""
        return [self._refits[key] for key in self._keys(place, kind)]

    def _fill(self, place, kind):
        """Train what is missing of a cell, and see its errors."""
        if not np.isnan(self.errors[place, kind]).all():
            return
        keys = self._keys(place, kind)
        missing = [k for k, key in enumerate(keys) if key not in self._refits]
        tasks = [self._task(k, place, kind) for k in missing]
        solutions = solve_on(tasks, [self.columns(k, place) for k in missing], self._train)
        self._tally.add("refits", tasks, solutions, counted_out=True)
        self._refits |= {keys[k]: s for k, s in zip(missing, solutions, strict=True)}
        own = [self._refits[key] for key in keys]
        problems = [p._replace(task=self.kinds[kind].task(p.task)) for p in self._problems]
        self.errors[place, kind] = held_out_errors(problems, [own])[0]
        n_features = np.mean([self.columns(k, place).size for k in range(len(keys))])
        self._say(
            f"Refits of {n_features:.1f} features with alpha = {self.kinds[kind].alpha:.4g}: "
            f"mean error {self._error(place, kind)[0]:.6g}"
        )

    def _keys(self, place, kind):
        return [(k, self.columns(k, place).tobytes(), kind) for k in range(len(self._problems))]

    def _task(self, k, place, kind):
        start = self._start(k, place, kind)
        return self.kinds[kind].task(self._problems[k].task, start, FOLD_ITER)

    def _start(self, k, place, kind):
        """Weights of all features at this kind, or of the same features at the next alpha.

        The first network of all features, which has none, is one of the middle alpha: from the
        smoothest on, a feature that acts by its square is lost and has no gradient at zero.
        """
        near = [(place, kind - 1), (place, kind + 1)]
        for other, neighbour in [(DENSE, kind), *near]:
            solution = self._refits.get((k, self.columns(k, other).tobytes(), neighbour))
            if solution is not None and solution.is_usable:
                return solution.weights
        return None


def features(problem, solution=None):
    """Numbers of the features that a solution uses, or of all that are not excluded."""
    if solution is None:
        return np.flatnonzero(~problem.task.excluded)
    return np.flatnonzero(solution.support) if solution.is_usable else np.empty(0, int)
