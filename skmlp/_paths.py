"""Several training sets along one grid of penalty strengths: the whole data, and folds of it."""

import warnings
from dataclasses import dataclass, replace
from itertools import islice
from numbers import Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ._layers import strengths as layer_strengths
from ._meeting import current_runner
from ._problems import held_out_errors, mean_errors
from ._task import NEGLIGIBLE_ALPHA
from .engine.path import Scheme, constant, has_features, relax
from .engine.task import Status
from .engine.train import train

DEFAULT_ALPHA = 7  # for sample weights of mean one
DEFAULT_NETWORK = {"solver": "lbfgs", "alpha": DEFAULT_ALPHA, "tol": 3e-3, "random_state": 0}
INITIAL_SHARES = (3e-3, 1e-2)  # of the end of the path
INITIAL_ROUNDS = (60, 240)  # iterations, more of them where they do no better than a linear model
INITIAL_L2 = 0.014  # alpha over the sum of the weights
LINEAR_SHARES = (1e-2, 3e-2, 1e-1)  # of the end of the lasso's path
N_JUDGES = 2  # folds that choose among them
LARGEST_FACTOR = 100.0  # of the adaptive penalty: what an initial network dropped may come back
CAUTIOUS_FACTOR = 10.0  # where that network is no better than a linear model
RELAXED_ITER = 50  # without a penalty, iterations are what keeps a network from overfitting
RELAXED_ROUNDS = (RELAXED_ITER, 50, 100, 200, 400)
FINE = 0.1  # initial networks and relaxed refits are trained to this share of tol
MOST_BEYOND_END = 1.0  # further strengths, over the number asked for
STRENGTH_OF_NOTHING = 1e-15  # of every model of a path on which no feature can leave


@dataclass(frozen=True)
class Grid:
    """Ascending strengths. ``ratio`` goes on until nothing is left, None where they are given."""

    strengths: np.ndarray
    ratio: float | None = None

    def __iter__(self):
        yield from self.strengths
        last = self.strengths[-1]
        while self.ratio is not None:
            last = last * self.ratio
            yield last


def with_penalty(estimator, param, l1_ratio):
    """The estimator with some strength of the penalty that will move; ValueError if it cannot.

    Its own parameters are checked here, as its ``fit`` would.

    A penalty of the first layer alone has no minimiser, since scale can move into later layers.
    """
    if not hasattr(estimator, "l1_per_layer"):
        raise ValueError(
            f"estimator must be a RegularizedMLPRegressor, got {type(estimator).__name__}: put "
            "transformers in a Pipeline around the path's estimator, or transform X before."
        )
    estimator._validate_params()
    if param == "l1_per_layer":
        return estimator.set_params(l1_per_layer=1.0)
    estimator.set_params(group_l1=1.0)
    if l1_ratio < 1:
        return estimator.set_params(alpha=1.0)
    n_layers = 1 + np.size(estimator.hidden_layer_sizes)
    l1 = layer_strengths("l1_per_layer", estimator.l1_per_layer, n_layers)
    alpha = layer_strengths("alpha", estimator.alpha, n_layers)
    free = [k for k in range(1, n_layers) if l1[k] == 0 and alpha[k] <= NEGLIGIBLE_ALPHA]
    if free:
        raise ValueError(
            "A path of group_l1 needs a penalty on every later layer, or scale moves into them and "
            f"there is no minimiser: layers {free} (counted from 0) have none with "
            f"alpha={estimator.alpha!r}, l1_per_layer={estimator.l1_per_layer!r}. Give the network "
            f"alpha={DEFAULT_ALPHA}, which RegularizedMLPRegressorCV takes by default (for sample "
            f"weights of mean one): estimator.set_params(alpha={DEFAULT_ALPHA}), or "
            f"{default_network()}. Or give l1_ratio=0.9: a tenth of the strength is then L2 on "
            "every layer."
        )
    return estimator


def default_network():
    """How the network of the cross-validation's default is written."""
    parameters = ", ".join(f"{name}={value!r}" for name, value in DEFAULT_NETWORK.items())
    return f"RegularizedMLPRegressor({parameters})"


def is_plain(estimator):
    """Whether a network with hidden layers has no penalty but the small default alpha."""
    given = [getattr(estimator, name, None) for name in ("alpha", "l1_per_layer")]
    has_scalars = all(isinstance(value, Real) for value in given)
    return has_scalars and given == [1e-4, 0.0] and np.size(estimator.hidden_layer_sizes) > 0


class PathSearch:
    """How paths are run: the estimator, the penalty that moves, starts and threads."""

    def __init__(self, estimator, param, l1_ratio, n_init, n_jobs, verbose=False):
        self.estimator, self.param, self.n_init = estimator, param, n_init
        self._verbose = verbose
        self.scheme = Scheme(param, l1_ratio)
        self._n_threads = 1 if current_runner() else effective_n_jobs(n_jobs)

    def _train(self, tasks):
        return train(tasks, self._n_threads)

    @property
    def is_linear(self):
        return np.size(self.estimator.hidden_layer_sizes) == 0

    def is_adaptive(self, adaptive):
        """What 'auto' means."""
        return self.param == "group_l1" and not self.is_linear if adaptive == "auto" else adaptive

    # Grids

    def grid(self, problem, n_strengths, eps, strengths):
        """The given strengths, or those from ``eps`` of the end to the end."""
        if strengths is not None:
            return Grid(_checked_strengths(strengths))
        end = self._end(problem)
        if end == 0:
            return Grid(np.full(n_strengths, STRENGTH_OF_NOTHING))
        if n_strengths == 1:
            return Grid(np.array([end]))
        ratio = None if self.is_linear else eps ** (-1 / (n_strengths - 1))
        return Grid(np.geomspace(eps * end, end, n_strengths), ratio)

    def _end(self, problem):
        """The strength at which nothing is left, beside the features that have no penalty."""
        from .engine.path_end import unpenalised
        from .engine.validation import training_outputs

        task, offset = problem.task, None
        free = unpenalised(task) if self.is_linear else None
        if free is not None:
            offset = training_outputs(free, self._train([free])[0].weights)
        return self.scheme.largest(task, offset)

    # Paths

    def ready(self, problems, adaptive):
        """(problems, starts): those of the adaptive penalty, or the problems as they are."""
        return self.adapted(problems) if self.is_adaptive(adaptive) else (problems, None)

    def run(self, problems, starts, n_strengths, eps, strengths):
        """(strengths, solutions of all problems at each of them), from dense to sparse.

        A grid that goes on ends where the first problem, the whole data, has no feature left.
        """
        grid = self.grid(problems[0], n_strengths, eps, strengths)
        most = len(grid.strengths)
        if grid.ratio is not None:
            most += int(MOST_BEYOND_END * most)
        strengths = list(islice(grid, most))
        tasks = [problem.task for problem in problems]
        if starts is None:
            starts = self._first_weights(tasks, strengths[0])
        fits = []
        for solutions in self.scheme.train(tasks, strengths, starts, self._train):
            fits.append(solutions)
            self._say_strength(strengths[len(fits) - 1], len(fits), len(grid.strengths), solutions)
            if grid.ratio is not None and not _is_moving(tasks[0], solutions[0]).any():
                break
        warn_of_unconverged([s for solutions in fits for s in solutions], tasks[0].tol)
        return np.array(strengths[: len(fits)]), fits

    def _first_weights(self, tasks, strength):
        """None, or of ``n_init`` networks that start elsewhere the one of the best objective.

        Where y is constant, so is the network.
        """
        if self.n_init == 1 or self.is_linear:
            return [
                None if np.ptp(task.train.y, 0).any() else constant(task).weights for task in tasks
            ]
        return [s.weights for s in self._best([self.scheme.at(task, strength) for task in tasks])]

    def _best(self, tasks):
        """The solution of each task: of ``n_init`` first weights those with the best objective."""
        tries = [replace(t, seed=(t.seed + k) % 2**32) for t in tasks for k in range(self.n_init)]
        solutions = np.array(self._train(tries), dtype=object).reshape(len(tasks), -1)
        return [min(row, key=lambda solution: solution.objective) for row in solutions]

    def adapted(self, problems):
        """(problems, starts): the penalties divided by the sensitivities of initial networks.

        They have the plain penalty, at the strength that predicts the rows held out by two of the
        folds best, each from its own first weights: a network that has followed the path from its
        dense end finds fewer of the features that act through their squares alone.
        """
        end = self._end(problems[0])
        if end == 0:
            return problems, self._first_weights([p.task for p in problems], end)
        first, *folds = problems
        judges, others = folds[:N_JUDGES], [first, *folds[N_JUDGES:]]
        share, fits, n_iter, is_better = self._judged(judges)
        own, *rest = self._initial(others, [share], n_iter)[0]
        solutions = [own, *fits, *rest]
        largest = LARGEST_FACTOR if is_better else CAUTIOUS_FACTOR
        return [
            problem._replace(task=_adapted(problem.task, solution, largest))
            for problem, solution in zip(problems, solutions, strict=True)
        ], [s.weights if has_features(s.weights) else None for s in solutions]

    def _judged(self, judges):
        """(share of the end, initial networks, iterations, whether they beat a linear model).

        Networks that do not are given more iterations: before they have found what is not linear
        they would weigh features by their linear effect alone.
        """
        linear = self._linear_error(judges)
        for n_iter in INITIAL_ROUNDS:
            fits = self._initial(judges, INITIAL_SHARES, n_iter)
            mean, _ = mean_errors(judges, held_out_errors(judges, fits))
            best = int(np.argmin(np.nan_to_num(mean, nan=np.inf)))
            if mean[best] < linear:
                break
        return INITIAL_SHARES[best], fits[best], n_iter, bool(mean[best] < linear)

    def _linear_error(self, judges):
        """The least mean error of the lasso, at a few strengths, on the rows held out."""
        scheme, fits = Scheme("l1_per_layer"), []
        tasks = [problem.task.without_hidden_layers() for problem in judges]
        ends = [scheme.largest(task) for task in tasks]
        for share in LINEAR_SHARES:
            pairs = zip(tasks, ends, strict=True)
            fits.append(self._train([scheme.at(task, share * end) for task, end in pairs]))
        mean, _ = mean_errors(judges, held_out_errors(judges, fits))
        return np.nan_to_num(mean, nan=np.inf).min()

    def _initial(self, problems, shares, n_iter):
        """The initial networks of problems, at each of some shares of the end of the first's path.

        With little L2 of the later layers first weights are far from those of the minimum, and many
        iterations pass before any feature is found: these have that of ``INITIAL_L2`` at least,
        whatever the number of rows.
        """
        tasks = [_with_l2(problem.task) for problem in problems]
        end = self.scheme.largest(tasks[0])
        moved = [self.scheme.at(task, share * end) for share in shares for task in tasks]
        networks, n = self._best(_finer(moved, n_iter)), len(tasks)
        return [networks[k : k + n] for k in range(0, len(networks), n)]

    def relaxed(self, problems, fits):
        """``fits`` with each solution refitted without penalty on its support.

        Of the strengths with one support the smallest is the start.
        """
        starts = {}
        for solutions in fits:
            for k, solution in enumerate(solutions):
                starts.setdefault((k, support_of(solution).tobytes()), solution)
        starts = {key: s.weights for key, s in starts.items() if has_features(s.weights)}
        tasks = [problems[k].task for k, _ in starts]
        refits = dict(zip(starts, self._relax(tasks, [*starts.values()]), strict=True))
        return [
            [
                refits.get((k, support_of(solution).tobytes()), solution)
                for k, solution in enumerate(solutions)
            ]
            for solutions in fits
        ]

    def _relax(self, tasks, starts, n_iter=RELAXED_ITER):
        return relax(_finer(tasks, n_iter), starts, self._train)

    def relaxed_while_better(self, problems, solutions, least):
        """(solutions, whether relaxed, mean error): refits of a strength, trained while that helps.

        Without a penalty, iterations are what keeps a network from overfitting: as many are made as
        lower the mean error on the rows that the folds leave out, ``least`` before the first.
        """
        tasks, best = [problem.task for problem in problems], solutions
        for n_iter in RELAXED_ROUNDS if _is_iterative(tasks[0]) else RELAXED_ROUNDS[:1]:
            starts = [solution.weights for solution in best]
            if not all(map(has_features, starts)):
                break
            refits = self._relax(tasks, starts, n_iter)
            (error,), _ = mean_errors(problems, held_out_errors(problems, [refits]))
            self._say(f"Refits of {n_iter} iterations without penalty: mean error {error:.6g}")
            if not error < least:
                break
            best, least = refits, error
        return best, best is not solutions, least

    def published(self, problem, solution, strength):
        """The estimator, fitted, with the solution of the whole data at a strength.

        Its parameters are those of the task; factors of the adaptive penalty are in
        ``penalty_factor``, where they multiply L2 too.
        """
        task = self.scheme.at(problem.task, strength)
        parameters = {self.param: self.scheme.l1_ratio * float(strength)}
        if self.scheme.l1_ratio < 1:
            parameters["alpha"] = task.alpha[0]
        if task.adaptive_factor is not None:
            parameters["penalty_factor"] = given_factors(task)
        return self._fitted(problem, solution, parameters)

    def published_relaxed(self, problem, solution):
        """The estimator, fitted, with a refit: no penalty, and other features excluded."""
        excluded = np.where(support_of(solution), 1.0, np.inf)
        none = {"group_l1": 0.0, "l1_per_layer": 0.0, "alpha": 0.0, "penalty_factor": excluded}
        return self._fitted(problem, solution, none)

    def _fitted(self, problem, solution, parameters):
        model = clone(self.estimator).set_params(**parameters)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator, name):
                setattr(model, name, getattr(self.estimator, name))
        model._adopt(problem.data, solution, {})
        return model

    # What people read

    def _say(self, message):
        """Print a line, where it was asked for."""
        if self._verbose:
            print(message)

    def _say_strength(self, strength, k, n_strengths, solutions):
        n_features = np.mean([support_of(solution).sum() for solution in solutions])
        self._say(
            f"Strength {k} of {n_strengths}, {self.param} = {strength:.4g}: "
            f"{n_features:.1f} features on average, loss {solutions[0].objective:.6f}"
        )


def given_factors(task):
    """The multipliers of the penalty that moves, those of the adaptive one included, or None."""
    given = [f for f in (task.penalty_factor, task.adaptive_factor) if f is not None]
    return np.prod(given, axis=0) if given else None


def warn_of_unconverged(solutions, tol):
    """One warning for all fits of a path that are not at a minimum."""
    missed = [s for s in solutions if s.status in (Status.MAX_ITER, Status.DIVERGED)]
    if missed:
        worst = max(solution.optimality for solution in missed)
        warnings.warn(
            f"{len(missed)} of the {len(solutions)} fits of the path did not converge: the largest "
            f"optimality residual is {worst:.1e} (tol={tol:g}). Increase max_iter or tol of the "
            "estimator, or standardise X.",
            ConvergenceWarning,
        )


def _finer(tasks, n_iter):
    """The tasks to be trained to ``FINE`` times tol, in ``n_iter`` deterministic iterations."""
    if not (tasks and _is_iterative(tasks[0])):
        return tasks
    return [replace(t, tol=FINE * t.tol, max_iter=min(n_iter, t.max_iter)) for t in tasks]


def _with_l2(task):
    """The task with an L2 of ``INITIAL_L2`` at least on each layer."""
    least = INITIAL_L2 * task.train.total_weight
    return replace(task, alpha=tuple(max(alpha, least) for alpha in task.alpha))


def _is_iterative(task):
    """Whether the task is trained by iterations that can be counted out: lbfgs on a network."""
    return task.program.solver == "lbfgs" and task.program.n_layers > 1


def support_of(solution):
    """Which features a solution uses (n_features,)."""
    return solution.weights.coefs[0].any(1)


def _is_moving(task, solution):
    """Which of the features that the penalty can remove are left."""
    return support_of(solution) & (task.factors()[0] > 0)


def _adapted(task, solution, largest_factor):
    """The task with the largest sensitivity over each feature's own, at most ``largest_factor``.

    Features of a group, but for those that are excluded, share their root mean square.
    """
    from .engine.sensitivity import sensitivities

    sensitivity = sensitivities(task, solution.weights)
    members = task.program.feature_groups
    if members is not None:
        square = np.bincount(members, sensitivity**2)[list(members)]
        sensitivity = np.sqrt(square / np.maximum(task.group_sizes, 1))
    largest = sensitivity.max()
    if largest == 0:
        return task
    factor = largest / np.maximum(sensitivity, largest / largest_factor)
    return replace(task, adaptive_factor=factor)


def _checked_strengths(strengths):
    strengths = np.sort(np.asarray(strengths, dtype=float).ravel())
    if not strengths.size or not (np.isfinite(strengths) & (strengths > 0)).all():
        raise ValueError(f"strengths must hold finite numbers > 0, got {strengths.tolist()}.")
    return strengths
