"""The adaptive penalty: initial networks, and the factors that their sensitivities give."""

from dataclasses import replace

import numpy as np

from ...engine.paths.moving_penalty import Scheme
from .problems import held_out_errors, mean_errors
from .trainer import finer, is_iterative

INITIAL_SHARES = (3e-3, 1e-2)  # of the end of the path
INITIAL_ROUNDS = (60, 240)  # iterations, more of them where they do no better than a linear model
INITIAL_L2 = 0.014  # alpha over the sum of the weights
LINEAR_SHARES = (1e-2, 3e-2, 1e-1)  # of the end of the lasso's path
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
        first, *folds = problems
        judges, others = folds[:N_JUDGES], [first, *folds[N_JUDGES:]]
        share, fits, n_iter, is_better = self._judged(judges)
        own, *rest = self._initial(others, [share], n_iter)[0]
        solutions = [own, *fits, *rest]
        largest = LARGEST_FACTOR if is_better else CAUTIOUS_FACTOR
        return [
            problem._replace(task=_adapted(problem.task, solution, largest))
            for problem, solution in zip(problems, solutions, strict=True)
        ], [s.weights if s.is_usable and s.weights.support.any() else None for s in solutions]

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
            moved = [scheme.at(task, share * end) for task, end in pairs]
            fits.append(self._train(moved))
            self._tally.add("linear models", moved, fits[-1])
        mean, _ = mean_errors(judges, held_out_errors(judges, fits))
        return np.nan_to_num(mean, nan=np.inf).min()

    def _initial(self, problems, shares, n_iter):
        """The initial networks of problems, at each of some shares of the end of the first's path.

        With little L2 of the later layers first weights are far from those of the minimum, and many
        iterations pass before any feature is found: these have that of ``INITIAL_L2`` at least,
        whatever the number of rows.
        """
        tasks = [_with_l2(problem.task) for problem in problems]
        end = self._scheme.largest(tasks[0])
        moved = [self._scheme.at(task, share * end) for share in shares for task in tasks]
        moved, n = finer(moved, n_iter), len(tasks)
        networks = self._train.best(moved)
        self._tally.add("initial networks", moved, networks, is_iterative(tasks[0]))
        return [networks[k : k + n] for k in range(0, len(networks), n)]


def _with_l2(task):
    """The task with an L2 of ``INITIAL_L2`` at least on each layer."""
    least = INITIAL_L2 * task.train.total_weight
    return replace(task, alpha=tuple(max(alpha, least) for alpha in task.alpha))


def _adapted(task, solution, largest_factor):
    """The task with the largest sensitivity over each feature's own, at most ``largest_factor``.

    Features of a group, but for those that are excluded, share their root mean square.
    """
    from ...engine.paths.sensitivity import sensitivities

    if not solution.is_usable:
        return task
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
