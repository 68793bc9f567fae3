"""Several training sets along one grid of penalty strengths: the whole data, and folds of it."""

from functools import cached_property
from itertools import islice
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ...callbacks.path_tasks import NO_PATHS
from ...engine.paths.moving_penalty import Scheme, constant
from ...engine.task import is_wide as is_wide_shape
from ...estimators.publication import diverged
from .initial_networks import InitialNetworks
from .refits import Refits
from .reports import Tally, line_of
from .strength_grid import MOST_BEYOND_END, STRENGTH_OF_NOTHING, Grid, checked_strengths
from .trainer import Trainer, has_linear_paths, is_wide

# of the parameters that all paths have
PATH_CONSTRAINTS = {
    "estimator": [HasMethods(["fit", "predict"])],
    "param": [StrOptions({"group_l1", "l1_per_layer"})],
    "n_strengths": [Interval(Integral, 1, None, closed="left")],
    "eps": [Interval(Real, 0, 1, closed="neither"), None],
    "strengths": ["array-like", None],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "adaptive": ["boolean", StrOptions({"auto"})],
    "n_init": [Interval(Integral, 1, None, closed="left")],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
}
EPS_OF_WIDE, EPS_OF_TALL = 1e-2, 1e-4  # glmnet's lambda.min.ratio
EPS_OF_CHOICES = 1e-6  # where folds choose among networks


class PathPlan:
    """How paths are run: the estimator, the penalty that moves, starts and threads."""

    def __init__(self, estimator, param, l1_ratio, n_init, n_jobs, verbose=False):
        self.estimator, self.param = estimator, param
        self._verbose, self.ends_saturated = verbose, False
        self.scheme, self.train = Scheme(param, l1_ratio), Trainer(n_init, n_jobs)
        self.tally = Tally(estimator)
        self.refits = Refits(self.train, self.tally, self.say)

    @property
    def is_linear(self):
        return np.size(self.estimator.hidden_layer_sizes) == 0

    @cached_property
    def blank(self):
        """The estimator before a fit, of which networks of the path are copies."""
        return clone(self.estimator)

    def is_adaptive(self, adaptive):
        """What 'auto' means."""
        return self.param == "group_l1" and not self.is_linear if adaptive == "auto" else adaptive

    def needs_judges(self, adaptive, arrays):
        """Whether paths of the data begin with initial networks, which folds judge."""
        X, _, weight, _ = arrays
        n_rows = X.shape[0] if weight is None else np.count_nonzero(weight)
        is_wide_network = not self.is_linear and is_wide_shape(n_rows, X.shape[1])
        return self.is_adaptive(adaptive) or is_wide_network

    def settle_eps(self, eps, of_networks, problem):
        """``eps``, or by default that of networks, and for linear ones glmnet's by their shape."""
        if eps is not None:
            return eps
        if not self.is_linear:
            return max(of_networks, EPS_OF_WIDE) if is_wide(problem.task) else of_networks
        self.ends_saturated = True
        samples = problem.task.train
        return EPS_OF_WIDE if samples.n_features > samples.n_rows else EPS_OF_TALL

    # Grids

    def grid(self, problem, n_strengths, eps, strengths, start=None):
        """The given strengths, or those from ``eps`` of the end to the end.

        Of wide data that is the end of the network that the path starts from, where it lies higher.
        """
        if strengths is not None:
            return Grid(checked_strengths(strengths), is_given=True)
        end = self._end(problem)
        if start is not None and is_wide(problem.task):
            end = max(end, self._end_of(problem.task, start))
        if end == 0:
            return Grid(np.full(n_strengths, STRENGTH_OF_NOTHING))
        if n_strengths == 1:
            return Grid(np.array([end]))
        ratio = None if self.is_linear else eps ** (-1 / (n_strengths - 1))
        return Grid(np.geomspace(eps * end, end, n_strengths), ratio)

    def _end(self, problem):
        """The strength at which nothing is left, beside the features that have no penalty."""
        from ...engine.epochs.validation_loss import training_outputs
        from ...engine.paths.path_end import unpenalised

        task, offset = problem.task, None
        free = unpenalised(task) if self.is_linear else None
        if free is not None:
            (solution,) = self.train([free])
            self.tally.add("unpenalised model", [free], [solution])
            self.tally.add_free("Features without a penalty", free, solution)
            offset = training_outputs(free, solution.weights)
        return self.scheme.largest(task, offset)

    def _end_of(self, task, weights):
        """That of a network."""
        from ...engine.paths.path_end import end_of_network

        return end_of_network(self.scheme, task, weights) if weights.support.any() else 0.0

    # Paths

    def ready(self, problems, adaptive):
        """(problems, starts): those of the adaptive penalty, or the problems as they are.

        Networks of wide data start from initial ones in either case: of all columns they are noise.
        """
        if adaptive is True and self.scheme.l1_ratio == 0:
            raise ValueError(
                "adaptive=True weighs the penalty that makes zeros, of which l1_ratio=0 leaves "
                "nothing: give adaptive=False, or an l1_ratio above 0."
            )
        is_adaptive = self.is_adaptive(adaptive)
        has_start = is_adaptive or is_wide(problems[0].task)
        if not has_start or self._end(problems[0]) == 0:
            return problems, None
        adapted, starts = InitialNetworks(self.scheme, self.train, self.tally).adapted(problems)
        return adapted if is_adaptive else problems, starts

    def run(
        self,
        problems,
        starts,
        n_strengths,
        eps,
        strengths,
        parts="folds",
        needed=slice(1),
        told=NO_PATHS,
    ):
        """(strengths, solutions of all problems at each of them), from dense to sparse.

        A grid that goes on ends where the first problem, the whole data, has no feature left. The
        others are its ``parts``. Strengths at which a problem that is ``needed`` has diverged are
        left out; ValueError where the others leave no feature. ``told`` are the paths as tasks.
        """
        start = None if starts is None else starts[0]
        grid = self.grid(problems[0], n_strengths, eps, strengths, start)
        most = len(grid.strengths)
        if grid.ratio is not None:
            most += int(MOST_BEYOND_END * most)
        strengths = list(islice(grid, most))
        tasks = [problem.task for problem in problems]
        if starts is None:
            starts = self._first_weights(tasks, strengths[0])
        fits = []
        told.begin(len(strengths))
        strengths, trained = self._trained(tasks, strengths, starts, grid)
        for strength in strengths:
            told.begin_strength()
            solutions = next(trained)
            fits.append(self._kept(tasks[0], solutions))
            self.tally.add("whole data", tasks[:1], solutions[:1])
            self.tally.add(parts, tasks[1:], solutions[1:])
            if self._verbose:
                at = f"{len(fits)} of {len(grid.strengths)}, {self.param} = {strength:.4g}"
                print(f"Strength {at}: {line_of(problems, solutions, parts)}")
            is_last = told.end_strength(strength, solutions)
            if grid.ratio is not None and not _is_moving(tasks[0], solutions[0]).any():
                break
            if is_last:
                break
        told.end()
        return self._usable(np.array(strengths[: len(fits)]), fits, needed, tasks[0])

    @staticmethod
    def _kept(task, solutions):
        """The solutions, of wide data in memory for the features that they use alone."""
        from ...engine.paths.used_features import OnUsedFeatures

        return [*map(OnUsedFeatures, solutions)] if is_wide(task) else solutions

    def _trained(self, tasks, strengths, starts, grid):
        """(strengths, solutions of all tasks at each)."""
        if self.scheme.l1_ratio > 0 and has_linear_paths(tasks[0]):
            ends_saturated = self.ends_saturated and not grid.is_given
            strengths, fits = self.train.linear_paths(tasks, self.scheme, strengths, ends_saturated)
            return strengths, iter(fits)
        return strengths, self.scheme.train(tasks, strengths, starts, self.train)

    def _usable(self, strengths, fits, needed, task):
        """The strengths, and their solutions, at which no problem that is needed has diverged."""
        kept = [all(s.is_usable for s in solutions[needed]) for solutions in fits]
        if all(kept):
            return strengths, fits
        lost = f"{len(kept) - sum(kept)} of the {len(kept)} strengths"
        fits = [solutions for solutions, is_kept in zip(fits, kept, strict=True) if is_kept]
        if not any(s.support.any() for solutions in fits for s in solutions[needed]):
            raise ValueError(f"{diverged(task)} So it was at {lost}, and others leave no feature.")
        self.tally.note(f"{lost} left out, where training diverged.")
        return strengths[kept], fits

    def _first_weights(self, tasks, strength):
        """None, or of ``n_init`` networks that start elsewhere the one of the best objective.

        Where y is constant, so is the network.
        """
        if self.train.n_init == 1 or self.is_linear:
            return [
                None if np.ptp(task.train.y, 0).any() else constant(task).weights for task in tasks
            ]
        moved = [self.scheme.at(task, strength) for task in tasks]
        solutions = self.train.best(moved)
        self.tally.add("first networks", moved, solutions)
        return [solution.weights if solution.is_usable else None for solution in solutions]

    def say(self, message):
        """Print a line, where it was asked for."""
        if self._verbose:
            print(message)


def _is_moving(task, solution):
    """Which of the features that the penalty can remove are left."""
    return solution.support & (task.factors()[0] > 0)
