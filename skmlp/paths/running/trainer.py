"""The networks of a path, trained together: threads, first weights, and iterations counted out."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from joblib import effective_n_jobs

from ...batching.meeting import current_runner
from ...callbacks.fit_tasks import NO_TASK
from ...engine.task import Status
from ...engine.train import train, train_linear_paths

FINE = 0.1  # initial networks and relaxed refits are trained to this share of tol


class Trainer:
    """Trains tasks, each from one or the best of ``n_init`` first weights.

    What it trains is a part of ``told``, for callbacks.
    """

    def __init__(self, n_init, n_jobs):
        self.n_init, self.told = n_init, NO_TASK
        self._n_threads = 1 if current_runner() else effective_n_jobs(n_jobs)

    def __call__(self, tasks):
        """Their solutions; an interrupt ends the whole path."""
        with self.told.during(f"{len(tasks)} networks"):
            solutions = train(tasks, self._n_threads)
        if any(solution.status is Status.INTERRUPTED for solution in solutions):
            raise KeyboardInterrupt
        return solutions

    @contextmanager
    def telling(self, told):
        """Within a block, what is trained is a part of a task."""
        self.told = told
        yield
        self.told = NO_TASK

    def linear_paths(self, tasks, scheme, strengths, ends_saturated):
        """(strengths, solutions at each) of linear regressions, of the largest where it ends so."""
        ends = [(scheme.at(task, 0.0), scheme.at(task, 1.0)) for task in tasks]
        paths = train_linear_paths(ends, strengths, self._n_threads, ends_saturated)
        return strengths[len(strengths) - len(paths[0]) :], zip(*paths, strict=True)

    def best(self, tasks):
        """The solution of each task: of ``n_init`` first weights those with the best objective."""
        tries = [replace(t, seed=(t.seed + k) % 2**32) for t in tasks for k in range(self.n_init)]
        solutions = np.array(self(tries), dtype=object).reshape(len(tasks), -1)
        return [min(row, key=_objective) for row in solutions]


def _objective(solution):
    return solution.objective if solution.is_usable else np.inf


def finer(tasks, n_iter):
    """The tasks to be trained to ``FINE`` times tol, in ``n_iter`` deterministic iterations."""
    if not (tasks and is_iterative(tasks[0])):
        return tasks
    return [replace(t, tol=FINE * t.tol, max_iter=min(n_iter, t.max_iter)) for t in tasks]


def is_iterative(task):
    """Whether the task is trained by iterations that can be counted out: lbfgs on a network."""
    return task.program.is_deterministic and task.program.n_layers > 1


def is_wide(task):
    """Whether a network with hidden layers has many features, more than rows."""
    return task.program.n_layers > 1 and task.train.is_wide


def has_linear_paths(task):
    """Whether paths of the task are those of linear regressions."""
    from ...engine.linear.lasso import is_linear_regression

    program = task.program
    return program.is_deterministic and is_linear_regression(program)
