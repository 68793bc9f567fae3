"""Relaxed refits: networks without penalty on the features that penalised ones have selected."""

from ...engine.paths.moving_penalty import relax
from .problems import held_out_errors, mean_errors
from .trainer import finer, is_iterative

RELAXED_ITER = 50  # without a penalty, iterations are what keeps a network from overfitting
RELAXED_ROUNDS = (RELAXED_ITER, 50, 100, 200, 400)


class Refits:
    """Refits of the networks of paths."""

    def __init__(self, train, tally, say):
        self._train, self._tally, self._say = train, tally, say

    def relaxed(self, problems, fits):
        """``fits`` with each solution refitted without penalty on its support.

        Of the strengths with one support the smallest is the start. Where a refit diverges the
        solution stays.
        """
        starts = {}
        for solutions in fits:
            for k, solution in enumerate(solutions):
                starts.setdefault(_key(k, solution), solution)
        starts = {key: s.weights for key, s in starts.items() if s.is_usable and s.support.any()}
        tasks = [problems[k].task for k, _ in starts]
        refits = zip(starts, self._relax(tasks, [*starts.values()]), strict=True)
        refits = {key: refit for key, refit in refits if refit.is_usable}
        if len(refits) < len(starts):
            self._tally.note("Where a refit diverged its penalised network stays.")
        return [
            [refits.get(_key(k, solution), solution) for k, solution in enumerate(solutions)]
            for solutions in fits
        ]

    def _relax(self, tasks, starts, n_iter=RELAXED_ITER):
        tasks = finer(tasks, n_iter)
        refits = relax(tasks, starts, self._train)
        self._tally.add("relaxed refits", tasks, refits, counted_out=any(map(is_iterative, tasks)))
        return refits

    def relaxed_while_better(self, problems, solutions, least):
        """(solutions, whether relaxed, mean error): refits of a strength, trained while that helps.

        Without a penalty, iterations are what keeps a network from overfitting: as many are made as
        lower the mean error on the rows that the folds leave out, ``least`` before the first.
        """
        tasks, best = [problem.task for problem in problems], solutions
        for n_iter in RELAXED_ROUNDS if is_iterative(tasks[0]) else RELAXED_ROUNDS[:1]:
            starts = [solution.weights for solution in best if solution.is_usable]
            if len(starts) < len(best) or not all(start.support.any() for start in starts):
                break
            refits = self._relax(tasks, starts, n_iter)
            (error,), _ = mean_errors(problems, held_out_errors(problems, [refits]))
            self._say(f"Refits of {n_iter} iterations without penalty: mean error {error:.6g}")
            if not (error < least and refits[0].is_usable):
                break
            best, least = refits, error
        return best, best is not solutions, least


def _key(k, solution):
    """What solutions have in common that share a refit: problem and support, if they have one."""
    return k, solution.support.tobytes() if solution.is_usable else None
