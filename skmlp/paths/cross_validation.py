"""The penalty of a network chosen by cross-validation along its path."""

from sklearn.base import MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from .cross_validated.fold_networks import interval_of
from .cross_validated.path_choice import PathCV
from .running.base_network import default_network


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

    keep_folds : bool or 'nested', default=False
        Whether ``fold_networks_`` are kept, the networks of the folds at the choice, which
        ``predict_interval`` needs. With 'nested' each is what this estimator chooses on the fold's
        training rows alone, by folds of these: as many whole fits more as there are folds.

    n_jobs : int or None, default=None
        Number of threads; None is one, negative ones count from the number of cores.

    verbose : bool, default=False
        Whether to print a line for each strength, with its mean error of the folds, for relaxed
        refits and for the choice. From scikit-learn 1.9 on
        ``set_callbacks(sklearn.callback.ProgressBar())`` shows a bar for the path of the whole data
        and for that of each fold instead, strength by strength, and its ``ScoringMonitor`` records
        their scores on the rows that they are trained on. A callback that asks for it ends the
        paths with the strength at which it does.

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

    fold_networks_ : FoldNetworks
        With ``keep_folds``: ``networks``, a fitted network a fold, and ``misses``, arrays of how
        far off each is on the rows that it has not seen.

    coefs_, intercepts_ : list of ndarray
        Those of ``estimator_``.

    n_features_in_ : int
        Number of features seen during fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
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

    __metadata_request__fit = {"offset": True}
    __metadata_request__predict = {"offset": True}
    __metadata_request__score = {"offset": True}

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
            Group labels: rows of one group are in the same fold, by splitters that know groups and
            where ``cv`` is a number. Pipelines and searches hand them on, and ``offset``, with
            metadata routing enabled.

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

    def predict_interval(self, X, coverage=0.9, *, offset=None):
        """Intervals for y at new rows, from the networks of the folds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        coverage : float, default=0.9
            The share of new rows whose y is to lie inside.

        offset : array-like of shape (n_samples,), default=None
            Known summands of the outputs, see ``predict``.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
            Lower and upper ends, in the units of y; infinite, with a warning, where the rows are
            too few for the coverage.

        Raises
        ------
        ValueError
            Without ``keep_folds=True``, for several outputs, and for a coverage outside (0, 1).

        Warns
        -----
        UserWarning
            Where rows may not be exchangeable: with ``groups``, and for a ``cv`` that leaves out
            rows that follow each other, such as KFold without shuffling or TimeSeriesSplit, or some
            rows several times or never.

        Notes
        -----
        This is CV+ [1]_: of n exchangeable rows 1 - 2 (1 - coverage) at least are inside, less at
        most sqrt(2 / n), and in practice about ``coverage``, for a procedure that does not see the
        fold. The strength and alpha are chosen by all folds together, which the guarantee does not
        allow for: on thirteen tables and simulations of some hundred rows it cost 0.7 ± 0.2 points
        of the coverage at 90 % (``benchmarks/intervals.py``). ``keep_folds="nested"`` has each fold
        choose alone, and the guarantee holds. Where rows depend on each other or come in an order
        there is none; sample weights do not enter.

        With several quantiles (``loss="quantile"``) the band of the lowest and the highest is
        widened or narrowed by one number everywhere [2]_, so that widths follow the noise; give
        those that leave as much on either side as the intervals, such as 5 and 95 % for 90 %. The
        quantiles are chosen as all networks are: with ``alphas=True`` for the smoothness.

        Around a :class:`RegularizedMLPRegressor` of given strengths, MAPIE's classes do this and
        more (CrossConformalRegressor, SplitConformalRegressor, JackknifeAfterBootstrapRegressor,
        and ConformalizedQuantileRegressor with three fitted networks); inside ``batched_fits``
        their fits train together, with the same intervals.

        References
        ----------
        .. [1] Barber, Candes, Ramdas, Tibshirani, "Predictive inference with the jackknife+", 2021.
        .. [2] Romano, Patterson, Candes, "Conformalized quantile regression", 2019.
        """
        X, _ = self._rows_and_model(X, None)
        return interval_of(self, X, coverage, offset)

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
