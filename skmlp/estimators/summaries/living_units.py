"""Which units of a network count for something."""

import numpy as np


def connected_units(coefs):
    """Units of each layer (n_units,) that weights join to a feature and to an output."""
    reached, reaching = [], [np.ones(coefs[-1].shape[1], dtype=bool)]
    from_features = np.ones(coefs[0].shape[0], dtype=bool)
    for coef in coefs:
        from_features = from_features @ (coef != 0)
        reached.append(from_features)
    for coef in coefs[:0:-1]:
        reaching.append((coef != 0) @ reaching[-1])
    return [a & b for a, b in zip(reached, reaching[::-1], strict=True)]


def living_units(coefs, idle_units):
    """Those of them that training rows move, where it is known which do not."""
    alive = connected_units(coefs)
    for k, idle in enumerate(idle_units or ()):
        alive[k] = alive[k] & ~idle
    return alive
