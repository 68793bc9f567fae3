"""Several networks of one choice, from first weights of their own, and their mean as one."""

from dataclasses import replace

import numpy as np

from ...engine.paths.moving_penalty import solve_on


def train_members(task, columns, kind, n_members, train):
    """Solutions of a task on some of its features, from first weights of their own each."""
    tasks = [replace(kind.task(task), seed=(task.seed + k) % 2**32) for k in range(n_members)]
    return solve_on(tasks, [columns] * n_members, train)


def mean_solution(members):
    """The mean of networks as one; its record is theirs.

    The objective is their mean, the residual and the iterations are the largest.
    """
    from ...engine.network.mean_network import mean_network

    usable = [member for member in members if member.is_usable]
    if len(usable) < 2:
        return (usable or members)[0]
    return replace(
        usable[0],
        weights=mean_network([member.weights for member in usable]),
        objective=float(np.mean([member.objective for member in usable])),
        optimality=max(member.optimality for member in usable),
        n_iter=max(member.n_iter for member in usable),
        idle_units=_side_by_side([member.idle_units for member in usable]),
    )


def _side_by_side(idle_units):
    """Those of several networks by layer, or None where they are not all known."""
    if any(units is None for units in idle_units):
        return None
    return [np.concatenate(layer) for layer in zip(*idle_units, strict=True)]
