"""The penalty of a network chosen by cross-validation along its path."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    MultiOutputMixin,
    RegressorMixin,
    _fit_context,
)
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..estimators.feature_selection import SelectsFeatures
from ..estimators.method_guards import all_or_nothing
from ..parameters.task_builder import draw_seed
from ..training_data.fit_data import checked_arrays
from .records import frame_of
from .regularization_path import path_of
from .running.base_network import (
    base_network,
    default_as_code,
    default_network,
    mean_weight,
    settle_alpha,
)
from .running.choosing import choose_along_path, choose_on_surface, warn_of_disagreement
from .running.folds import checked_groups, folds
from .running.path_plan import EPS_OF_CHOICES, PATH_CONSTRAINTS, PathPlan
from .running.problems import Judge, mean_errors, problems_of, strata_of
from .running.published_networks import take_features
from .running.refit_surface import Smoothness

REFIT_ACTIVATION = "tanh"  # where no network is given
DEFAULT_AVERAGE = 5
DEFAULT_ALPHAS = (1e-3, 0.01, 0.1, 0.5, 2.0, 6.0, 20.0, 60.0)  # for sample weights of mean one


class _Along(NamedTuple):
    """Paths: how they were run, for which problems, and the solutions at each strength."""

    plan: PathPlan
    problems: list
    strengths: np.ndarray
    fits: list


def _of_estimator(name):
    """An attribute of ``estimator_``: read from it and assigned to it."""

    def get(self):
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, name)

    def assign(self, value):
        check_is_fitted(self, "estimator_")
        setattr(self.estimator_, name, value)

    return property(get, assign, doc=f"``{name}`` of ``estimator_``.")


class PathCV(SelectsFeatures, MetaEstimatorMixin, BaseEstimator):
    """What the estimators chosen along a path share: the choice, and the network chosen."""

    _parameter_constraints: dict = {
        **PATH_CONSTRAINTS,
        "estimator": [*PATH_CONSTRAINTS["estimator"], None],
        "relaxed": ["boolean", StrOptions({"auto"})],
        "selection": [StrOptions({"min", "1se"})],
        "alphas": ["array-like", "boolean", StrOptions({"auto"})],
        "n_average": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "l1_ratio": [*PATH_CONSTRAINTS["l1_ratio"], "array-like"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "subsample": [Interval(Integral, 1, None, closed="left"), None],
        "keep_path": ["boolean"],
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        param="group_l1",
        n_strengths=20,
        eps=None,
        strengths=None,
        l1_ratio=1.0,
        adaptive="auto",
        relaxed="auto",
        selection="min",
        n_init=1,
        alphas="auto",
        n_average="auto",
        scoring=None,
        subsample=5000,
        cv=None,
        keep_path=True,
        n_jobs=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.param = param
        self.n_strengths = n_strengths
        self.eps = eps
        self.strengths = strengths
        self.l1_ratio = l1_ratio
        self.adaptive = adaptive
        self.relaxed = relaxed
        self.selection = selection
        self.n_init = n_init
        self.alphas = alphas
        self.n_average = n_average
        self.scoring = scoring
        self.subsample = subsample
        self.cv = cv
        self.keep_path = keep_path
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _fit(self, data, groups):
        """Fit the paths of (X, y, weights, offset) and choose."""
        with all_or_nothing(self):
            self._check_choice()
            ratios = np.atleast_1d(self.l1_ratio).astype(float)
            runs = [self._run(ratio, data, groups) for ratio in ratios]
            best = int(np.argmin([choice.mse for _, choice in runs]))
            if np.ndim(self.l1_ratio):
                self.l1_ratio_ = float(ratios[best])
            self._publish(*runs[best])
        return self

    def _check_choice(self):
        """ValueError for parameters that do not go together."""
        compares = self._compares_alphas()
        if compares and self.relaxed is False:
            raise ValueError(
                "alphas are those of relaxed refits, which are compared and used: with "
                f"relaxed=False give alphas=False, got {self.alphas!r}."
            )
        if not compares and self.n_average not in ("auto", 1):
            raise ValueError(
                f"n_average={self.n_average} is the number of refits, whose smoothness alphas "
                "give: give alphas too."
            )
        ratios = np.atleast_1d(np.asarray(self.l1_ratio))
        is_list = ratios.ndim == 1 and ratios.size and ratios.dtype.kind in "iuf"
        if not is_list or not ((ratios >= 0) & (ratios <= 1)).all():
            raise ValueError(f"l1_ratio must hold numbers in [0, 1], got {self.l1_ratio!r}.")
        if not isinstance(self.alphas, str | bool):
            alphas = np.asarray(self.alphas)
            is_list = alphas.ndim == 1 and alphas.size and alphas.dtype.kind in "iuf"
            if not is_list or not (np.isfinite(alphas) & (alphas >= 0)).all():
                raise ValueError(f"alphas must be finite numbers >= 0, got {self.alphas!r}.")

    def _compares_alphas(self):
        """Whether refits of several alphas are compared."""
        if isinstance(self.alphas, str):
            return self.estimator is None and self.relaxed is not False
        return self.alphas is not False

    def _kinds(self, base, weight):
        """The kinds of refits; default alphas are for weights of mean one."""
        activation = REFIT_ACTIVATION if self.estimator is None else base.activation
        alphas = self.alphas
        if isinstance(alphas, str | bool):
            alphas = np.multiply(DEFAULT_ALPHAS, mean_weight(weight))
        return [Smoothness(activation, float(alpha)) for alpha in np.unique(alphas)]

    def _run(self, l1_ratio, data, groups):
        """The paths at a share of L1, and the choice along them."""
        base = base_network(self._checked_estimator(), self.param, l1_ratio, self._default)
        arrays = checked_arrays(base, *data, reset=True, all_rows=True)
        settle_alpha(base, self.estimator, arrays[2], self.param, l1_ratio)
        seed, groups = draw_seed(base.random_state), checked_groups(groups, len(arrays[1]))
        plan = PathPlan(base, self.param, l1_ratio, self.n_init, self.n_jobs, self.verbose)
        compares = self._compares_alphas()
        most_rows, strata = self.subsample if compares else None, strata_of(base, arrays)
        split = folds(self.cv, arrays, seed, groups, most_rows, strata)
        problems = problems_of(base, arrays, split.folds, seed, split.chosen, self._judge(base))
        problems, starts = plan.ready(problems, self.adaptive)
        eps = plan.settle_eps(self.eps, EPS_OF_CHOICES, problems[0])
        strengths, fits = plan.run(problems, starts, self.n_strengths, eps, self.strengths)
        along = _Along(plan, problems, strengths, fits)
        if not compares:
            return along, choose_along_path(*along, self.relaxed, self.selection)
        whole = problems[0]
        if split.chosen is not split.order:
            (whole,) = problems_of(base, arrays, (), seed, split.order)
        kinds = self._kinds(base, arrays[2])
        return along, choose_on_surface(*along, whole, kinds, self._n_members(base), self.selection)

    def _n_members(self, base):
        """Of how many networks the one chosen is the mean."""
        has_mean = base.normalization != "layer"
        if self.n_average == "auto":
            return DEFAULT_AVERAGE if has_mean else 1
        if self.n_average > 1 and not has_mean:
            raise ValueError(
                f"n_average={self.n_average}: networks with normalization='layer' have no mean "
                "that is one network; give n_average=1."
            )
        return self.n_average

    def _judge(self, base):
        """How folds are judged, None by the loss."""
        return None if self.scoring is None else Judge(check_scoring(base, self.scoring), base)

    def _checked_estimator(self):
        """The network; ValueError for one of another kind."""
        wanted = type(self._default())
        if hasattr(self.estimator, "_takes_labels") and not isinstance(self.estimator, wanted):
            raise ValueError(
                f"estimator must be a {wanted.__name__}, got {type(self.estimator).__name__}, "
                f"which goes with {type(self.estimator).__name__}CV."
            )
        return self.estimator

    def _publish(self, along, choice):
        """Set the attributes."""
        plan, problems, strengths, fits = along
        path = path_of(plan, problems[0], strengths, fits, choice.refits)
        if self.keep_path:
            self.path_ = path
        self.strengths_, self.n_features_path_ = strengths, path.n_features
        self.mse_path_ = choice.errors
        self.mse_mean_, self.mse_se_ = mean_errors(problems, choice.errors)
        self.index_min_, self.index_1se_ = choice.index_min, choice.index_1se
        self.strength_min_ = float(strengths[choice.index_min])
        self.strength_1se_ = float(strengths[choice.index_1se])
        self.strength_ = 0.0 if choice.index is None else float(strengths[choice.index])
        self.relaxed_, self.mse_, self.cv_results_ = choice.relaxed, choice.mse, choice.results
        if choice.alpha is not None:
            self.alpha_ = choice.alpha
        self.estimator_ = choice.model
        take_features(self, plan.estimator)
        self._say_choice(plan.say, choice)
        plan.tally.warn()
        warn_of_disagreement(choice.errors, choice.index)

    def _say_choice(self, say, choice):
        if choice.refits is not None:
            for strength, error in zip(self.strengths_, self.mse_mean_, strict=True):
                say(f"Refits at {self.param} = {strength:.4g}: mean error {error:.6g}")
        n_features = int(self.estimator_.get_support().sum())
        kind = "" if not self.relaxed_ else ", refitted"
        kind += "" if choice.alpha is None else f" with alpha = {choice.alpha:.4g}"
        say(
            f"Chosen: {self.param} = {self.strength_:.4g}, {n_features} features{kind}, "
            f"mean error {self.mse_:.6g}"
        )

    def set_params(self, **params):
        """Set the parameters of this estimator, and of ``estimator`` by ``estimator__name``.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self : object
        """
        inner = [name for name in params if name.startswith("estimator__")]
        if inner and params.get("estimator", self.estimator) is None:
            raise ValueError(
                f"{inner[0]!r} is a parameter of the network, and estimator is None: give one, "
                f"such as {type(self).__name__}({default_as_code(self._default())}), "
                "which is what None stands for."
            )
        return super().set_params(**params)

    coefs_ = _of_estimator("coefs_")
    intercepts_ = _of_estimator("intercepts_")
    feature_importances_ = _of_estimator("feature_importances_")

    def _rows_and_model(self, X, strength):
        """X, checked, and the network that predicts for it."""
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return X, self.estimator_ if strength is None else self._model_at(strength)

    def _model_at(self, strength):
        """The network of the path at a strength."""
        if not hasattr(self, "path_"):
            raise ValueError(f"strength={strength!r} is one of the path's, and keep_path=False.")
        return self.path_._model_at(strength)

    def to_frame(self):
        """What was compared, as a table.

        Returns
        -------
        frame : pandas.DataFrame
            The columns of ``cv_results_``, a row for each network that was compared, and ``mark``:
            "chosen", and where they are others "min" and "1se" for the least error of the chosen
            alpha and the sparsest within one standard error of it.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        check_is_fitted(self, "estimator_")
        frame = frame_of(self.cv_results_)
        of_alpha = np.isclose(frame["alpha"], self.alpha_) if hasattr(self, "alpha_") else True
        frame["mark"] = ""
        marks = {"1se": self.strength_1se_, "min": self.strength_min_, "chosen": self.strength_}
        for mark, strength in marks.items():
            frame.loc[of_alpha & (frame["strength"] == strength), "mark"] = mark
        return frame

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._default() if self.estimator is None else self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.target_tags.positive_only = inner.target_tags.positive_only
        return tags


class RegularizedMLPRegressorCV(MultiOutputMixin, RegressorMixin, PathCV):
    """Network with its features and its smoothness chosen by cross-validation along a path.

    What :class:`sklearn.linear_model.LassoCV` and R's cv.glmnet are to the lasso. The paths of the
    whole data and of all folds are trained together. By default they select features, and networks
    of these, smooth by ``alpha`` alone, are compared: what is used is what the folds have compared.

    Parameters
    ----------
    estimator : RegularizedMLPRegressor, default=None
        The network of the path. None is ``default_network()``, one hidden layer of 50 units with
        ReLU and ``alpha=7``, which counts for sample weights of mean one, whatever their sum; its
        refits have tanh instead. One seed is drawn from its ``random_state`` for folds and first
        weights: with None the choice changes from run to run.

    param : {'group_l1', 'l1_per_layer'}, default='group_l1'
        The penalty that moves: the group lasso of the input features, or L1 on every layer.

    n_strengths : int, default=20
        Number of strengths; see :func:`regularization_path`.

    eps : float, default=None
        The smallest strength over the largest. None is 1e-6 for networks with hidden layers, and
        1e-2 where columns are more than rows, and than two hundred; for linear models it is that
        of :func:`regularization_path`, whose path on all data may end sooner.

    strengths : array-like of shape (n_strengths,), default=None
        Strengths to use instead, > 0.

    l1_ratio : float or array-like, default=1.0
        Share of the strength that is L1 (or the group penalty); the rest is L2 on every layer. Of
        several the one of the least mean error is chosen, as in ElasticNetCV. 0 is ridge
        regression, for linear models; see :func:`regularization_path`.

    adaptive : bool or 'auto', default='auto'
        Whether to divide the penalty of each feature by the root mean square derivative of an
        initial network with respect to it, each fold's by its own. 'auto' is True for
        ``group_l1`` with hidden layers. See :func:`regularization_path` for what initial networks
        look at where columns are more than rows.

    relaxed : bool or 'auto', default='auto'
        Where no alphas are compared: whether the networks that are compared, and the one that is
        chosen, are refitted without penalty on the features selected. With 'auto' penalised
        networks are compared, and the one chosen is refitted, for as many iterations as lower the
        mean error of the folds, if any do; without hidden layers 'auto' is False, as in LassoCV.

    selection : {'min', '1se'}, default='min'
        'min' chooses the strength of the least mean error, '1se' the largest whose mean error is
        within one standard error of it. Where alphas are compared 'min' takes the largest alpha
        with an error within half a standard error of the least, and '1se' the sparsest network,
        and of these the smoothest, within one.

    n_init : int, default=1
        Number of first weights that are tried in each fold; the best objective wins.

    alphas : array-like, bool or 'auto', default='auto'
        L2 strengths of refits that are compared, in the place of the networks of the path: on the
        features that each strength selects, and on all of them, without the penalty that moves.
        Their iterations end where ten of them gain less than .3 % of the objective. True are
        .001, .01, .1, .5, 2, 6, 20 and 60, for sample weights of mean one; 'auto' is True where no
        estimator is given, else False.

    n_average : int or 'auto', default='auto'
        Number of refits, from first weights of their own, of which the network chosen is the mean:
        one network of so many times the hidden units. 'auto' is five where alphas are compared.

    scoring : str or callable, default=None
        A scorer that the choice is made by; errors are then minus its scores. None is the loss.

    subsample : int or None, default=5000
        Where alphas are compared and folds are drawn here, the largest number of rows that the
        choice is made on, drawn at random; the network chosen is trained on all rows.

    cv : int, cross-validation generator or iterable, default=None
        How to split. A number, and None for five, are folds of rows drawn at random, since tables
        are often sorted: the choice is the same in whatever order the rows come, and equal rows, or
        ``groups``, lie in the same fold. Give ``KFold(5)`` for folds in the order of the rows, as
        scikit-learn's own estimators have, and ``TimeSeriesSplit`` for rows in time.

    keep_path : bool, default=True
        Whether ``path_`` is kept, with a network a strength: most of what a pickle holds.

    n_jobs : int or None, default=None
        Number of threads; None is one, negative ones count from the number of cores.

    verbose : bool, default=False
        Whether to print a line for each strength, with its mean error of the folds, for relaxed
        refits and for the choice.

    Attributes
    ----------
    estimator_ : RegularizedMLPRegressor
        The network chosen, fitted on all data. Its parameters are those that it was trained with:
        where ``relaxed_``, no penalty that moves, and infinity in ``penalty_factor`` for the
        features that are out, so that a clone fitted again uses the same features. Without alphas
        such a clone goes from first weights for up to ``max_iter`` iterations, where the refit went
        from the penalised network for ``n_iter_`` in its last round, and may overfit: lower
        ``max_iter``. The mean of several refits has their mean ``objective_``, the largest
        ``optimality_`` and ``n_iter_`` of theirs, and the ``alpha`` by layer with which its
        L2 is the mean of theirs.

    strength_ : float
        Its strength; 0 where the network of all features is chosen.

    alpha_ : float
        Its alpha, where alphas are compared.

    l1_ratio_ : float
        The share of L1 chosen, where several are given.

    relaxed_ : bool
        Whether it is a relaxed refit; not where no feature is left, or the refit diverged.

    mse_ : float
        Its mean error on the rows that the folds leave out, as in ``mse_mean_``; of the refit where
        ``relaxed_``. That of the mean of several is smaller: this is that of one of them.

    cv_results_ : dict of ndarray
        A table of the networks that were compared: ``strength`` (0 for all features), ``alpha``,
        ``n_features`` selected from all data, ``mean_error``, ``se_error`` and ``fold0_error`` and
        so on. Of strengths and alphas all of the one are looked at for the best of the other, until
        errors rise twice.

    strengths_ : ndarray of shape (n_strengths,)
        All strengths, ascending.

    mse_path_ : ndarray of shape (n_strengths, n_folds)
        Mean error on the rows that each fold leaves out: the squared error, in the squared units of
        y, for other losses their deviance, and minus the score of a ``scoring``. Of refits where
        ``relaxed=True``, and where alphas are compared of those with the alpha chosen, NaN where
        they were not looked at. With several outputs the mean over them, where with ``normalize_y``
        each counts as in the loss that is minimised: its error over its variance in all data (its
        deviance over its mean).

    mse_mean_, mse_se_ : ndarray of shape (n_strengths,)
        Mean over the folds, and its standard error sd / sqrt(n_folds); as in cv.glmnet, folds count
        by the total weight of the rows left out.

    n_features_path_ : ndarray of shape (n_strengths,)
        Number of features selected from all data.

    strength_min_, index_min_ : float, int
        The strength of the least mean error, and its place among ``strengths_``.

    strength_1se_, index_1se_ : float, int
        The largest strength whose mean error is within one standard error of the least.

    path_ : RegularizationPath
        The networks fitted on all data (on ``subsample`` rows of more); with ``relaxed=True`` their
        refits as well.

    coefs_, intercepts_ : list of ndarray
        Those of ``estimator_``.

    n_features_in_ : int
        Number of features seen during fit.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features, where X has names that are all strings.

    See Also
    --------
    regularization_path : The path alone.
    sklearn.linear_model.LassoCV : The linear case.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp import RegularizedMLPRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RegularizedMLPRegressorCV(n_strengths=10)
    >>> _ = make_pipeline(StandardScaler(), model).fit(X, y)
    >>> model.alpha_
    20.0
    """

    _default = staticmethod(default_network)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, *, offset=None, groups=None):
        """Fit the paths and choose.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, in training and in the errors. A row of weight 0 counts as left out.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, see ``RegularizedMLPRegressor.fit``, in training and in
            the errors.

        groups : array-like of shape (n_samples,), default=None
            Group labels, for splitters that keep groups together.

        Returns
        -------
        self : RegularizedMLPRegressorCV

        Raises
        ------
        ValueError
            For data or parameters that do not fit together, when no error is finite, and when
            training on all data diverges at every strength that leaves features; else strengths
            at which it diverges are left out, with a warning.
        """
        return self._fit((X, y, sample_weight, offset), groups)

    def predict(self, X, offset=None, *, strength=None):
        """Predict with the network chosen, or with one of the path.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs; None is 0, of which a model that was fitted with an
            offset warns once.

        strength : float, default=None
            One of ``strengths_``, to predict with the network of the path there, under its penalty
            (``path_.models``); for linear models also one between them, with the coefficients of
            ``path_.coef_at``. None is the network chosen.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, in the units of y.
        """
        X, model = self._rows_and_model(X, strength)
        return model._predict(X, offset)

    def score(self, X, y, sample_weight=None, offset=None):
        """That of the network chosen: R2, or the share of the loss that is explained.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.

        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, see ``predict``.

        Returns
        -------
        score : float
            R2 or D2, see ``RegularizedMLPRegressor.score``.
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.score(X, y, sample_weight, offset)
