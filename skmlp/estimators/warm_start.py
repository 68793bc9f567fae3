"""What a fit leaves for one that goes on from it: the network as it was trained."""

from typing import NamedTuple

import numpy as np

from ..engine.task import Solution, Weights
from ..training_data.target_scale import TargetScale


class Trained(NamedTuple):
    """A network in the units of training, and the scale of y that makes the published one of it.

    Published weights are folded and in the units of y. While nobody has edited them, training goes
    on from what they were made of: under batch normalisation the solver's averages belong to the
    unfolded weights, and rounding to the units of y and back would be amplified.
    """

    target: TargetScale
    plain: Weights
    unfolded: Weights

    @classmethod
    def of(cls, target, solution: Solution):
        """Copies, since the published arrays may be edited in place."""
        plain = _copied(solution.weights)
        return cls(target, plain, plain if solution.unfolded is None else solution.unfolded)

    def weights(self, target, normalization) -> Weights:
        """The network in the units of ``target``, as one of that normalisation goes on from it."""
        weights = _copied(self.unfolded if normalization == "batch" else self.plain, np.float64)
        if self.target.is_same(target):
            return weights
        return target.from_units(self.target.to_units(weights))

    def published(self, weights):
        """Whether these weights are the published ones of this network."""
        own = self.target.to_units(self.plain)
        return all(
            len(arrays) == len(others)
            and all(
                np.array_equal(a.astype(b.dtype), b) for a, b in zip(arrays, others, strict=True)
            )
            for arrays, others in zip(own, weights, strict=True)
        )


def start_from(trained, published: Weights, target, normalization) -> Weights:
    """The weights to go on from in the units of ``target``: those trained, or those edited."""
    if trained is not None and trained.published(published):
        return trained.weights(target, normalization)
    return target.from_units(_copied(published, np.float64))


def _copied(weights, dtype=None):
    return Weights(*([np.array(array, dtype=dtype) for array in arrays] for arrays in weights))
