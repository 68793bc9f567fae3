"""From a solution of the engine to fitted attributes and warnings."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..engine.task import Status


def lower_rate(solver, rate):
    """What to try against divergence beside scaling X, as a list."""
    return [] if solver == "lbfgs" else [f"lower learning_rate_init={rate:g}"]


def diverged(task):
    """The message for a training that has left nothing usable."""
    ways = ["Scale X (StandardScaler in a Pipeline)"]
    ways += lower_rate(task.program.solver, task.learning_rate_init)
    return (
        "Solver produced non-finite parameter weights. The input data may contain large values and "
        f"need to be preprocessed. {' or '.join(ways)}."
    )


def fitted_attributes(task, data, solution, before):
    """The public attributes of a fit; ``before`` holds those a warm start goes on from.

    What was trained is the task: parameters of its estimator may have another meaning or none.
    """
    program = task.program
    weights = data.target.to_units(solution.weights)
    dtype = data.train.X.dtype
    if data.limits is not None and program.n_layers == 1:
        coef = _within_limits(solution.weights.coefs[0], weights.coefs[0], task, data)
        weights = weights._replace(coefs=[coef])
    attributes = {
        "coefs_": [coef.astype(dtype, copy=False) for coef in weights.coefs],
        "intercepts_": [intercept.astype(dtype, copy=False) for intercept in weights.intercepts],
        "n_features_in_": program.layer_sizes[0],
        "n_layers_": len(weights.coefs) + 1,
        "n_outputs_": program.layer_sizes[-1],
        "out_activation_": program.loss.out_activation,
        "n_iter_": solution.n_iter,
        "t_": 0,
        "objective_": float(solution.objective),
        "optimality_": float(solution.optimality),
        "sparsity_": np.array([np.mean(coef == 0) for coef in weights.coefs]),
    }
    if program.normalization == "layer":
        attributes["layer_norm_gains_"] = weights.gains
        attributes["layer_norm_shifts_"] = weights.shifts
    if solution.dual_gap is not None:
        gap = solution.dual_gap
        attributes["dual_gap_"] = float(gap[0]) if len(gap) == 1 else gap
    attributes |= _history(task, solution, before)
    return attributes


def _within_limits(trained, coef, task, data):
    """Coefficients in the units of y, without what rounding has added: at limits where trained."""
    coef = np.clip(coef, *data.limits[:, :, None])
    for limits, bounds in zip(data.limits, task.limits, strict=True):
        rounding = 4 * np.finfo(trained.dtype).eps * np.abs(bounds)
        at_bound = np.isfinite(bounds) & (np.abs(trained - bounds) <= rounding)
        coef = np.where(at_bound, limits[:, None], coef)
    return coef


def _history(task, solution, before):
    """The record of the epochs, appended to that of the fits it goes on from."""
    if solution.loss_curve is None:
        return {"loss_": float(solution.objective)}
    loss_curve = [*before.get("loss_curve_", ()), *solution.loss_curve]
    stops_early = task.early_stopping
    scores = losses = None
    if task.validation is not None:
        losses = [*(before.get("validation_loss_curve_") or ()), *solution.validation_losses]
    if stops_early:
        scores = [*(before.get("validation_scores_") or ()), *solution.validation_scores]
    return {
        "loss_": loss_curve[-1] if loss_curve else float(solution.objective),
        "loss_curve_": loss_curve,
        "best_loss_": None if stops_early else min(loss_curve, default=np.inf),
        "validation_scores_": scores,
        "best_validation_score_": solution.validation_score,
        "validation_loss_curve_": losses,
        "t_": before.get("t_", 0) + solution.n_iter * task.train.n_rows,
    }


def check_solution(task, attributes, solution):
    """ValueError for a training that has left nothing usable."""
    finite = all(np.isfinite(w).all() for w in attributes["coefs_"] + attributes["intercepts_"])
    if not (finite and solution.is_usable):
        raise ValueError(diverged(task))


def warn_of(notes, category=UserWarning):
    """A warning for each of some notes."""
    for note in notes:
        warnings.warn(note, category)


def warn_of_status(task, attributes, solution):
    """The warnings that scikit-learn's MLP gives, and that a layer has become zero."""
    for note, category in status_notes(task, attributes["coefs_"], solution):
        warnings.warn(note, category)


def status_notes(task, coefs, solution):
    """What there is to say of how a training ended: (words, category of the warning)."""
    zero = [k for k, coef in enumerate(coefs) if not coef.any()]
    ended = _words_on_end(task, solution)
    notes = [] if ended is None else [ended]
    if zero and len(coefs) > 1:
        words = (
            f"All weights of layers {zero} (counted from 0) are zero: the model is a constant. "
            "Lower l1_per_layer or alpha, or start from other weights (random_state)."
        )
        notes.append((words, UserWarning))
    return notes


def _words_on_end(task, solution):
    """(words, category) where a training has not converged, or None."""
    if solution.status is Status.INTERRUPTED:
        return "Training interrupted by user.", UserWarning
    if solution.status is Status.DIVERGED:
        words = (
            "The loss became non-finite; the best weights before that are kept. Scale X or lower "
            f"learning_rate_init={task.learning_rate_init}."
        )
        return words, ConvergenceWarning
    if solution.status is not Status.MAX_ITER:
        return None
    if solution.loss_curve is None:
        words = (
            f"lbfgs failed to converge after {solution.n_iter} iteration(s): {solution.message}. "
            f"The optimality residual is {solution.optimality:.1e} (tol={task.tol:g}). "
            "Increase max_iter or max_fun, or scale the data."
        )
        return words, ConvergenceWarning
    words = (
        f"Stochastic Optimizer: Maximum iterations ({task.max_iter}) reached and the "
        "optimization hasn't converged yet."
    )
    return words, ConvergenceWarning


def separation_notes(task, solution, classes):
    """Words on classes that nothing keeps from being told apart for ever: no minimum is there."""
    if task.early_stopping or task.incremental:
        return []
    message = separation_message(task, solution, classes)
    return [] if message is None else [message]


def separation_message(task, solution, classes):
    """What a solution tells apart for ever, or None; ``classes`` are the labels in order."""
    from ..engine.linear.programming.separation import separation

    found = separation(task, solution.weights)
    if found is None:
        return None
    return (
        f"{_told_apart(task, found, classes)}: the loss has no minimum, it falls for as long as "
        f"weights grow. Where they end is a matter of tol={task.tol:g} and "
        f"max_iter={task.max_iter}. Give a penalty, such as alpha=1."
    )


def _told_apart(task, found, classes):
    if found.is_complete:
        return "All rows are classified rightly, and nothing is penalised"
    y, loss = task.train.y, task.program.loss
    strata = loss.strata(y)
    if strata is None:
        names = f"labels {classes[found.outputs].tolist()}"
    else:
        names = f"classes {classes[np.unique(strata[found.rows]).astype(int)].tolist()}"
    return (
        f"{found.rows.sum()} of {len(y)} rows, in {names}, can be told apart from all others "
        "(quasi-complete separation), by weights that are not penalised"
    )
