"""The paths of an estimator that is chosen along them, as callbacks are told of them."""

import numpy as np

from ...callbacks.path_tasks import NO_PATHS, PathTasks
from ..running.published_networks import published


def path_tasks(told, plan, problems, split):
    """The paths of the whole data and of folds as parts of a fit."""
    if not told:
        return NO_PATHS
    is_all = split.chosen is split.order
    rows = [None if is_all else np.sort(split.chosen), *(rows for rows, _ in split.folds)]

    def attributes_of(k, solution, strength):
        """Those of the estimator with the network of a path for the one that it chooses."""
        if not solution.is_usable:
            return None
        model = published(plan, problems[k], solution, strength)
        seen = {name: getattr(model, name) for name in model._seen if hasattr(model, name)}
        return {**seen, "estimator_": model, "strength_": float(strength)}

    return PathTasks(told, rows, attributes_of)
