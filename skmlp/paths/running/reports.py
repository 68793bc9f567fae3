"""What people read of a path: the fits that missed their tolerance, and what to try."""

from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...engine.task import Status
from ...estimators.publication import lower_rate, separation_message, warn_of
from .problems import held_out_errors, mean_errors


@dataclass
class Count:
    """How many fits of one kind there are, how many missed their tolerance and by how much."""

    n_fits: int = 0
    n_late: int = 0
    n_diverged: int = 0
    residual: float = 0.0

    @property
    def n_missed(self):
        return self.n_late + self.n_diverged

    def __str__(self):
        parts = [f"{self.n_missed} of {self.n_fits}"]
        if self.n_late:
            parts.append(f"largest optimality residual {self.residual:.1e}")
        if self.n_diverged:
            parts.append(f"{self.n_diverged} diverged")
        return ", ".join(parts)


class Tally:
    """The fits of paths by what they are for; every solution that is used is counted here."""

    def __init__(self, estimator):
        self._estimator, self._counts, self._notes = estimator, {}, []
        self._separated = []

    def add(self, kind, tasks, solutions, counted_out=False):
        """Count solutions; where iterations are ``counted_out``, to end after them is no miss."""
        count = self._counts.setdefault(kind, Count())
        for task, solution in zip(tasks, solutions, strict=True):
            has_diverged = solution.status is Status.DIVERGED or not solution.is_usable
            is_late = solution.status is Status.MAX_ITER and not has_diverged
            is_late &= not (counted_out and solution.n_iter >= task.max_iter)
            count.n_fits += 1
            count.n_late += is_late
            count.n_diverged += has_diverged
            if is_late:
                count.residual = np.fmax(count.residual, solution.optimality)

    def note(self, sentence):
        """A consequence of fits that diverged, for the warning."""
        self._notes.append(sentence)

    def add_free(self, kind, task, solution):
        """Note it where a linear model without a penalty has no minimum."""
        classes = getattr(self._estimator, "classes_", None)
        message = separation_message(task, solution, classes)
        if message is not None:
            self._separated.append(f"{kind}: {message}")

    def words(self):
        """What there is to say of fits that are not at a minimum, or have none: a sentence each."""
        return [*self._words_on_separation(), *self._words_on_convergence()]

    def _words_on_separation(self):
        if not self._separated:
            return []
        others = len(self._separated) - 1
        also = f" So it is with {others} more." if others else ""
        return [f"{self._separated[0]}{also}"]

    def _words_on_convergence(self):
        missed = {kind: count for kind, count in self._counts.items() if count.n_missed}
        if not missed:
            return []
        n_missed = sum(count.n_missed for count in missed.values())
        n_fits = sum(count.n_fits for count in self._counts.values())
        kinds = "; ".join(f"{kind} {count}" for kind, count in missed.items())
        sentences = [
            f"{n_missed} of the {n_fits} fits of the path did not converge: {kinds}.",
            *self._notes,
            self._advice(missed.values()),
        ]
        return [" ".join(sentences)]

    def warn(self):
        """A warning that says so."""
        warn_of(self.words(), ConvergenceWarning)

    def _advice(self, counts):
        own, ways = self._estimator, []
        is_exact = own.solver == "lbfgs" and np.size(own.hidden_layer_sizes) == 0
        if any(count.n_late for count in counts):
            tol = "" if is_exact else f" or tol={own.tol:g}"
            ways.append(f"increase max_iter={own.max_iter}{tol} of the estimator")
        if any(count.n_diverged for count in counts):
            ways += lower_rate(own.solver, own.learning_rate_init)
        *ways, last = [*ways, "standardise X"]
        text = f"{', '.join(ways)}, or {last}" if ways else last
        return f"{text[0].upper()}{text[1:]}."


def line_of(problems, solutions, parts):
    """What a strength has come to: features, loss, and the mean error of the parts, if any."""
    n_features, *others = [s.support.sum() if s.is_usable else np.nan for s in solutions]
    line = f"{n_features} features"
    if others:
        line += f" ({np.mean(others):.1f} in {parts})"
    line += f", loss {solutions[0].objective:.6f}"
    if others:
        mean, error = mean_errors(problems, held_out_errors(problems, [solutions]))
        line += f", mean error of {parts} {mean[0]:.6g}"
        line += f" (se {error[0]:.2g})" if len(others) > 1 else ""
    return line
