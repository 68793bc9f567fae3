"""The networks of paths as fitted estimators, with the parameters that they were trained with."""

from copy import deepcopy
from dataclasses import replace

import numpy as np

from ...estimators.prediction import linear_outputs
from ...estimators.summaries.fit_record import mean_loss
from .trainer import is_iterative

PLAIN = (int, float, str, type(None))


def published(plan, problem, solution, strength):
    """The estimator, fitted, with the solution of the whole data at a strength.

    Its parameters are those of the task; factors of the adaptive penalty are in
    ``penalty_factor``, where they multiply L2 too.
    """
    task = plan.scheme.at(problem.task, strength)
    parameters = {plan.param: plan.scheme.l1_ratio * float(strength)}
    if plan.scheme.l1_ratio < 1:
        parameters["alpha"] = task.alpha[0]
    if task.adaptive_factor is not None:
        parameters["penalty_factor"] = given_factors(task)
    return _fitted(plan, problem._replace(task=task), solution, parameters)


def published_relaxed(plan, problem, solution, kind=None):
    """The estimator, fitted, with a refit: no penalty but the L2 of its kind, others excluded.

    The L2 of the mean of several networks is the mean of theirs. That iterations have ended is what
    was asked for, and no news.
    """
    task = problem.task.without_penalty() if kind is None else kind.task(problem.task)
    excluded = np.where(solution.support, 1.0, np.inf)
    parameters = {"group_l1": 0.0, "l1_per_layer": 0.0, "alpha": 0.0, "penalty_factor": excluded}
    if kind is not None:
        parameters |= {"activation": kind.activation, "alpha": kind.alpha}
    if plan.is_linear and parameters["alpha"] == 0:
        free = replace(problem.task.without_penalty(), penalty_factor=excluded)
        plan.tally.add_free("A refit without penalty", free, solution)
    sizes = tuple(len(intercept) for intercept in solution.weights.intercepts[:-1])
    is_mean = sizes != task.program.layer_sizes[1:-1]
    if is_mean:
        n_members = sizes[0] // task.program.layer_sizes[1]
        alpha = [*[kind.alpha / n_members] * len(sizes), kind.alpha * n_members]
        parameters |= {"hidden_layer_sizes": sizes, "alpha": alpha}
        ends = task.program.layer_sizes[0], task.program.layer_sizes[-1]
        program = replace(task.program, layer_sizes=(ends[0], *sizes, ends[1]))
        task = replace(task, program=program, alpha=tuple(alpha))
    model = _fitted(plan, problem._replace(task=task), solution, parameters)
    if is_mean:
        model._record = model._record._replace(loss=mean_loss(task, solution.weights))
    if is_iterative(task):
        model._record = model._record.of_refit(solution.optimality)
    return model


def _fitted(plan, problem, solution, parameters):
    model = _twin(plan.blank)
    vars(model).update(parameters)
    take_features(model, plan.estimator)
    model._adopt(problem.task, problem.data, solution, {})
    return model


def _twin(blank):
    """As ``clone(blank)``, which would read signatures for each of many networks of a path.

    What is a plain value can be shared, as callbacks are by clones.
    """
    twin = object.__new__(type(blank))
    for name, value in vars(blank).items():
        is_shared = isinstance(value, PLAIN) or name == "_skl_callbacks"
        vars(twin)[name] = value if is_shared else deepcopy(value)
    return twin


def predictions(models, X):
    """Those of several networks (n_samples, n_models, n_outputs); of linear ones by one product."""
    n_outputs = models[0].n_outputs_
    if len(models[0].coefs_) > 1 or models[0].out_activation_ != "identity":
        each = [model._predict(X).reshape(-1, n_outputs) for model in models]
        return np.stack(each, axis=1)
    coefs, intercepts = zip(*((m.coefs_[0], m.intercepts_[0]) for m in models), strict=True)
    return linear_outputs(X, coefs, intercepts)


def take_features(model, estimator):
    """Let the model have seen the features, and classes, that an estimator has."""
    for name in estimator._seen:
        vars(model).pop(name, None)
        if hasattr(estimator, name):
            setattr(model, name, getattr(estimator, name))


def given_factors(task):
    """The multipliers of the penalty that moves, those of the adaptive one included, or None."""
    given = [f for f in (task.penalty_factor, task.adaptive_factor) if f is not None]
    return np.prod(given, axis=0) if given else None
