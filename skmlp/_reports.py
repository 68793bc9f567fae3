"""What people read of a path: the fits that missed their tolerance."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from .engine.task import Status


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
