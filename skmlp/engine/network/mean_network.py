"""The mean of several networks is itself one network: their hidden units side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import block_diag

from ..task import Weights


def mean_network(members: Sequence[Weights]) -> Weights:
    """The network whose output before the link is the mean of the members' outputs.

    Deeper layers are block-diagonal, with exact zeros; the output's weights are divided by the
    number of members. There is none where units are normalised over a layer.
    """
    if any(member.gains for member in members):
        raise ValueError("units normalised over a layer have no place beside those of others")
    n_members = len(members)
    *hidden, last = zip(*(member.coefs for member in members), strict=True)
    *inner, output = zip(*(member.intercepts for member in members), strict=True)
    if not hidden:
        return Weights([np.mean(last, axis=0)], [np.mean(output, axis=0)], [], [])
    first, *deeper = hidden
    coefs = [np.hstack(first), *(block_diag(*blocks) for blocks in deeper)]
    intercepts = [np.concatenate(parts) for parts in inner]
    coefs.append(np.vstack(last) / n_members)
    return Weights(coefs, [*intercepts, np.mean(output, axis=0)], [], [])
