"""What estimators share that are chosen by cross-validation along a path."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
)
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ...callbacks.fit_tasks import begin_fit
from ...callbacks.support import CallbackSupportMixin
from ...doc_links import DocLinks
from ...estimators.export.methods import Exports
from ...estimators.export.pickled_state import SaysVersions
from ...estimators.method_guards import all_or_nothing
from ...estimators.publication import warn_of
from ...parameters.task_builder import draw_seed
from ...training_data.fit_data import checked_arrays
from ..regularization_path import path_of
from ..running.base_network import (
    base_network,
    default_as_code,
    mean_weight,
    settle_alpha,
)
from ..running.choosing import choose_along_path, choose_on_surface, disagreement_notes
from ..running.folds import checked_groups, folds
from ..running.path_plan import EPS_OF_CHOICES, PATH_CONSTRAINTS, PathPlan
from ..running.problems import Judge, mean_errors, problems_of, strata_of
from ..running.published_networks import take_features
from ..running.refit_surface import Smoothness
from .choice_parameters import check_choice
from .choice_summary import SummarisesChoice, choice_notes
from .fold_networks import kept_folds
from .followed_paths import path_tasks

REFIT_ACTIVATION = "tanh"  # where no network is given
DEFAULT_AVERAGE = 5
SOMETIMES = ("path_", "fold_networks_", "alpha_", "l1_ratio_")  # attributes of some fits
DEFAULT_ALPHAS = (1e-3, 0.01, 0.1, 0.5, 2.0, 6.0, 20.0, 60.0)  # for sample weights of mean one


N_PARTS = 3  # of a fit, at each l1_ratio: initial networks, paths, choice


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


class PathCV(
    SummarisesChoice,
    Exports,
    SaysVersions,
    DocLinks,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
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
        "keep_folds": ["boolean", StrOptions({"nested"})],
        "cv": ["cv_object"],
    }

    # Groups are for folds, by whatever cv, as those of scikit-learn's splitters
    __metadata_request__fit = {"groups": True}

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
        keep_folds=False,
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
        self.keep_folds = keep_folds
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _fit(self, data, groups):
        """Fit the paths of (X, y, weights, offset) and choose."""
        check_choice(self, self._compares_alphas())
        ratios = np.atleast_1d(self.l1_ratio).astype(float)
        told = begin_fit(self, data, N_PARTS * len(ratios))
        with all_or_nothing(self):
            for name in SOMETIMES:
                vars(self).pop(name, None)
            runs = [self._run(ratio, data, groups, told) for ratio in ratios]
            _, along, choice = best = min(runs, key=lambda run: run[-1].mse)
            if np.ndim(self.l1_ratio):
                self.l1_ratio_ = float(along.plan.scheme.l1_ratio)
            self._publish(along, choice)
            if self.keep_folds:
                self.fold_networks_ = kept_folds(self, data, groups, *best)
            told.end({})
        return self

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

    def _run(self, l1_ratio, data, groups, told):
        """The paths at a share of L1, and the choice along them, as parts of a task."""
        base = base_network(self._checked_estimator(), self.param, l1_ratio, self._default)
        arrays = checked_arrays(base, *data, reset=True, all_rows=True)
        settle_alpha(base, self.estimator, arrays[2], self.param, l1_ratio)
        seed, groups = draw_seed(base.random_state), checked_groups(groups, len(arrays[1]))
        plan = PathPlan(base, self.param, l1_ratio, self.n_init, self.n_jobs, self.verbose)
        compares = self._compares_alphas()
        most_rows, strata = self.subsample if compares else None, strata_of(base, arrays)
        split = folds(self.cv, arrays, seed, groups, most_rows, strata)
        problems = problems_of(base, arrays, split.folds, seed, split.chosen, self._judge(base))
        with told.during("initial networks", None) as part, plan.train.telling(part):
            problems, starts = plan.ready(problems, self.adaptive)
        eps = plan.settle_eps(self.eps, EPS_OF_CHOICES, problems[0])
        paths = path_tasks(told, plan, problems, split)
        grid = self.n_strengths, eps, self.strengths
        strengths, fits = plan.run(problems, starts, *grid, told=paths)
        along = _Along(plan, problems, strengths, fits)
        with told.during("choice", None) as part, plan.train.telling(part):
            if not compares:
                return split, along, choose_along_path(*along, self.relaxed, self.selection)
            whole = problems[0]
            if split.chosen is not split.order:
                (whole,) = problems_of(base, arrays, (), seed, split.order)
            kinds, n_members = self._kinds(base, arrays[2]), self._n_members(base)
            choice = choose_on_surface(*along, whole, kinds, n_members, self.selection)
        return split, along, choice

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
        warn_of(disagreement_notes(choice.errors, choice.index))
        self._notes = choice_notes(plan, problems[0].task, strengths, path.n_features, choice)

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

    def _exported(self):
        check_is_fitted(self, "estimator_")
        return self.estimator_

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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._default() if self.estimator is None else self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.target_tags.positive_only = inner.target_tags.positive_only
        return tags
