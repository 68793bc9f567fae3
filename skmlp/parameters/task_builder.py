"""From an estimator's parameters and data to a task of the engine."""

import warnings

import numpy as np

from ..engine.task import Program, Task
from .feature_groups import feature_groups, group_sizes
from .feature_values import feature_factors
from .layer_values import flags, hidden_sizes, rates, strengths
from .loss_values import estimator_loss

NEGLIGIBLE_ALPHA = 1e-4
LARGEST_SEED = np.iinfo(np.int32).max


def draw_seed(random_state):
    """The seed of one fit: an int as it is, the next draw of a RandomState, fresh for None."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(LARGEST_SEED))
    return int(random_state)


def build_task(
    estimator, data, seed, *, start=None, optimizer=None, samples_seen=0, incremental=False
):
    """The task of one fit; ValueError for parameters that do not go together."""
    factors, groups = _features(estimator, data)
    program = _program(estimator, data, groups if estimator.group_l1 > 0 else None)
    n_layers = program.n_layers
    l1 = strengths("l1_per_layer", estimator.l1_per_layer, n_layers)
    alpha = strengths("alpha", estimator.alpha, n_layers)
    _check_composition(estimator, program, l1)
    if data.limits is not None:
        _check_limits(estimator, program, data.limits)
    _warn_of_free_scale(program, l1, alpha, float(estimator.group_l1))
    positive = flags("positive_weights", estimator.positive_weights, n_layers)
    _warn_of_falls(program, positive)
    if data.is_monotone:
        positive = (positive[0], *[True] * (n_layers - 1))
    return Task(
        program=program,
        train=data.train,
        validation=data.validation,
        l1=l1,
        alpha=alpha,
        positive=positive,
        group_l1=float(estimator.group_l1),
        group_sizes=None if program.feature_groups is None else group_sizes(groups, factors),
        penalty_factor=factors,
        limits=_limits_in_training(program, data),
        seed=seed,
        early_stopping=estimator.early_stopping and estimator.solver != "lbfgs",
        learning_rate_init=float(estimator.learning_rate_init),
        tol=float(estimator.tol),
        max_iter=int(estimator.max_iter),
        max_fun=int(estimator.max_fun),
        n_iter_no_change=float(estimator.n_iter_no_change),
        samples_seen=samples_seen,
        start=start,
        optimizer=optimizer,
        incremental=incremental,
        verbose=bool(estimator.verbose),
    )


def _features(estimator, data):
    """(penalty factors or None, groups) of the features."""
    n_features, names = data.train.X.shape[1], getattr(estimator, "feature_names_in_", None)
    factors = feature_factors(estimator.penalty_factor, n_features, names)
    factors = _without_fixed(factors, data.limits)
    return factors, feature_groups(estimator.feature_groups, n_features, names, factors)


def _program(estimator, data, groups):
    X, y = data.train.X, data.train.y
    hidden = hidden_sizes(estimator.hidden_layer_sizes)
    return Program(
        layer_sizes=(X.shape[1], *hidden, y.shape[1]),
        activation=estimator.activation,
        loss=estimator_loss(estimator),
        solver=estimator.solver,
        normalization=estimator.normalization if hidden else None,
        dropout=rates("dropout", estimator.dropout, len(hidden)),
        n_samples=len(y),
        n_validation=0 if data.validation is None else data.validation.n_rows,
        weighted=data.train.weight is not None,
        dtype=X.dtype.name,
        device=_device(estimator.device),
        batch_size=_batch_size(estimator, len(y)),
        shuffle=bool(estimator.shuffle),
        learning_rate=estimator.learning_rate,
        power_t=float(estimator.power_t),
        momentum=float(estimator.momentum),
        nesterovs_momentum=bool(estimator.nesterovs_momentum),
        beta_1=float(estimator.beta_1),
        beta_2=float(estimator.beta_2),
        epsilon=float(estimator.epsilon),
        feature_groups=groups,
        has_intercept=bool(estimator.fit_intercept),
    )


def _device(device):
    if device is None:
        return "cpu"
    from ..engine.runtime import resolve_device

    return str(resolve_device(device))


def _batch_size(estimator, n_samples):
    if estimator.solver == "lbfgs":
        return n_samples
    if estimator.batch_size == "auto":
        return min(200, n_samples)
    if estimator.batch_size > n_samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: "
            f"batch_size={estimator.batch_size}, {n_samples} samples."
        )
    return int(np.clip(estimator.batch_size, 1, n_samples))


def _check_composition(estimator, program, l1):
    if not program.has_intercept and program.n_layers > 1:
        raise ValueError(
            "fit_intercept=False is for linear models, hidden_layer_sizes=(): got "
            f"hidden_layer_sizes={estimator.hidden_layer_sizes!r}."
        )
    if program.is_deterministic and any(program.dropout):
        raise ValueError(
            f"dropout={estimator.dropout!r} is random and solver='lbfgs' deterministic: use "
            "solver='adam' or 'sgd' with dropout."
        )
    if program.solver == "sgd" and program.momentum == 1 and (any(l1) or estimator.group_l1):
        raise ValueError(
            "momentum=1 gives steps without bound, to which no threshold belongs: use a momentum "
            f"below 1 with l1_per_layer={estimator.l1_per_layer!r}, group_l1={estimator.group_l1}."
        )
    if program.normalization == "batch" and program.batch_size == 1 < program.n_samples:
        raise ValueError(
            "normalization='batch' needs at least two rows in a batch, got batch_size=1."
        )


def _without_fixed(factors, limits):
    """The penalty factors, infinite where both limits are zero: such a feature is excluded."""
    if limits is None or limits.any(0).all():
        return factors
    factors = np.ones(limits.shape[1]) if factors is None else factors
    return np.where(limits.any(0), factors, np.inf)


def _limits_in_training(program, data):
    """Limits (2, n_features, n_units) for coefficients of training; 1 for n_units in networks."""
    if data.limits is None:
        return None
    scale = data.target.coef_scale if program.n_layers == 1 else np.ones(1)
    return data.limits[:, :, None] / scale


def _check_limits(estimator, program, limits):
    """ValueError for limits that are no signs where only signs can be held."""
    if (np.isinf(limits) | (limits == 0)).all():
        return
    given = f"lower_limits={estimator.lower_limits!r}, upper_limits={estimator.upper_limits!r}"
    if program.n_layers > 1:
        raise ValueError(
            f"lower_limits and upper_limits other than 0 and infinity are for linear models: with "
            f"hidden_layer_sizes={estimator.hidden_layer_sizes!r} they can hold signs alone, got "
            f"{given}."
        )
    if program.has_group_norms:
        raise ValueError(
            "lower_limits and upper_limits other than 0 and infinity do not go with group_l1 on "
            f"groups of several coefficients: give l1_per_layer in its place, got {given}."
        )


def _warn_of_free_scale(*numbers):
    """Warn of what there is to say of it."""
    for note in free_scale_notes(*numbers):
        warnings.warn(note)


def free_scale_notes(program, l1, alpha, group_l1):
    """Where the penalty can be escaped by moving scale from one layer into another, in words."""
    penalised = [a > 0 or b > NEGLIGIBLE_ALPHA for a, b in zip(l1, alpha, strict=True)]
    penalised[0] |= group_l1 > 0
    free, notes = [k for k, p in enumerate(penalised) if not p], []
    if any(penalised) and free:
        names = ", ".join(str(k) for k in free)
        notes.append(
            f"Layers {names} (counted from 0) have no penalty beside penalised ones: scale moves "
            "into them and the penalised weights shrink for nothing. Give l1_per_layer or alpha "
            "(more than its small default) to every layer (group_l1 is the first layer's)."
        )
    if program.normalization is not None and any(penalised[:-1]):
        notes.append(
            f"normalization={program.normalization!r} undoes the scale of the layer before it, so "
            "its penalty shrinks weights without changing the function, and only zeros matter."
        )
    return notes


def _warn_of_falls(program, positive):
    """Warn where a function may fall although all weights are non-negative."""
    from ..engine.network.activations import ACTIVATIONS

    if program.n_layers == 1 or not all(positive):
        return
    causes = []
    if not ACTIVATIONS[program.activation].increasing:
        causes.append(f"activation={program.activation!r} falls in places")
    if program.normalization == "layer":
        causes.append("normalization='layer' lowers the other units where one rises")
    if causes:
        warnings.warn(
            f"The function need not increase in every feature, with positive_weights in all layers:"
            f" {' and '.join(causes)}. For an increasing function use another activation (such as "
            "'tanh', 'logistic' or 'relu') and normalization None or 'batch'."
        )
