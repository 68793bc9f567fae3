"""What there is to say of a fit in words, beside what was warned of."""

from ..publication import lower_rate
from .living_units import connected_units

LITTLE = 0.01  # of the loss of the best constant


def advice_of(model, record, alive):
    """Sentences on a fitted network: the warnings of its fit, then what its numbers show."""
    advice = [*record.notes, *_on_loss(model, record)]
    if all(coef.any() for coef in model.coefs_):
        advice += _on_units(model, record.solver, alive)
    return advice


def _on_loss(model, record):
    """A loss no better than that of a constant."""
    if not record.explained < LITTLE:
        return []
    return [
        f"The loss of the training rows, {record.loss:.4g}, is hardly better than that of the best "
        f"constant, {record.constant_loss:.4g}, or no better: lower the penalties, train longer "
        f"(n_iter_={model.n_iter_}), or standardise X."
    ]


def _on_units(model, solver, alive):
    """Hidden units that count for nothing, and why."""
    advice, connected = [], connected_units(model.coefs_)
    ways = [*lower_rate(solver, model.learning_rate_init), "standardise X"]
    for k, (living, joined) in enumerate(zip(alive[:-1], connected, strict=False)):
        n_units, n_cut, n_idle = living.size, int((~joined).sum()), int((joined & ~living).sum())
        of_layer = f"of the {n_units} units of layer {k} (counted from 0)"
        if n_cut:
            advice.append(
                f"{n_cut} {of_layer} are cut off by zeros: a layer of {n_units - n_cut} has the "
                "same predictions."
            )
        if n_idle:
            advice.append(
                f"{n_idle} {of_layer} are moved by no training row, so that nothing trains them: "
                f"{', '.join(ways)}, or take another activation than {model.activation!r}, such as "
                "'leaky_relu'."
            )
    return advice
