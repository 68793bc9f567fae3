"""Training sets of a path, the whole data and folds of it, and the errors on rows left out."""

from copy import copy
from typing import NamedTuple

import numpy as np

from ...engine.task import Task
from ...estimators.prediction import OUTPUT_ACTIVATIONS, forward, linear_outputs
from ...estimators.publication import warn_of
from ...parameters.loss_values import estimator_loss
from ...parameters.task_builder import build_task
from ...training_data.fit_data import fit_data
from ...training_data.offsets import on_outputs
from ...training_data.unit_warnings import unit_notes
from .folds import Rows, rows_of

LEAST_ERROR = 1e4 * np.finfo(np.float64).tiny  # below it a good fit's error is nought


class Problem(NamedTuple):
    """One training set: its task, its data, what it leaves out (None for the whole data).

    ``units`` (n_outputs,) are those in which the outputs' errors add up. ``judge``, where there is
    one, takes the place of the loss.
    """

    task: Task
    data: object
    held_out: Rows | None = None
    units: np.ndarray | float = 1.0
    judge: object = None

    def error(self, solution):
        """The loss's mean deviance on the rows left out, or minus their score.

        NaN where it is not finite.
        """
        if not solution.is_usable:
            return np.nan
        if self.judge is not None:
            return self.judge.error(self._outputs(solution), self.held_out)
        held_out, loss = self.held_out, self.task.program.loss
        outputs, unit = self._outputs(solution), self.data.target.scale
        return loss.error(held_out.y, outputs, held_out.weight, self.units, unit)

    def errors(self, solutions):
        """Those of several solutions; of linear models by one product."""
        is_product = self.judge is None and self.task.program.loss.quadratic
        is_product &= self.task.program.n_layers == 1
        if not (is_product and all(solution.is_usable for solution in solutions)):
            return [self.error(solution) for solution in solutions]
        held_out, loss = self.held_out, self.task.program.loss
        weights = [self.data.target.to_units(solution.weights) for solution in solutions]
        coefs, intercepts = [w.coefs[0] for w in weights], [w.intercepts[0] for w in weights]
        outputs = linear_outputs(held_out.X, coefs, intercepts)
        y = held_out.y if held_out.offset is None else held_out.y - held_out.offset
        return loss.errors(y, outputs, held_out.weight, self.units)

    def _outputs(self, solution):
        """Outputs before the link, in the units of y and beside the offset."""
        weights = self.data.target.to_units(solution.weights)
        norm = (weights.gains, weights.shifts) if weights.gains else None
        activation = self.task.program.activation
        coefs, intercepts = weights.coefs, weights.intercepts
        outputs = forward(self.held_out.X, coefs, intercepts, activation, "identity", norm)
        if self.held_out.offset is None:
            return outputs
        link = self.task.program.loss.out_activation
        return outputs + on_outputs(self.held_out.offset, link, outputs.shape[1])


class Judge(NamedTuple):
    """A scorer in the place of the loss, and the estimator that it is told the predictions of."""

    scorer: object
    estimator: object

    def error(self, outputs, held_out):
        """Minus the score of outputs before the link (n, q); NaN where it is not finite."""
        known = copy(self.estimator)
        known.out_activation_ = estimator_loss(known).out_activation
        known._checked_rows = lambda X: X
        known._outputs = lambda X, link="identity", offset=None: OUTPUT_ACTIVATIONS[link](
            outputs.copy()
        )
        weights = {} if held_out.weight is None else {"sample_weight": held_out.weight}
        score = float(self.scorer(known, held_out.X, known._told(held_out.y), **weights))
        return -score if np.isfinite(score) else np.nan


def problems_of(estimator, arrays, splits, seed, order=slice(None), judge=None):
    """The whole data, its rows in an order, then each fold's training rows, each with own scales.

    Rows of weight zero are in none of them. Errors of several outputs add up in the units of
    training on the whole data, as in the loss.
    """
    whole = rows_of(arrays, order)
    _check_units(whole.y, estimator_loss(estimator).degree)
    problems = [_problem(estimator, whole, seed)]
    warn_of(unit_notes(problems[0].task, getattr(estimator, "feature_names_in_", None)))
    scale = problems[0].data.target.scale
    units = scale if len(scale) > 1 else np.ones(1)
    for rows, others in splits:
        held_out = rows_of(arrays, others)
        if not len(held_out.y):
            raise ValueError("cv holds a fold that leaves out no row of positive weight.")
        training = rows_of(arrays, rows)
        if not len(training.y):
            raise ValueError("cv holds a fold without a training row of positive weight.")
        problem = _problem(estimator, training, seed, held_out, units)
        problems.append(problem._replace(judge=judge))
    return problems


def strata_of(estimator, arrays):
    """The class (n,) of each row of (X, y, weight, offset), or labels (n, q) of bool, or None."""
    loss, y = estimator_loss(estimator), arrays[1]
    strata = loss.strata(y)
    return y > 0.5 if strata is None and loss.choices(y) else strata


def _check_units(y, degree):
    """ValueError for outputs (n, q) whose errors, in the units of y, are no numbers of float64."""
    with np.errstate(over="ignore", under="ignore"):
        spread = np.ptp(y, axis=0)
        errors = spread**degree
        is_fine = (spread == 0) | ((errors >= LEAST_ERROR) & np.isfinite(errors * len(y)))
    if not is_fine.all():
        spread = spread[~is_fine][0]
        raise ValueError(
            f"y varies by {spread:.3g}: errors in its units to the power of {degree} overflow or "
            "vanish in float64. Scale y."
        )


def _problem(estimator, arrays, seed, held_out=None, units=1.0):
    data = fit_data(estimator, arrays, None, None, seed)
    return Problem(build_task(estimator, data, seed), data, held_out, units)


def held_out_errors(problems, fits):
    """The errors (n_strengths, n_folds) on the rows that problems hold out, if any."""
    from ...engine.runtime import one_fit

    with one_fit():
        columns = [
            problem.errors(solutions)
            for problem, solutions in zip(problems, zip(*fits, strict=True), strict=True)
            if problem.held_out
        ]
    return np.array(columns).T


def mean_errors(problems, errors):
    """Mean over the folds and its standard error sd / sqrt(K), (n_strengths,) each.

    Folds count by the total weight of the rows left out, as in cv.glmnet.
    """
    share = np.array([p.held_out.total_weight for p in problems if p.held_out], dtype=float)
    share /= share.sum()
    mean = errors @ share
    n_folds = len(share)
    if n_folds == 1:
        return mean, np.full(len(mean), np.nan)
    unit = 2.0 ** (np.frexp(np.nanmax(mean, initial=0.0))[1] - 1)
    variance = (((errors - mean[:, None]) / unit) ** 2) @ share  # squares of errors stay finite
    return mean, unit * np.sqrt(variance / (n_folds - 1))


def doubt(problems):
    """What a standard error of mean errors is at least: classes may be told apart by luck."""
    if problems[0].judge is not None:
        return 0.0
    n_rows, n_outputs = sum(len(p.held_out.y) for p in problems), problems[0].held_out.y.shape[1]
    return problems[0].task.program.loss.doubt(n_rows, n_outputs)
