"""The strengths along which paths are run."""

from dataclasses import dataclass

import numpy as np

MOST_BEYOND_END = 1.0  # further strengths, over the number asked for
STRENGTH_OF_NOTHING = 1e-15  # of every model of a path on which no feature can leave


@dataclass(frozen=True)
class Grid:
    """Ascending strengths, which ``ratio`` goes on with until nothing is left, if it is not None.

    ``is_given`` where they are not chosen by the data.
    """

    strengths: np.ndarray
    ratio: float | None = None
    is_given: bool = False

    def __iter__(self):
        yield from self.strengths
        last = self.strengths[-1]
        while self.ratio is not None:
            last = last * self.ratio
            yield last


def checked_strengths(strengths):
    """Ascending; ValueError for what are no strengths."""
    try:
        ascending = np.sort(np.asarray(strengths, dtype=float))
    except (TypeError, ValueError) as error:
        raise ValueError(f"strengths must hold numbers, got {strengths!r}.") from error
    is_list = ascending.ndim == 1 and ascending.size > 0
    if not is_list or not (np.isfinite(ascending) & (ascending > 0)).all():
        raise ValueError(
            f"strengths must be a list of finite numbers > 0, got {np.asarray(strengths).tolist()}."
        )
    return ascending
