"""The adaptive penalty: initial networks, and the factors that their sensitivities give."""

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...engine.paths.moving_penalty import Scheme, solve_on
from .problems import held_out_errors, mean_errors
from .trainer import finer, is_iterative, is_wide

INITIAL_SHARES = (3e-3, 1e-2)  # of the end of the path
INITIAL_ROUNDS = (60, 240)  # iterations, more of them where they do no better than a linear model
INITIAL_L2 = 0.014  # alpha over the sum of the weights
LINEAR_SHARES = (1e-2, 3e-2, 1e-1)  # of the end of the lasso's path
WIDE_SHARES = (3e-2, 0.1, 0.2, 0.3, 0.5, 0.7)  # of wide data
N_JUDGES = 2  # folds that choose among them
LARGEST_FACTOR = 100.0  # of the adaptive penalty: what an initial network dropped may come back
CAUTIOUS_FACTOR = 10.0  # where that network is no better than a linear model


class InitialChoice(NamedTuple):
    """Columns by their option, the share of the end, networks of the judges, their iterations.

    ``is_better`` says whether they predict better than a linear model.
    """

    option: int
    share: float
    fits: list
    n_iter: int
    is_better: bool


class InitialNetworks:
    """Networks with the plain penalty, whose sensitivities weigh the features of a path."""

    def __init__(self, scheme, train, tally):
        self._scheme, self._train, self._tally = scheme, train, tally

    def adapted(self, problems):
        """(problems, starts): the penalties divided by the sensitivities of initial networks.

        They have the plain penalty, at the strength that predicts the rows held out by two of the
        folds best, each from its own first weights: a network that has followed the path from its
        dense end finds fewer of the features that act through their squares alone. Of wide data
        they are of some of the features, by the same judgement.
        """
        judges, others = problems[1 : 1 + N_JUDGES], [problems[0], *problems[1 + N_JUDGES :]]
        if is_wide(problems[0].task):
            screen = Screen(self._train, self._tally, judges)
            choice = self._judged(judges, screen.options, screen.linear_error)
            columns = screen.columns(others, choice.option)
        else:
            everything = [[None] * len(judges)]
            choice = self._judged(judges, everything, self._linear_error(judges))
            columns = [None] * len(others)
        (first, *rest), *_ = self._initial(others, columns, [choice.share], choice.n_iter)
        solutions = [first, *choice.fits, *rest]
        largest = LARGEST_FACTOR if choice.is_better else CAUTIOUS_FACTOR
        return [
            problem._replace(task=_adapted(problem.task, solution, largest))
            for problem, solution in zip(problems, solutions, strict=True)
        ], [s.weights if s.is_usable and s.support.any() else None for s in solutions]

    def _judged(self, judges, options, linear):
        """The choice among options, the columns of each judge, and strengths.

        Networks that do not beat a linear model's error are given more iterations: before they have
        found what is not linear they would weigh features by their linear effect alone.
        """
        for n_iter in INITIAL_ROUNDS:
            fits = [
                solutions
                for columns in options
                for solutions in self._initial(judges, columns, INITIAL_SHARES, n_iter)
            ]
            mean, _ = mean_errors(judges, held_out_errors(judges, fits))
            best = int(np.argmin(np.nan_to_num(mean, nan=np.inf)))
            if mean[best] < linear:
                break
        option, place = divmod(best, len(INITIAL_SHARES))
        is_better = bool(mean[best] < linear)
        return InitialChoice(option, INITIAL_SHARES[place], fits[best], n_iter, is_better)

    def _linear_error(self, judges):
        """The least mean error of the lasso, at a few strengths, on the rows held out."""
        scheme, fits = Scheme("l1_per_layer"), []
        tasks = [problem.task.without_hidden_layers() for problem in judges]
        ends = [scheme.largest(task) for task in tasks]
        for share in LINEAR_SHARES:
            pairs = zip(tasks, ends, strict=True)
            moved = [scheme.at(task, share * end) for task, end in pairs]
            fits.append(self._train(moved))
            self._tally.add("linear models", moved, fits[-1])
        mean, _ = mean_errors(judges, held_out_errors(judges, fits))
        return np.nan_to_num(mean, nan=np.inf).min()

    def _initial(self, problems, columns, shares, n_iter):
        """The initial networks of problems, at each of some shares of the end of the first's path.

        They are of some ``columns`` of each problem, None for all. With little L2 of the later
        layers first weights are far from those of the minimum, and many iterations pass before any
        feature is found: these have that of ``INITIAL_L2`` at least, whatever the number of rows.
        """
        tasks = [_with_l2(problem.task) for problem in problems]
        end = self._scheme.largest(tasks[0])
        moved = [self._scheme.at(task, share * end) for share in shares for task in tasks]
        moved, n = finer(moved, n_iter), len(tasks)
        networks = solve_on(moved, [*columns] * len(shares), self._train.best)
        self._tally.add("initial networks", moved, networks, is_iterative(tasks[0]))
        return [networks[k : k + n] for k in range(0, len(networks), n)]


class Screen:
    """The features of wide data that initial networks are of, in several options.

    They are those of lassos of all features and of the squares and products that tell most of what
    a lasso of the features leaves, at several shares of the end of their path.
    """

    def __init__(self, train, tally, judges):
        self._train, self._tally, self._scheme = train, tally, Scheme("l1_per_layer")
        _warn_of_products(judges[0].task)
        linear = [_linear(problem) for problem in judges]
        fits = [self._lassos(linear, share) for share in WIDE_SHARES]
        mean, _ = mean_errors(judges, held_out_errors(linear, fits))
        best = int(np.argmin(np.nan_to_num(mean, nan=np.inf)))
        self.linear_error, self._share = mean[best], WIDE_SHARES[best]
        widened = [_widened(*pair) for pair in zip(linear, fits[best], strict=True)]
        found = {}
        for share in WIDE_SHARES:
            columns = self._columns(judges, widened, share)
            found.setdefault(tuple(c.tobytes() for c in columns), (share, columns))
        self._shares, self.options = zip(*found.values(), strict=True)

    def columns(self, problems, option):
        """Those of further problems."""
        linear = [_linear(problem) for problem in problems]
        fits = self._lassos(linear, self._share)
        widened = [_widened(*pair) for pair in zip(linear, fits, strict=True)]
        return self._columns(problems, widened, self._shares[option])

    def _lassos(self, problems, share):
        """Solutions at a share of the end of each one's path."""
        ends = [self._scheme.largest(problem.task) for problem in problems]
        pairs = zip(problems, ends, strict=True)
        moved = [self._scheme.at(problem.task, share * end) for problem, end in pairs]
        solutions = self._train(moved)
        self._tally.add("linear models", moved, solutions)
        return solutions

    def _columns(self, problems, widened, share):
        solutions = self._lassos([problem for problem, _ in widened], share)
        return [
            _features(problem.task, products, solution.support)
            for problem, (_, products), solution in zip(problems, widened, solutions, strict=True)
        ]


def _linear(problem):
    return problem._replace(task=problem.task.without_hidden_layers())


def _widened(problem, solution):
    """(a linear problem with further columns for products, these)."""
    from ...engine.paths.interactions import Products, products_that_tell, remainder

    pairs = products_that_tell(problem.task, remainder(problem.task, solution.weights))
    products = Products.of(problem.task.train, pairs)
    return problem._replace(task=products.in_linear(problem.task)), products


def _features(task, products, support):
    """The features of a lasso, or of all products where it has none, with all of their groups."""
    n_features, groups = products.mean.size, task.program.feature_groups
    if not support.any():
        support = np.arange(support.size) >= n_features
    columns = products.features(support)
    if groups is not None:
        columns = np.flatnonzero(np.isin(groups, np.asarray(groups)[columns]))
    return columns[~task.excluded[columns]]


def _warn_of_products(task):
    from ...engine.paths.interactions import looks_at_all_products

    if not looks_at_all_products(task):
        warnings.warn(
            f"X has {task.program.layer_sizes[0]} columns: of their products with each other those "
            "are looked at that hold one of the features with the largest effects."
        )


def _with_l2(task):
    """The task with an L2 of ``INITIAL_L2`` at least on each layer."""
    least = INITIAL_L2 * task.train.total_weight
    return replace(task, alpha=tuple(max(alpha, least) for alpha in task.alpha))


def _adapted(task, solution, largest_factor):
    """The task with the largest sensitivity over each feature's own, at most ``largest_factor``.

    Features of a group, but for those that are excluded, share their root mean square.
    """
    if not solution.is_usable:
        return task
    sensitivity = _sensitivities(task, solution.weights)
    members = task.program.feature_groups
    if members is not None:
        square = np.bincount(members, sensitivity**2)[list(members)]
        sensitivity = np.sqrt(square / np.maximum(task.group_sizes, 1))
    largest = sensitivity.max()
    if largest == 0:
        return task
    factor = largest / np.maximum(sensitivity, largest / largest_factor)
    return replace(task, adaptive_factor=factor)


def _sensitivities(task, weights):
    """Those of the network to each feature, of wide data from the features that it uses alone."""
    from ...engine.paths.sensitivity import sensitivities

    used = np.flatnonzero(weights.support)
    if not (is_wide(task) and used.size):
        return sensitivities(task, weights)
    sensitivity = np.zeros(len(weights.support))
    sensitivity[used] = sensitivities(task.restrict(used), weights.restrict(used))
    return sensitivity
