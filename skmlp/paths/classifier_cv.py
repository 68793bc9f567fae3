"""The penalty of a classifier chosen by cross-validation along its path."""

from sklearn.base import ClassifierMixin, _fit_context

from ..estimators.docstrings import with_entries_of
from .cross_validated.path_choice import PathCV
from .cross_validation import RegularizedMLPRegressorCV
from .running.base_network import default_classifier


@with_entries_of(RegularizedMLPRegressorCV)
class RegularizedMLPClassifierCV(ClassifierMixin, PathCV):
    """Classifier with its features and its smoothness chosen by cross-validation along a path.

    What :class:`RegularizedMLPRegressorCV` is for numbers, and what R's cv.glmnet and
    :class:`sklearn.linear_model.LogisticRegressionCV` are to the logistic lasso. Folds are judged
    by the deviance, twice the log loss; ``scoring='accuracy'`` or ``'roc_auc'`` are cv.glmnet's
    ``type.measure`` 'class' and 'auc'. Each fold has its share of each class; of
    several labels the rarest are shared out first. Where the error is next to nothing, so that the
    folds' standard error says little, it counts as no less than what one more row would add of
    another class than was all but sure, 2 log(1 + n) / n, in ``selection`` among ``alphas``.

    Parameters
    ----------
    estimator : RegularizedMLPClassifier, default=None
        The network of the path. None is ``default_classifier()``, one hidden layer of 50 units with
        ReLU and ``alpha=2``, which counts for sample weights of mean one, whatever their sum; its
        refits have tanh instead. One seed is drawn from its ``random_state`` for folds and first
        weights: with None the choice changes from run to run.

    <param - verbose>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in order; for several labels their positions.

    estimator_ : RegularizedMLPClassifier
        The network chosen, fitted on all data; see :class:`RegularizedMLPRegressorCV`.

    <strength_ - feature_names_in_>

    See Also
    --------
    regularization_path : The path alone.
    sklearn.linear_model.LogisticRegressionCV : The linear case.

    Notes
    -----
    Attributes have the names of the regressor's: ``mse_`` and its kin are deviances.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp import RegularizedMLPClassifier, RegularizedMLPClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> linear = RegularizedMLPClassifier(hidden_layer_sizes=(), solver="lbfgs", alpha=0,
    ...                                   max_iter=2000, tol=1e-6, random_state=0)
    >>> model = RegularizedMLPClassifierCV(linear, n_strengths=10, eps=1e-3, selection="1se",
    ...                                    scoring="accuracy")
    >>> _ = make_pipeline(StandardScaler(), model).fit(X, y)
    >>> int(model.get_support().sum()), round(-model.mse_, 2)
    (8, 0.96)
    """

    _default = staticmethod(default_classifier)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, *, groups=None):
        """Fit the paths and choose.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The class of each row, or a column of zeros and ones for each label.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, in training and in the errors. A row of weight 0 counts as left out.

        groups : array-like of shape (n_samples,), default=None
            Group labels: rows of one group are in the same fold, by splitters that know groups and
            where ``cv`` is a number. Pipelines and searches hand them on with metadata routing
            enabled.

        Returns
        -------
        self : RegularizedMLPClassifierCV

        Raises
        ------
        ValueError
            For data or parameters that do not fit together, when no error is finite, and when
            training on all data diverges at every strength that leaves features; else strengths
            at which it diverges are left out, with a warning.
        """
        return self._fit((X, y, sample_weight, None), groups)

    def predict(self, X, *, strength=None):
        """Predict with the network chosen, or with one of the path.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        strength : float, default=None
            One of ``strengths_``, to predict with the network of the path there, under its penalty
            (``path_.models``); for linear models also one between them, with the coefficients of
            ``path_.coef_at``. None is the network chosen.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable classes.
        """
        X, model = self._rows_and_model(X, strength)
        return model._predict(X)

    def predict_proba(self, X, *, strength=None):
        """Probabilities of the classes, with the network chosen, or with one of the path.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        strength : float, default=None
            One of ``strengths_``; see ``predict``.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        X, model = self._rows_and_model(X, strength)
        return model._probability(X)

    def predict_log_proba(self, X, *, strength=None):
        """Logarithms of the probabilities of the classes, finite where these underflow.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        strength : float, default=None
            One of ``strengths_``; see ``predict``.

        Returns
        -------
        log_probability : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        X, model = self._rows_and_model(X, strength)
        return model._log_probability(X)

    def decision_function(self, X, *, strength=None):
        """Outputs before the link, with the network chosen, or with one of the path.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        strength : float, default=None
            One of ``strengths_``; see ``predict``.

        Returns
        -------
        output : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As of :class:`RegularizedMLPClassifier`.
        """
        X, model = self._rows_and_model(X, strength)
        return model._decision(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
