"""Stability selection as a step of a Pipeline."""

from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ..doc_links import DocLinks
from ..estimators.docstrings import with_entries_of
from ..estimators.method_guards import all_or_nothing
from .running.base_network import default_network
from .stability_selection import STABILITY_CONSTRAINTS, stability_selection


@with_entries_of(stability_selection)
class StabilitySelector(SelectorMixin, DocLinks, MetaEstimatorMixin, BaseEstimator):
    """Keeps the features that halves of the data agree on: :func:`stability_selection` as a step.

    In a Pipeline put it behind the scaler and before the model, so that features are selected in
    each fold of a cross-validation. ``set_output(transform="pandas")`` or ``"polars"`` gives tables
    with the names of the features that are kept.

    Parameters
    ----------
    estimator : RegularizedMLPRegressor, RegularizedMLPClassifier or None, default=None
        The network, with a penalty on its later layers; None is :func:`default_network`. See
        :func:`regularization_path`.

    <n_subsamples - random_state>

    verbose : bool, default=False
        Whether to print a line for each strength.

    Attributes
    ----------
    selection_ : StabilitySelection
        Frequencies, bounds and what is stable.

    n_features_in_ : int
        Number of features seen during fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where X has names that are all strings.

    See Also
    --------
    stability_selection : The function, with its assumptions.
    sklearn.feature_selection.SelectFromModel : Keeps the features that one fitted network uses.

    <References>

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp import RegularizedMLPRegressor, StabilitySelector
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> linear = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    >>> selector = StabilitySelector(linear, random_state=0)
    >>> steps = make_pipeline(StandardScaler(), selector).set_output(transform="pandas")
    >>> list(steps.fit_transform(X, y).columns)
    ['bmi', 's5']
    """

    _parameter_constraints: dict = STABILITY_CONSTRAINTS

    def __init__(
        self,
        estimator=None,
        *,
        n_subsamples=100,
        threshold=0.75,
        max_false=1.0,
        assumption=None,
        param="group_l1",
        n_strengths=20,
        eps=1e-2,
        strengths=None,
        l1_ratio=1.0,
        adaptive="auto",
        n_init=1,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.n_subsamples = n_subsamples
        self.threshold = threshold
        self.max_false = max_false
        self.assumption = assumption
        self.param = param
        self.n_strengths = n_strengths
        self.eps = eps
        self.strengths = strengths
        self.l1_ratio = l1_ratio
        self.adaptive = adaptive
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, *, offset=None, groups=None):
        """Select features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, or labels of classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, see ``RegularizedMLPRegressor.fit``.

        groups : array-like of shape (n_samples,), default=None
            Group labels of rows that depend on each other.

        Returns
        -------
        self : StabilitySelector

        Raises
        ------
        ValueError
            As of :func:`stability_selection`.
        """
        rows = {"sample_weight": sample_weight, "offset": offset, "groups": groups}
        found = stability_selection(X=X, y=y, **self.get_params(deep=False), **rows)
        with all_or_nothing(self):
            vars(self).pop("feature_names_in_", None)
            self.selection_, self.n_features_in_ = found, found.support.size
            if found.feature_names is not None:
                self.feature_names_in_ = found.feature_names
        return self

    def _get_support_mask(self):
        check_is_fitted(self, "selection_")
        return self.selection_.support

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(default_network() if self.estimator is None else self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.target_tags = inner.target_tags
        return tags
