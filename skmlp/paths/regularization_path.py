"""Penalty paths: the networks at each strength, from dense to sparse, and their relaxed refits."""

from copy import copy
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import validate_params

from ..estimators.summaries.text_tables import frame_of
from ..parameters.task_builder import draw_seed
from ..training_data.fit_data import checked_arrays
from ..training_data.plain_arrays import checked_rows
from .records import EqualByValue, described
from .running.base_network import base_network, settle_alpha
from .running.folds import checked_groups, folds
from .running.initial_networks import N_JUDGES
from .running.path_plan import PATH_CONSTRAINTS, PathPlan
from .running.problems import problems_of, strata_of
from .running.published_networks import (
    given_factors,
    predictions,
    published,
    published_relaxed,
)

EPS_OF_NETWORKS = 1e-3


@dataclass(frozen=True, repr=False, eq=False)
class RegularizationPath(EqualByValue):
    """The networks of a penalty path, from dense to sparse.

    Paths are equal where their numbers are, and the weights of their networks.

    Attributes
    ----------
    param : str
        The penalty that moves, 'group_l1' or 'l1_per_layer'.

    strengths : ndarray of shape (n_strengths,)
        Its strengths, ascending.

    models : list of RegularizedMLPRegressor or RegularizedMLPClassifier
        The fitted network at each strength. Its parameters are those it was trained with; factors
        of the adaptive penalty are in its ``penalty_factor``, where a refit takes them for L2 too.

    relaxed_models : list of RegularizedMLPRegressor or RegularizedMLPClassifier, or None
        The network at each strength refitted without penalty on the features it has selected (the
        others are excluded by its ``penalty_factor``);
        neighbours with the same support are the same object. Where a refit diverges, the network
        itself.

    support : ndarray of shape (n_strengths, n_features) of bool
        Which features are selected at each strength.

    n_features : ndarray of shape (n_strengths,)
        Number of features selected at each strength.

    n_groups : ndarray of shape (n_strengths,)
        The same where the columns of a group count once, if a group penalty holds them together:
        with ``param='l1_per_layer'`` only where the estimator has a ``group_l1`` beside it.

    feature_norms : ndarray of shape (n_strengths, n_features)
        Importances of the features at each strength (``feature_importances_``).

    objective, optimality : ndarray of shape (n_strengths,)
        F and its residual at each strength.

    r2, relaxed_r2 : ndarray of shape (n_strengths,)
        R2 on the training data, of classifiers the share of the deviance that is explained;
        ``relaxed_r2`` is None without relaxed refits.

    penalty_factor : ndarray of shape (n_features,) or None
        The multipliers of the features' penalties, those of the adaptive penalty included.

    feature_names : ndarray of shape (n_features,) or None
        Names of the features where they are known.
    """

    param: str
    strengths: np.ndarray
    models: list
    relaxed_models: list | None
    support: np.ndarray
    n_features: np.ndarray
    n_groups: np.ndarray
    feature_norms: np.ndarray
    objective: np.ndarray
    optimality: np.ndarray
    r2: np.ndarray
    relaxed_r2: np.ndarray | None
    penalty_factor: np.ndarray | None
    feature_names: np.ndarray | None

    def __repr__(self):
        refits = "" if self.relaxed_models is None else ", with relaxed refits"
        return (
            f"<RegularizationPath of {self.param}: {described(self.strengths)}; "
            f"{self.n_features[0]} to {self.n_features[-1]} of {self.support.shape[1]} features"
            f"{refits}>"
        )

    @property
    def coefs(self):
        """``coefs_`` of the model at each strength."""
        return [model.coefs_ for model in self.models]

    @property
    def intercepts(self):
        """``intercepts_`` of the model at each strength."""
        return [model.intercepts_ for model in self.models]

    def coef_at(self, strength):
        """Coefficients of a linear model at a strength, also between those of the path.

        There they are linear in the strength from neighbour to neighbour, as those of glmnet's
        ``coef(s=)``: exact for a lasso where no feature comes in on the way. The exact solution
        (glmnet's ``exact=TRUE``) is that of a path with ``strengths=[strength]``.

        Parameters
        ----------
        strength : float
            Between the smallest and the largest of ``strengths``.

        Returns
        -------
        coef : ndarray of shape (n_features, n_outputs)

        Raises
        ------
        ValueError
            For strengths outside, and for networks with hidden layers.
        """
        return self._linear_at(strength)[0]

    def intercept_at(self, strength):
        """The intercept of a linear model at a strength; see :meth:`coef_at`.

        Parameters
        ----------
        strength : float
            Between the smallest and the largest of ``strengths``.

        Returns
        -------
        intercept : ndarray of shape (n_outputs,)

        Raises
        ------
        ValueError
            For strengths outside, and for networks with hidden layers.
        """
        return self._linear_at(strength)[1]

    def predict(self, X, strength):
        """Predict with the network at a strength.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        strength : float
            One of ``strengths``. For linear models also one between them, with the coefficients of
            :meth:`coef_at`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, in the units of y.

        Raises
        ------
        ValueError
            For other strengths.
        """
        return self._predict(checked_rows(self.models[0], X), strength)

    def _predict(self, X, strength, offset=None):
        return self._model_at(strength)._predict(X, offset)

    def _model_at(self, strength):
        """The network at a strength, of linear ones also between those of the path."""
        models, shares = self._neighbours(strength)
        model = models[0]
        if len(models) > 1:
            coef, intercept = _mean(models, shares)
            model = copy(model)
            model.coefs_, model.intercepts_ = [coef], [intercept]
        return model

    @property
    def _is_linear(self):
        return len(self.models[0].coefs_) == 1

    def _linear_at(self, strength):
        """(coef, intercept) of a linear model at a strength."""
        if not self._is_linear:
            raise ValueError(
                "Coefficients at a strength are those of linear models (hidden_layer_sizes=()): "
                "models has the networks, at strengths."
            )
        return _mean(*self._neighbours(strength))

    def _neighbours(self, strength):
        """(models, shares): those whose mean stands for a strength, one at each of the path's."""
        ours, place = self.strengths, "one of the path's"
        if isinstance(strength, Real):
            near = np.flatnonzero(np.isclose(ours, strength, rtol=1e-6, atol=0))
            if near.size:
                return [self.models[near[0]]], [1.0]
            if self._is_linear and ours[0] < strength < ours[-1]:
                k = int(np.searchsorted(ours, strength))
                share = float((strength - ours[k - 1]) / (ours[k] - ours[k - 1]))
                return self.models[k - 1 : k + 1], [1 - share, share]
        if self._is_linear:
            place = "within the path's"
        raise ValueError(f"strength must be {place}, {described(ours)}, got {strength!r}.")

    def to_frame(self):
        """The path as a table.

        Returns
        -------
        frame : pandas.DataFrame of shape (n_strengths, n_columns)
            With the columns ``strength``, ``n_features``, ``n_groups``, ``objective``,
            ``optimality``, ``r2`` and, with relaxed refits, ``relaxed_r2``.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        names = ["n_features", "n_groups", "objective", "optimality", "r2", "relaxed_r2"]
        columns = {name: getattr(self, name) for name in names}
        columns = {name: column for name, column in columns.items() if column is not None}
        return frame_of({"strength": self.strengths, **columns})


def _mean(models, shares):
    """(coef, intercept): the weighted mean of linear models."""
    pairs = [*zip(models, shares, strict=True)]
    coef = sum(share * model.coefs_[0] for model, share in pairs)
    return coef, sum(share * model.intercepts_[0] for model, share in pairs)


@validate_params(
    {
        **PATH_CONSTRAINTS,
        "estimator": [*PATH_CONSTRAINTS["estimator"], None],
        "relaxed": ["boolean"],
        "cv": ["cv_object"],
    },
    prefer_skip_nested_validation=True,
)
def regularization_path(
    estimator,
    X,
    y,
    *,
    param="group_l1",
    n_strengths=50,
    eps=None,
    strengths=None,
    l1_ratio=1.0,
    adaptive="auto",
    relaxed=True,
    n_init=1,
    cv=None,
    n_jobs=None,
    sample_weight=None,
    offset=None,
    groups=None,
    verbose=False,
):
    """Fit a network at each strength of a penalty, from dense to sparse.

    The strengths go from a smallest one to the one at which no feature is left, each fit from the
    weights of the one before: from the other end there is no way, since a network of zeros has no
    gradient. The solutions are local minima.

    Parameters
    ----------
    estimator : RegularizedMLPRegressor, RegularizedMLPClassifier or None
        The network; None is :func:`default_network`, with ``alpha=7`` for sample weights of mean
        one. Its later layers need a penalty, ``alpha`` or ``l1_per_layer``, unless it is
        ``l1_per_layer`` that moves: else the first layer's could be escaped by moving scale into
        them, and there would be no minimiser. A network that has only its small default ``alpha``
        gets that of the default one, with a warning.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data. Standardise them, unless their units are to count.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, or labels of classes.

    param : {'group_l1', 'l1_per_layer'}, default='group_l1'
        The penalty that moves: the group lasso of the input features, or L1 on every layer.

    n_strengths : int, default=50
        Number of strengths between ``eps`` times the largest and the largest. The end is exact
        for linear models. With hidden layers it is an estimate: the path ends when nothing is
        left, with fewer strengths or with more.

    eps : float, default=None
        The smallest strength over the largest. None is 1e-3 for networks with hidden layers (1e-2
        of wide data, more columns than rows and than two hundred) and, as in glmnet, 1e-2 for
        linear models with more features than rows and 1e-4 for others. These then end, where they
        are least squares by ``solver='lbfgs'``, as glmnet's do: from the fifth strength on, counted
        from the largest, below the first that explains more than .999 of the
        variance of y, or by less than 1e-5 of what it explains more than the strength above it.
        With a number there are ``n_strengths`` of them in any case.

    strengths : array-like of shape (n_strengths,), default=None
        Strengths to use instead, > 0.

    l1_ratio : float, default=1.0
        Share of the strength that is L1 (or the group penalty); the rest is L2 on every layer, as
        in the elastic net, in the place of ``alpha``. 0 is ridge regression, for linear models:
        all features stay, and the largest strength is, as glmnet's, a thousand times the lasso's.

    adaptive : bool or 'auto', default='auto'
        Whether to divide the penalty of each feature (not its L2) by the root mean square
        derivative of an initial network with respect to it (the adaptive lasso [1]_), relative to
        the largest and by a hundredth of it at least. The initial network has the plain penalty at
        the strength that predicts held-out rows best. 'auto' is True for ``group_l1`` with hidden
        layers. Where columns are more than rows, and than two hundred, the initial network is of
        the features of a lasso on all of them, their squares and their products, and paths of
        networks start from it without ``adaptive``, too; see Notes.

    relaxed : bool, default=True
        Whether to refit, at each support, without penalty: least squares for linear models, at most
        50 iterations from the penalised network with hidden layers.

    n_init : int, default=1
        Number of first weights that are tried at the smallest strength; the best objective wins.

    cv : int, cross-validation generator or iterable, default=None
        The folds of the initial network (see ``adaptive``), of which two are used; None are five.
        With ``groups`` a number of folds is that of a ``GroupKFold``.

    n_jobs : int or None, default=None
        Number of threads; None is one, negative ones count from the number of cores.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights >= 0.

    offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Known summands of the outputs, see ``RegularizedMLPRegressor.fit``.

    groups : array-like of shape (n_samples,), default=None
        Group labels of rows that depend on each other (of one patient, one site): the folds of the
        initial network keep them together.

    verbose : bool, default=False
        Whether to print a line for each strength.

    Returns
    -------
    path : RegularizationPath

    Raises
    ------
    ValueError
        For data or parameters that do not fit together, and when training diverges at every
        strength. Strengths at which it diverges are left out, with a warning, where others are
        left.

    Notes
    -----
    Where columns are more than rows, and than two hundred, a network of all of them has nothing but
    noise to start from. So every feature, square and product of two features is scored against what
    a lasso leaves, and initial networks are of the features of a lasso of these, at the strength
    that predicts held-out rows best. Along the path the gradient with respect to the weights of
    every feature is checked, so that each network is a local minimum over all of them. A feature
    that acts only through products of three or more, or through a function that neither its values
    nor their squares follow, is not looked for; where pairs are too many (2e12 rows times pairs) a
    warning says which products were left out.

    References
    ----------
    .. [1] Zou, "The adaptive lasso and its oracle properties", 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor, regularization_path
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=10, activation="tanh", solver="lbfgs",
    ...                               alpha=5, random_state=0)
    >>> path = regularization_path(mlp, X.apply(scale), y, n_strengths=10, adaptive=False)
    >>> path.models[-2].selected_features_
    array(['bmi', 's5'], dtype=object)
    """
    model = base_network(estimator, param, l1_ratio)
    arrays = checked_arrays(model, X, y, sample_weight, offset, reset=True, all_rows=True)
    settle_alpha(model, estimator, arrays[2], param, l1_ratio)
    seed = draw_seed(model.random_state)
    plan = PathPlan(model, param, l1_ratio, n_init, n_jobs, verbose)
    groups = checked_groups(groups, len(arrays[1]))
    judges = ()
    if plan.needs_judges(adaptive, arrays):
        judges = folds(cv, arrays, seed, groups, strata=strata_of(model, arrays)).folds
    problems = problems_of(model, arrays, judges[:N_JUDGES], seed)
    problems, starts = plan.ready(problems, adaptive)
    whole, starts = problems[:1], None if starts is None else starts[:1]
    eps = plan.settle_eps(eps, EPS_OF_NETWORKS, problems[0])
    strengths, fits = plan.run(whole, starts, n_strengths, eps, strengths)
    refits = plan.refits.relaxed(whole, fits) if relaxed else None
    path = path_of(plan, problems[0], strengths, fits, refits)
    plan.tally.warn()
    return path


def path_of(plan, problem, strengths, fits, refits, kind=None):
    """The path of the whole data, the first of the problems whose solutions these are."""
    models = [
        published(plan, problem, solutions[0], strength)
        for solutions, strength in zip(fits, strengths, strict=True)
    ]
    relaxed_models = None
    if refits is not None:
        relaxed_models = _relaxed_models(plan, problem, models, fits, refits, kind)
    support = np.array([model.get_support() for model in models])
    return RegularizationPath(
        param=plan.param,
        strengths=strengths,
        models=models,
        relaxed_models=relaxed_models,
        support=support,
        n_features=support.sum(1),
        n_groups=_n_groups(problem.task, support),
        feature_norms=np.array([model.feature_importances_ for model in models]),
        objective=np.array([model.objective_ for model in models]),
        optimality=np.array([model.optimality_ for model in models]),
        r2=_scores(models, problem),
        relaxed_r2=None if refits is None else _scores(relaxed_models, problem),
        penalty_factor=given_factors(problem.task),
        feature_names=getattr(plan.estimator, "feature_names_in_", None),
    )


def _n_groups(task, support):
    """How many groups the features in each support (n_strengths, n_features) are of."""
    group = np.array(task.program.feature_groups or range(support.shape[1]))
    return np.array([np.unique(group[inside]).size for inside in support])


def _relaxed_models(plan, problem, models, fits, refits, kind):
    """The networks of the refits, each once; where one diverged the network itself."""
    distinct = {}
    for model, (solution, *_), (refit, *_) in zip(models, fits, refits, strict=True):
        if id(refit) not in distinct:
            stays = refit is solution and model.get_support().any()
            distinct[id(refit)] = model if stays else published_relaxed(plan, problem, refit, kind)
    return [distinct[id(refit)] for refit, *_ in refits]


def _scores(models, problem):
    """R2, or what stands for it, of the models on the training rows, each computed once."""
    data, y, offset = problem.data.train, problem.data.y, problem.data.offset
    X, distinct = data.matrix(), {id(model): model for model in models}
    if problem.task.program.loss.quadratic and offset is None:
        each = _r2_of_all([*distinct.values()], X, y, data.weight)
    else:
        if problem.task.program.loss.out_activation == "ordered":
            offset = None if offset is None else offset[:, :1]
        each = [model._explained(X, y, data.weight, offset) for model in distinct.values()]
    scores = dict(zip(distinct, each, strict=True))
    return np.array([scores[id(model)] for model in models])


def _r2_of_all(models, X, y, weight):
    """R2 of several regressors (n_models,), by one product where they are linear."""
    outputs = predictions(models, X).reshape(len(y), -1)
    how = {"sample_weight": weight, "multioutput": "raw_values"}
    each = r2_score(np.tile(y, len(models)), outputs, **how)
    return each.reshape(len(models), -1).mean(1)
