"""Solutions of wide networks in memory for the features that they use alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..task import Solution, Weights


class OnUsedFeatures:
    """A solution whose first layer is kept without its rows of zeros.

    ``weights`` are those of all features, made when they are asked for; all else is the solution's.
    """

    def __init__(self, solution: Solution) -> None:
        self.support = solution.support
        weights = solution.weights.restrict(np.flatnonzero(self.support))
        self._inner = replace(solution, weights=weights, optimizer={})

    @property
    def weights(self) -> Weights:
        """Those of all features."""
        return self._inner.weights.embed(np.flatnonzero(self.support), self.support.size)

    def __getattr__(self, name: str):
        if name.startswith("__"):  # what copies look up before there is an inner solution
            raise AttributeError(name)
        return getattr(self._inner, name)
