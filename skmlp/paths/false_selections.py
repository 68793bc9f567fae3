"""Bounds on the expected number of false selections that halves of the data agree on."""

import numpy as np

SLACK = 1e-9
LOG_RANGE = -30.0, 30.0
N_GRIDS, N_POINTS, N_BESIDE = 9, 400, 12


def false_bound(n_selected, n_candidates, threshold, n_subsamples, assumption):
    """The bound where n_selected of n_candidates are selected in a half (...); zero for none.

    Meinshausen and Buhlmann's, and where the halves are complementary pairs and something is
    assumed of the frequencies of noise, the lesser of that and Shah and Samworth's.
    """
    q = np.asarray(n_selected, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = q**2 / np.float64((2 * threshold - 1) * n_candidates)
    if assumption is not None and n_candidates:
        tail = {"unimodal": _unimodal_tail, "r-concave": _r_concave_tail}[assumption]
        level = int(np.ceil(threshold * n_subsamples - 1e-9))  # that many halves reach it
        tails = [tail(share, level, n_subsamples // 2) for share in np.ravel(q / n_candidates)]
        bound = np.fmin(bound, n_candidates * np.reshape(tails, q.shape))
    return np.where(q > 0, bound, 0.0)


def nothing_within(selection):
    """Words where no feature can be selected within the bound, as a list of one or none.

    The frequencies of features add up to ``n_selected``: below the threshold none can reach it.
    """
    can_reach = selection.n_selected >= selection.threshold - SLACK
    is_within = selection.false_bound <= selection.max_false
    if not can_reach.any() or (can_reach & is_within).any():
        return []
    k = np.flatnonzero(can_reach)[-1]
    least, p = selection.false_bound[can_reach].min(), selection.n_candidates
    none, ways = "", [f"max_false={1.006 * least:.3g} or more"]
    if k == len(can_reach) - 1:
        ways.append("larger strengths, at which fewer are selected")
    if selection.assumption is None:
        needed = 0.5 + selection.n_selected[k] ** 2 / (2 * selection.max_false * p)
        none = f"; the threshold would have to be {needed:.3g}, above 1" if needed > 1 else ""
        ways.append("an assumption, whose bound is lower")
    return [
        f"Nothing can be selected within max_false={selection.max_false:g}: where halves select as "
        f"many features as threshold={selection.threshold:g} needs, the bound on false ones is "
        f"{least:.3g} or more, with {p} candidates{none}. Give {', or '.join(ways)}."
    ]


def _unimodal_tail(share, level, n_pairs):
    """The largest probability that ``level`` of 2B halves select a feature: theorem 2 of the paper.

    One half selects it with a probability of ``share``. The share of the B pairs in both of whose
    halves it is selected is unimodal.
    """
    tau, odd = level / (2 * n_pairs), 1 / (2 * n_pairs)
    least = 0.5 + min(share**2, odd + 0.75 * share**2)
    if share > 1 / np.sqrt(3) or tau <= least or level < n_pairs + 2:
        return 1.0
    if tau <= 0.75:
        return share**2 / (2 * (2 * tau - 1 - odd))
    return share**2 * 4 * (1 - tau + odd) / (1 + 2 * odd)


def _r_concave_tail(share, level, n_pairs):
    """The same where the share of pairs is -1/2-concave, and the frequency -1/4-concave."""
    return min(
        1.0,
        largest_tail(share**2 * n_pairs, level - n_pairs, n_pairs, 2),
        largest_tail(share * 2 * n_pairs, level, 2 * n_pairs, 4),
    )


def largest_tail(mean, level, n, power):
    """The largest P(Z >= level) of -1/power-concave Z on 0, ..., n with this mean; 1 near the mean.

    It is that of some f(j) = (a + j)^-power for j = 0, ..., k, less at k + 1 and zero beyond, where
    the mean gives k and f(k + 1). Of a there is a grid, and finer ones about the best.
    """
    if not 2 * mean + 1 <= level <= n:
        return 1.0
    j, rows = np.arange(n + 1), np.arange(N_POINTS)
    low, high = LOG_RANGE
    for _ in range(N_GRIDS):
        log_a = np.linspace(low, high, N_POINTS)
        f = (1 / (np.exp(log_a)[:, None] + j) ** 2) ** (power / 2)
        mass, excess = f.cumsum(1), ((j - mean) * f).cumsum(1)
        excess[:, n] = np.maximum(excess[:, n], 0)  # where even k = n has less than the mean
        k = (excess <= 0).sum(1) - 1
        below = mass[:, level - 1] / (mass[rows, k] - excess[rows, k] / (k + 1 - mean))
        best = below.argmin()
        low, high = log_a[max(best - N_BESIDE, 0)], log_a[min(best + N_BESIDE, N_POINTS - 1)]
    return float(1 - below[best])
