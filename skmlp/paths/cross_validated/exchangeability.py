"""Whether the rows that folds leave out stand for new ones, as intervals need it."""

from numbers import Integral

import numpy as np

GUARANTEE = "the guarantee of predict_interval, which is for exchangeable rows, is lost"


def why_not_exchangeable(cv, folds, groups=None):
    """Why rows may not be exchangeable, by how they are split, and what is lost; or None.

    ``folds`` are pairs of row numbers (training, held-out) that ``cv`` gave.
    """
    if groups is not None:
        return (
            f"groups were given, whose rows are alike: {GUARANTEE}. Rows of new groups are covered "
            "about as often as asked for where there are many groups, and less evenly where there "
            "are few."
        )
    if cv is None or isinstance(cv, Integral):
        return None
    held_out = [rows for _, rows in folds]
    if _are_runs(held_out):
        return (
            f"cv leaves out rows that follow each other: where they come in an order, {GUARANTEE}, "
            "and rows beyond the last ones may be covered less often than asked for. Where the "
            "order means nothing, cv=5 draws folds at random."
        )
    if not _are_left_out_once(folds):
        return (
            f"cv leaves out some rows several times, or never: {GUARANTEE}, as it is for folds "
            "that leave out each row once. cv=5 draws such folds."
        )
    return None


def _are_runs(held_out):
    """Whether each fold's rows follow each other, in folds that have more than one."""
    ends = [(min(rows), max(rows), len(set(rows))) for rows in held_out]
    is_run = all(last - first + 1 == n for first, last, n in ends)
    return is_run and max(n for _, _, n in ends) > 1


def _are_left_out_once(folds):
    """Whether each row that is used is left out by one fold, which trains on all others."""
    rows = np.sort(np.concatenate([held_out for _, held_out in folds]))
    if (np.diff(rows) == 0).any():
        return False
    return all(np.array_equal(np.sort(np.concatenate(fold)), rows) for fold in folds)
