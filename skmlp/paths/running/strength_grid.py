"""The strengths along which paths are run."""

from dataclasses import dataclass

import numpy as np

MOST_BEYOND_END = 1.0  # further strengths, over the number asked for
SMALLEST, SMALLEST_OF_WIDE = 1e-6, 1e-2  # of the end, by default
STRENGTH_OF_NOTHING = 1e-15  # of every model of a path on which no feature can leave


@dataclass(frozen=True)
class Grid:
    """Ascending strengths. ``ratio`` goes on until nothing is left, None where they are given."""

    strengths: np.ndarray
    ratio: float | None = None

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
