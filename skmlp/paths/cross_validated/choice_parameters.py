"""Which parameters of a choice along a path go together."""

import numpy as np


def check_choice(chosen, compares):
    """ValueError for parameters of a PathCV that do not go together.

    ``compares`` says whether alphas are.
    """
    if compares and chosen.relaxed is False:
        raise ValueError(
            "alphas are those of relaxed refits, which are compared and used: with "
            f"relaxed=False give alphas=False, got {chosen.alphas!r}."
        )
    if not compares and chosen.n_average not in ("auto", 1):
        raise ValueError(
            f"n_average={chosen.n_average} is the number of refits, whose smoothness alphas "
            "give: give alphas too."
        )
    ratios = np.atleast_1d(np.asarray(chosen.l1_ratio))
    is_list = ratios.ndim == 1 and ratios.size and ratios.dtype.kind in "iuf"
    if not is_list or not ((ratios >= 0) & (ratios <= 1)).all():
        raise ValueError(f"l1_ratio must hold numbers in [0, 1], got {chosen.l1_ratio!r}.")
    if chosen.keep_folds == "nested" and np.iterable(chosen.cv) and not hasattr(chosen.cv, "split"):
        raise ValueError(
            "keep_folds='nested' chooses anew in each fold, by folds of its rows: give cv as a "
            f"number or a splitter, got the splits {chosen.cv!r:.60}."
        )
    if not isinstance(chosen.alphas, str | bool):
        alphas = np.asarray(chosen.alphas)
        is_list = alphas.ndim == 1 and alphas.size and alphas.dtype.kind in "iuf"
        if not is_list or not (np.isfinite(alphas) & (alphas >= 0)).all():
            raise ValueError(f"alphas must be finite numbers >= 0, got {chosen.alphas!r}.")
