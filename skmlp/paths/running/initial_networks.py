"""The adaptive penalty: initial networks, and the factors that their sensitivities give."""

import warnings
from dataclasses import replace

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


class InitialNetworks:
    """Networks with the plain penalty, whose sensitivities weigh the features of a path."""

    def __init__(self, scheme, train, tally):
        self._scheme, self._train, self._tally = scheme, train, tally

    def adapted(self, problems):
        """(problems, starts): the penalties divided by the sensitivities of initial networks.

        They have the plain penalty, at the strength that predicts the rows held out by two of the
        folds best, each from its own first weights: a network that has followed the path from its
        dense end finds fewer of the features that act through their squares alone.
        """
        if is_wide(problems[0].task):
            linear, columns = Screen(self._train, self._tally).screened(problems)
        else:
            linear, columns = self._linear_error(problems[1 : 1 + N_JUDGES]), [None] * len(problems)
        own = list(zip(problems, columns, strict=True))
        judges, others = own[1 : 1 + N_JUDGES], [own[0], *own[1 + N_JUDGES :]]
        share, fits, n_iter, is_better = self._judged(judges, linear)
        first, *rest = self._initial(others, [share], n_iter)[0]
        solutions = [first, *fits, *rest]
        largest = LARGEST_FACTOR if is_better else CAUTIOUS_FACTOR
        return [
            problem._replace(task=_adapted(problem.task, solution, largest))
            for problem, solution in zip(problems, solutions, strict=True)
        ], [s.weights if s.is_usable and s.weights.support.any() else None for s in solutions]

    def _judged(self, judges, linear):
        """(share of the end, initial networks, iterations, whether they beat a linear model).

        Networks that do not are given more iterations: before they have found what is not linear
        they would weigh features by their linear effect alone.
        """
        problems = [problem for problem, _ in judges]
        for n_iter in INITIAL_ROUNDS:
            fits = self._initial(judges, INITIAL_SHARES, n_iter)
            mean, _ = mean_errors(problems, held_out_errors(problems, fits))
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
            moved = [scheme.at(task, share * end) for task, end in pairs]
            fits.append(self._train(moved))
            self._tally.add("linear models", moved, fits[-1])
        mean, _ = mean_errors(judges, held_out_errors(judges, fits))
        return np.nan_to_num(mean, nan=np.inf).min()

    def _initial(self, problems, shares, n_iter):
        """The initial networks of problems, at each of some shares of the end of the first's path.

        Each problem comes with the columns that its networks are of, None for all. With little L2
        of the later layers first weights are far from those of the minimum, and many iterations
        pass before any feature is found: these have that of ``INITIAL_L2`` at least, whatever the
        number of rows.
        """
        tasks, columns = [_with_l2(p.task) for p, _ in problems], [c for _, c in problems]
        end = self._scheme.largest(tasks[0])
        moved = [self._scheme.at(task, share * end) for share in shares for task in tasks]
        moved, n = finer(moved, n_iter), len(tasks)
        networks = solve_on(moved, columns * len(shares), self._train.best)
        self._tally.add("initial networks", moved, networks, is_iterative(tasks[0]))
        return [networks[k : k + n] for k in range(0, len(networks), n)]


class Screen:
    """The features of wide data that initial networks are of.

    They are those of lassos of all features and of the squares and products that tell most of what
    a lasso of the features leaves, each at the strength that predicts the rows held out best.
    """

    def __init__(self, train, tally):
        self._train, self._tally, self._scheme = train, tally, Scheme("l1_per_layer")

    def screened(self, problems):
        """(least mean error of the lassos of features alone, columns of each problem)."""
        from ...engine.paths.interactions import looks_at_all_products

        task = problems[0].task
        if not looks_at_all_products(task):
            warnings.warn(
                f"X has {task.program.layer_sizes[0]} columns: of their products with each other "
                "those are looked at that hold one of the features with the largest effects."
            )
        linear = [p._replace(task=p.task.without_hidden_layers()) for p in problems]
        solutions, error = self._best(linear)
        widened = [self._widened(*each) for each in zip(linear, solutions, strict=True)]
        solutions, _ = self._best([problem for problem, _ in widened])
        columns = [
            self._columns(problem.task, products, solution)
            for problem, (_, products), solution in zip(problems, widened, solutions, strict=True)
        ]
        return error, columns

    def _best(self, problems):
        """(solutions, mean error) of lassos at the share of the end that judges prefer."""
        judges = problems[1 : 1 + N_JUDGES]
        ends = [self._scheme.largest(problem.task) for problem in problems]
        fits = [self._lassos(judges, ends[1:], share) for share in WIDE_SHARES]
        mean, _ = mean_errors(judges, held_out_errors(judges, fits))
        mean = np.nan_to_num(mean, nan=np.inf)
        best = int(np.argmin(mean))
        others, ends = [problems[0], *problems[1 + N_JUDGES :]], [ends[0], *ends[1 + N_JUDGES :]]
        first, *rest = self._lassos(others, ends, WIDE_SHARES[best])
        return [first, *fits[best], *rest], mean[best]

    def _lassos(self, problems, ends, share):
        pairs = zip(problems, ends, strict=False)
        moved = [self._scheme.at(problem.task, share * end) for problem, end in pairs]
        solutions = self._train(moved)
        self._tally.add("linear models", moved, solutions)
        return solutions

    def _widened(self, problem, solution):
        """(the problem with further columns for products, these)."""
        from ...engine.paths.interactions import Products, products_that_tell, remainder

        pairs = products_that_tell(problem.task, remainder(problem.task, solution.weights))
        products = Products.of(problem.task.train, pairs)
        held_out = problem.held_out
        if held_out is not None:
            held_out = held_out._replace(X=products.beside(held_out.X))
        task = products.in_linear(problem.task)
        return problem._replace(task=task, held_out=held_out), products

    def _columns(self, task, products, solution):
        """The features of a lasso, or of the products where it has none; with all of a group."""
        support = solution.weights.support
        if not support.any():
            support = np.arange(support.size) >= task.program.layer_sizes[0]
        columns = products.features(support)
        groups = task.program.feature_groups
        if groups is not None:
            columns = np.flatnonzero(np.isin(groups, np.asarray(groups)[columns]))
        return columns[~task.excluded[columns]]


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
