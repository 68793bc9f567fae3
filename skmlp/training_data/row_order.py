"""An order of the rows that does not depend on the one they come in: people's tables are sorted."""

import numpy as np
from scipy import sparse


def row_ranks(*tables, ranks=None):
    """For each row how many lie before it, by columns from left to right; equal rows share it.

    Tables are of shape (n_rows, n_columns), dense or sparse; ``ranks`` are those by columns before.
    Affine maps of columns keep the ranks, but for the sign, as a StandardScaler before this does.
    """
    ranks = np.zeros(tables[0].shape[0], dtype=np.intp) if ranks is None else ranks.copy()
    for column in (column for table in tables for column in _columns(table)):
        tied = np.flatnonzero(np.bincount(ranks)[ranks] > 1)
        if not tied.size:
            break
        ranks[tied] = _refined(ranks[tied], column(tied))
    return ranks


def _columns(table):
    """Functions that give the values of a column in some rows."""
    if sparse.issparse(table):
        table = table.tocsc()
        return (lambda rows, j=j: table[:, [j]].toarray()[rows, 0] for j in range(table.shape[1]))
    return (lambda rows, column=column: column[rows] for column in table.T)


def _refined(ranks, values):
    """Ranks of tied rows, told apart by their values."""
    order = np.lexsort((values, ranks))
    ranks, values = ranks[order], values[order]
    places = np.arange(len(ranks))
    is_new_rank = np.append(True, ranks[1:] != ranks[:-1])
    is_new = is_new_rank | np.append(True, values[1:] != values[:-1])
    firsts = [np.maximum.accumulate(np.where(new, places, 0)) for new in (is_new, is_new_rank)]
    refined = np.empty_like(ranks)
    refined[order] = ranks + firsts[0] - firsts[1]
    return refined


def drawn_folds(n_folds, unit, rng, strata=None):
    """The fold (n_rows,) of each row, drawn at random; rows of one unit lie in the same.

    ``unit`` (n_rows,) are their numbers. Each goes to the smallest fold so far: to one with the
    fewest rows of the unit's most frequent class, where ``strata`` (n_rows,) are the rows' classes.
    Where they are labels, (n_rows, n_labels) of bool, it is the unit's rarest label, and units with
    the rarest come first, those without any last (as Sechidis and others 2011).
    """
    _, unit, n_members = np.unique(unit, return_inverse=True, return_counts=True)
    strata = np.zeros(len(unit)) if strata is None else strata
    if strata.ndim == 1:
        classes, place = np.unique(strata, return_inverse=True)
        members = _sums(np.eye(len(classes), dtype=np.intp)[place], unit)
        order, stratum = rng.permutation(len(members)), members.argmax(axis=1)
    else:
        members = _sums(strata[:, np.argsort(strata.sum(axis=0), kind="stable")], unit)
        stratum = np.where(members.any(axis=1), (members > 0).argmax(axis=1), members.shape[1])
        members = np.column_stack([members, np.zeros(len(members), dtype=np.intp)])
        order = rng.permutation(len(members))
        order = order[np.argsort(stratum[order], kind="stable")]
    fold_of, n_rows = np.empty(len(members), dtype=np.intp), np.zeros((n_folds, members.shape[1]))
    sizes = np.zeros(n_folds)
    for one in order:
        fold_of[one] = fold = np.lexsort((sizes, n_rows[:, stratum[one]]))[0]
        n_rows[fold] += members[one]
        sizes[fold] += n_members[one]
    return fold_of[unit]


def _sums(table, unit):
    """Sums of a table's rows by unit."""
    sums = np.zeros((unit.max() + 1, table.shape[1]), dtype=np.intp)
    np.add.at(sums, unit, table)
    return sums
