"""The classifier: scikit-learn's MLPClassifier with penalties and constraints by layer."""

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from ..training_data.labels import ClassWeights, Labels
from .docstrings import with_entries_of
from .method_guards import all_or_nothing, available_unless
from .mlp import RegularizedMLP, no_single_epochs


def _no_single_epochs(estimator):
    """Why there is no partial_fit, or None."""
    if isinstance(estimator.class_weight, str):
        return "class_weight='balanced' needs all rows at once: give a dict for partial_fit."
    return no_single_epochs(estimator)


@with_entries_of(RegularizedMLP)
class RegularizedMLPClassifier(ClassifierMixin, RegularizedMLP):
    """Multi-layer perceptron classifier with penalties and constraints by layer.

    A drop-in replacement for :class:`sklearn.neural_network.MLPClassifier` that minimises the
    objective F of :class:`RegularizedMLPRegressor`, with its penalties and constraints, for the log
    loss: minus the logarithm of the probability that the network gives to a row's own class. Two
    classes are one output with a logistic link, more are one output each with a softmax, and
    several labels at once are one output each, with a logistic link and their losses added.

    With ``hidden_layer_sizes=()`` and ``solver='lbfgs'`` it is
    :class:`sklearn.linear_model.LogisticRegression`: its ``C`` is ``1 / alpha``, or with S, the sum
    of the sample weights, ``1 / (S l1_per_layer)`` for L1, where ``l1_per_layer`` is the lambda of
    R's glmnet (``standardize=FALSE``).

    Parameters
    ----------
    <hidden_layer_sizes - max_fun>

    class_weight : dict, list of dict, 'balanced' or None, default=None
        What the rows of a class weigh, beside their sample weights: ``{class: weight}``, one for
        classes that are not named, or 'balanced' for classes of equal total weight. For several
        labels 'balanced', or a list with a dict of the weights of 0 and 1 for each.

    <l1_per_layer - device>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in order; for several labels their positions.

    <coefs_ - feature_names_in_>

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The estimator this one stands in for.
    sklearn.linear_model.LogisticRegression : The case without hidden layers.

    Notes
    -----
    Where a network classifies all rows rightly and nothing is penalised, there is no minimum: the
    loss falls as the weights grow. They stay finite, since training ends at its tolerance, and a
    warning says so.

    <References>

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp import RegularizedMLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> mlp = RegularizedMLPClassifier(hidden_layer_sizes=(), solver="lbfgs", alpha=0,
    ...                                l1_per_layer=0.02, max_iter=2000, tol=1e-7)
    >>> model = make_pipeline(StandardScaler(), mlp).fit(X, y)
    >>> int(mlp.get_support().sum()), round(model.score(X, y), 2)
    (7, 0.97)
    """

    _parameter_constraints: dict = {
        **RegularizedMLP._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }
    _seen = (*RegularizedMLP._seen, "classes_", "_labels", "_class_weights")
    _takes_labels = True

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        class_weight=None,
        l1_per_layer=0.0,
        group_l1=0.0,
        feature_groups=None,
        penalty_factor=None,
        lower_limits=None,
        upper_limits=None,
        positive_weights=False,
        monotonic_cst=None,
        fit_intercept=True,
        normalization=None,
        dropout=0.0,
        device=None,
    ):
        self._store(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data. float32 is trained in float32, everything else in float64.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The class of each row, or for several labels at once a column of zeros and ones for
            each.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0. A row of weight 0 counts as left out.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data: their loss is recorded in ``validation_loss_curve_``, and early
            stopping uses them instead of a random split. In a Pipeline they have to be transformed
            as X is: with metadata routing enabled, by ``Pipeline(..., transform_input=["X_val"])``;
            see the notes and the example of :meth:`RegularizedMLPRegressor.fit`.

        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Classes of the validation data.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation data.

        Returns
        -------
        self : RegularizedMLPClassifier

        Raises
        ------
        ValueError
            For data or parameters that do not fit together, and when the loss becomes non-finite.
            The estimator is then as it was before.
        """
        validation = X_val, y_val, sample_weight_val, None
        return self._fit(X, y, sample_weight, None, validation)

    @available_unless(_no_single_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Go on by one epoch over the given data; not with lbfgs or early stopping.

        Batch normalisation is folded into the published weights with the statistics of the rows
        given, so give it large pieces; training goes on from the network before that, unless
        ``coefs_`` or ``intercepts_`` were edited.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The class of each row, or a column of zeros and ones for each label.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0.

        classes : array-like of shape (n_classes,), default=None
            All classes that will come, for the first call.

        Returns
        -------
        self : RegularizedMLPClassifier
        """
        with all_or_nothing(self):
            if _check_partial_fit_first_call(self, classes):
                is_multilabel = type_of_target(y).startswith("multilabel")
                self._set_labels(Labels.of(np.asarray(y) if is_multilabel else self.classes_))
            return self._partial_fit(X, y, sample_weight)

    def _set_labels(self, labels):
        self._labels, self.classes_ = labels, labels.classes

    def _matrix_of_y(self, y, name, *, is_first):
        if is_first:
            self._set_labels(Labels.of(y))
        goes_on = self.warm_start and not is_first and name == "y"
        return self._labels.encoded(y, name, all_classes=goes_on)

    def _weighted(self, y, weight, *, is_training):
        if self.class_weight is None:
            return weight
        if is_training:
            self._class_weights = ClassWeights.of(self.class_weight, self._labels, y, weight)
        weight = self._class_weights.weighted(self._labels, y, weight)
        if not weight.any():
            raise ValueError(f"class_weight={self.class_weight!r} leaves no row a weight > 0.")
        return weight

    def _explained(self, X, y, weight, offset):
        loss, ones = self._labels.loss, np.ones(1)
        share = np.ones(len(y)) if weight is None else weight / weight.mean()
        constant = np.broadcast_to(loss.constant(y, share[:, None]), y.shape)
        errors = [loss.error(y, output, weight, ones) for output in (self._outputs(X), constant)]
        return 1 - errors[0] / errors[1]

    def _told(self, mean):
        return self._labels.decoded(mean)

    def predict(self, X):
        """Predict with the weights in ``coefs_`` and ``intercepts_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable classes.
        """
        return self._predict(self._checked_rows(X))

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; of several labels, of each by itself.
        """
        return self._probability(self._checked_rows(X))

    def _probability(self, X):
        probability = self._outputs(X, self.out_activation_)
        if probability.shape[1] > 1 or self._labels.is_multilabel:
            return probability
        return np.hstack([1 - probability, probability])[:, : len(self.classes_)]

    def predict_log_proba(self, X):
        """Logarithms of the probabilities of the classes, finite where these underflow.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self._log_probability(self._checked_rows(X))

    def _log_probability(self, X):
        probability, output = self._probability(X), self._outputs(X)
        if self.out_activation_ == "softmax":
            small = log_softmax(output, axis=1)
        elif self._labels.is_multilabel:
            small = log_expit(output)
        else:
            small = np.hstack([log_expit(-output), log_expit(output)])[:, : len(self.classes_)]
        return np.where(probability < 0.5, small, np.log(np.maximum(probability, 0.5)))

    def decision_function(self, X):
        """Outputs before the link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        output : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the logarithm of the odds of the second, for more the logarithms of
            their probabilities but for a constant of each row.
        """
        return self._decision(self._checked_rows(X))

    def _decision(self, X):
        output = self._outputs(X)
        single = output.shape[1] == 1 and not self._labels.is_multilabel
        return output[:, 0] if single else output

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.poor_score = bool(np.all(self.positive_weights))  # only rises
        return tags
