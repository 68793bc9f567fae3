"""The penalty of a network chosen by cross-validation along its path."""

import warnings

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    MultiOutputMixin,
    RegressorMixin,
    _fit_context,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..estimators.feature_selection import SelectsFeatures
from ..estimators.method_guards import all_or_nothing
from ..estimators.publication import lower_rate
from ..parameters.task_builder import draw_seed
from ..training_data.fit_data import checked_arrays
from .regularization_path import path_of
from .running.base_network import (
    DEFAULT_ALPHA,
    DEFAULT_AS_CODE,
    default_network,
    heed_weights,
    is_plain,
    mean_weight,
    with_penalty,
)
from .running.folds import folds
from .running.path_plan import PATH_CONSTRAINTS, PathPlan
from .running.problems import held_out_errors, mean_errors, problems_of
from .running.published_networks import published, published_relaxed, take_features


def _of_estimator(name):
    """An attribute of ``estimator_``: read from it and assigned to it."""

    def get(self):
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, name)

    def assign(self, value):
        check_is_fitted(self, "estimator_")
        setattr(self.estimator_, name, value)

    return property(get, assign, doc=f"``{name}`` of ``estimator_``.")


class RegularizedMLPRegressorCV(
    SelectsFeatures, MetaEstimatorMixin, MultiOutputMixin, RegressorMixin, BaseEstimator
):
    """Network with the strength of its penalty chosen by cross-validation along the path.

    What :class:`sklearn.linear_model.LassoCV` and R's cv.glmnet are to the lasso. The paths of the
    whole data and of all folds are trained together.

    Parameters
    ----------
    estimator : RegularizedMLPRegressor, default=None
        The network. None is ``RegularizedMLPRegressor(solver="lbfgs", alpha=7, tol=3e-3,
        random_state=0)``: one hidden layer of 100 units with ReLU; this alpha counts for sample
        weights of mean one, whatever their sum. One seed is drawn from its ``random_state`` for
        all folds: with None the choice changes from run to run.

    param : {'group_l1', 'l1_per_layer'}, default='group_l1'
        The penalty that moves: the group lasso of the input features, or L1 on every layer.

    n_strengths : int, default=20
        Number of strengths; see :func:`regularization_path`.

    eps : float, default=1e-6
        The smallest strength over the largest.

    strengths : array-like of shape (n_strengths,), default=None
        Strengths to use instead, > 0.

    l1_ratio : float, default=1.0
        Share of the strength that is L1 (or the group penalty); the rest is L2 on every layer.

    adaptive : bool or 'auto', default='auto'
        Whether to divide the penalty of each feature by the root mean square derivative of an
        initial network with respect to it, each fold's by its own. 'auto' is True for
        ``group_l1`` with hidden layers.

    relaxed : bool or 'auto', default='auto'
        Whether the networks that are compared, and the one that is chosen, are refitted without
        penalty on the features selected. With 'auto' penalised networks are compared, and the one
        chosen is refitted, for as many iterations as lower the mean error of the folds, if any do;
        without hidden layers 'auto' is False, as in LassoCV.

    selection : {'min', '1se'}, default='min'
        The strength to choose: that of the least mean error, or the largest whose mean error is
        within one standard error of it.

    n_init : int, default=1
        Number of first weights that are tried in each fold; the best objective wins.

    cv : int, cross-validation generator or iterable, default=None
        How to split; None are five folds, in the order of the rows.

    n_jobs : int or None, default=None
        Number of threads; None is one, negative ones count from the number of cores.

    verbose : bool, default=False
        Whether to print a line for each strength, with its mean error of the folds, for relaxed
        refits and for the choice.

    Attributes
    ----------
    estimator_ : RegularizedMLPRegressor
        The network chosen, fitted on all data. Its parameters are those that it was trained with:
        where ``relaxed_``, no penalty, and infinity in ``penalty_factor`` for the features that are
        out, so that a clone fitted again uses the same features. With hidden layers such a clone
        goes from first weights for up to ``max_iter`` iterations, where the refit went from the
        penalised network for ``n_iter_`` in its last round, and may overfit: lower ``max_iter``.

    strength_ : float
        Its strength.

    relaxed_ : bool
        Whether it is a relaxed refit; not where no feature is left, or the refit diverged.

    mse_ : float
        Its mean error on the rows that the folds leave out, as in ``mse_mean_``; of the refit where
        ``relaxed_``.

    strengths_ : ndarray of shape (n_strengths,)
        All strengths, ascending.

    mse_path_ : ndarray of shape (n_strengths, n_folds)
        Mean squared error on the rows that each fold leaves out, in the squared units of y; mean
        Poisson deviance for that loss. Of refits where ``relaxed=True``. With several outputs the
        mean over them, where with ``normalize_y`` each counts as in the loss that is minimised: its
        error over its variance in all data (its deviance over its mean).

    mse_mean_, mse_se_ : ndarray of shape (n_strengths,)
        Mean over the folds, and its standard error sd / sqrt(n_folds); as in cv.glmnet, folds count
        by the total weight of the rows left out.

    n_features_path_ : ndarray of shape (n_strengths,)
        Number of features selected from all data.

    strength_min_ : float
        The strength of the least mean error.

    strength_1se_ : float
        The largest strength whose mean error is within one standard error of the least.

    path_ : RegularizationPath
        The networks fitted on all data; with ``relaxed=True`` their refits as well.

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
    >>> model = RegularizedMLPRegressorCV(n_strengths=10, selection="1se")
    >>> _ = make_pipeline(StandardScaler(), model).fit(X, y)
    >>> model.strength_ == model.strength_1se_ >= model.strength_min_
    True
    """

    _parameter_constraints: dict = {
        **PATH_CONSTRAINTS,
        "estimator": [*PATH_CONSTRAINTS["estimator"], None],
        "relaxed": ["boolean", StrOptions({"auto"})],
        "selection": [StrOptions({"min", "1se"})],
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        param="group_l1",
        n_strengths=20,
        eps=1e-6,
        strengths=None,
        l1_ratio=1.0,
        adaptive="auto",
        relaxed="auto",
        selection="min",
        n_init=1,
        cv=None,
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
        self.cv = cv
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, *, groups=None):
        """Fit the paths and choose.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, in training and in the errors. A row of weight 0 counts as left out.

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
        with all_or_nothing(self):
            base = with_penalty(self._base(), self.param, self.l1_ratio)
            arrays = checked_arrays(base, X, y, sample_weight, reset=True, all_rows=True)
            self._heed_weights(base, arrays[2])
            splits = folds(self.cv, arrays, groups)
            plan = PathPlan(base, self.param, self.l1_ratio, self.n_init, self.n_jobs, self.verbose)
            problems = problems_of(base, arrays, splits, draw_seed(base.random_state))
            self._choose_along(plan, problems)
            take_features(self, base)
        return self

    def _base(self):
        """The network, with an L2 that a path can do with where it was given none."""
        if self.estimator is None:
            return default_network()
        base = clone(self.estimator)
        return base.set_params(alpha=DEFAULT_ALPHA) if self._lacks_l2() else base

    def _lacks_l2(self):
        """Whether the network given has only the small default alpha, and the path needs one."""
        moves_first_layer_alone = self.param == "group_l1" and self.l1_ratio == 1
        return self.estimator is not None and moves_first_layer_alone and is_plain(self.estimator)

    def _heed_weights(self, base, weight):
        """alpha is divided by the sum of weights: the default one is meant for a mean of one."""
        if self.estimator is not None and not self._lacks_l2():
            heed_weights(base, weight, self.l1_ratio)
        elif self.l1_ratio == 1:
            base.set_params(alpha=DEFAULT_ALPHA * mean_weight(weight))
        if self._lacks_l2():
            warnings.warn(
                "The path of group_l1 needs a penalty on the later layers, and the estimator has "
                f"only its default alpha={self.estimator.alpha}: alpha={base.alpha:.4g} is taken. "
                "Give alpha, or an l1_ratio below one, to choose it."
            )

    def _choose_along(self, plan, problems):
        """Run the paths, choose the strength, and publish."""
        problems, starts = plan.ready(problems, self.adaptive)
        settings = self.n_strengths, self.eps, self.strengths
        strengths, fits = plan.run(problems, starts, *settings)
        refits = None
        if self.relaxed != "auto" and self.relaxed:
            refits = plan.refits.relaxed(problems, fits)
        self.path_ = path_of(plan, problems[0], strengths, fits, refits)
        self.mse_path_ = held_out_errors(problems, refits or fits)
        self.mse_mean_, self.mse_se_ = mean_errors(problems, self.mse_path_)
        self.strengths_, self.n_features_path_ = strengths, self.path_.n_features
        chosen = self._choose(plan.estimator)
        self.strength_ = float(strengths[chosen])
        (solution, *_), self.mse_ = (refits or fits)[chosen], float(self.mse_mean_[chosen])
        self.relaxed_ = solution is not fits[chosen][0]
        if self.relaxed == "auto" and not plan.is_linear:
            (solution, *_), self.relaxed_, self.mse_ = plan.refits.relaxed_while_better(
                problems, fits[chosen], self.mse_
            )
        self.estimator_ = (
            published_relaxed(plan, problems[0], solution)
            if self.relaxed_
            else published(plan, problems[0], solution, self.strength_)
        )
        self._say_choice(plan.say, self.n_features_path_[chosen])
        plan.tally.warn()

    def _say_choice(self, say, n_features):
        if self.path_.relaxed_models is not None:
            for strength, error in zip(self.strengths_, self.mse_mean_, strict=True):
                say(f"Refits at {self.param} = {strength:.4g}: mean error {error:.6g}")
        say(
            f"Chosen: {self.param} = {self.strength_:.4g}, {n_features} features"
            f"{', refitted' if self.relaxed_ else ''}, mean error {self.mse_:.6g}"
        )

    def _choose(self, base):
        """The place of the strength chosen, by the errors."""
        mean, standard_error = self.mse_mean_, self.mse_se_
        if not np.isfinite(mean).any():
            ways = ["scale X", *lower_rate(base.solver, base.learning_rate_init)]
            raise ValueError(
                f"No strength has a finite error in every fold; {', '.join(ways)}, or use more "
                "rows a fold."
            )
        best = len(mean) - 1 - np.nanargmin(mean[::-1])  # of equal ones the sparsest
        bound = mean[best] + np.nan_to_num(standard_error[best])
        sparsest = np.flatnonzero(mean <= bound)[-1]
        self.strength_min_ = float(self.strengths_[best])
        self.strength_1se_ = float(self.strengths_[sparsest])
        return best if self.selection == "min" else sparsest

    def set_params(self, **params):
        """Set the parameters of this estimator, and of ``estimator`` by ``estimator__name``.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self : RegularizedMLPRegressorCV
        """
        inner = [name for name in params if name.startswith("estimator__")]
        if inner and params.get("estimator", self.estimator) is None:
            raise ValueError(
                f"{inner[0]!r} is a parameter of the network, and estimator is None: give one, "
                f"such as RegularizedMLPRegressorCV({DEFAULT_AS_CODE}), "
                "which is what None stands for."
            )
        return super().set_params(**params)

    coefs_ = _of_estimator("coefs_")
    intercepts_ = _of_estimator("intercepts_")
    feature_importances_ = _of_estimator("feature_importances_")

    def predict(self, X):
        """Predict with the network chosen.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, in the units of y.
        """
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return self.estimator_._predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._base())
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.target_tags.positive_only = inner.target_tags.positive_only
        return tags
