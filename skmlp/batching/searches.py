"""scikit-learn's searches with the batched block around their ``fit``."""

from contextlib import nullcontext
from itertools import chain

import numpy as np
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from ..doc_links import DocLinks
from .block import batched_fits, in_batched_block
from .clock import recorded_calls


class _BatchedSearch(DocLinks):
    """What the searches share; the constructors differ, as scikit-learn reads their signatures."""

    def fit(self, X, y=None, **params):
        """Run fit with all sets of parameters, trained together.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.

        **params : dict of str -> object
            Passed to the ``fit`` of the estimator, the scorer and the splitter, as scikit-learn's
            search does.

        Returns
        -------
        self : object
            The fitted search.
        """
        merges = in_batched_block()
        block = nullcontext() if merges else batched_fits(self.n_jobs, self.backend)
        with block, recorded_calls() as calls:
            super().fit(X, y, **params)
        if self.n_jobs != 1:
            _amortise(self.cv_results_, self.n_splits_, [*chain(*calls)])
        return self


def _amortise(results, n_splits, clocks):
    """Put what a fit cost in place of the time that it waited, which scikit-learn measured.

    scikit-learn hands over the splits of the first candidate, then of the second, and so on.
    """
    shape = len(results["params"]), n_splits
    n_fits = shape[0] * shape[1]
    if len(clocks) >= n_fits:
        seconds = np.reshape([clock.fit_seconds for clock in clocks[:n_fits]], shape)
        results["mean_fit_time"] = seconds.mean(axis=1)
        results["std_fit_time"] = seconds.std(axis=1)


class BatchedGridSearchCV(_BatchedSearch, GridSearchCV):
    """:class:`sklearn.model_selection.GridSearchCV` that trains its candidates together.

    The same as GridSearchCV in :func:`batched_fits`, for places that a block does not reach: a
    worker, a cross-validation of another library. Inside of a block it joins the fits around it.
    Results are GridSearchCV's, bit for bit, but for the times: ``mean_fit_time`` counts what each
    fit did by itself and its share of the training in stacks.

    Parameters
    ----------
    estimator : estimator object
        A :class:`RegularizedMLPRegressor`, or a pipeline or another meta-estimator with one.

    param_grid : dict or list of dictionaries
        Names of parameters and the values to try.

    n_jobs : int or None, default=None
        Number of threads that train, or of workers of ``backend``. None is all of them; 1 fits
        one after the other, as GridSearchCV does.

    backend : str, joblib.parallel.ParallelBackendBase or None, default=None
        Another backend of joblib to spread the fits over, such as 'loky', 'dask' or 'ray'; each
        of its workers trains its share in stacks.

    scoring, refit, cv, verbose, pre_dispatch, error_score, return_train_score
        As in GridSearchCV.

    See Also
    --------
    batched_fits : The block that does this for any code of scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmlp import BatchedGridSearchCV, RegularizedMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0)
    >>> search = BatchedGridSearchCV(mlp, {"l1_per_layer": [0.001, 0.03, 0.9]}).fit(X, y)
    >>> search.best_params_
    {'l1_per_layer': 0.001}
    """

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        backend=None,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.backend = backend


class BatchedRandomizedSearchCV(_BatchedSearch, RandomizedSearchCV):
    """:class:`sklearn.model_selection.RandomizedSearchCV` that trains its candidates together.

    The same as RandomizedSearchCV in :func:`batched_fits`; see :class:`BatchedGridSearchCV`.

    Parameters
    ----------
    estimator : estimator object
        A :class:`RegularizedMLPRegressor`, or a pipeline or another meta-estimator with one.

    param_distributions : dict or list of dicts
        Names of parameters and distributions or lists to draw from.

    n_iter : int, default=10
        Number of candidates.

    n_jobs : int or None, default=None
        Number of threads that train, or of workers of ``backend``. None is all of them; 1 fits
        one after the other, as RandomizedSearchCV does.

    random_state : int, RandomState instance or None, default=None
        Draws the candidates.

    backend : str, joblib.parallel.ParallelBackendBase or None, default=None
        Another backend of joblib to spread the fits over, such as 'loky', 'dask' or 'ray'; each
        of its workers trains its share in stacks.

    scoring, refit, cv, verbose, pre_dispatch, error_score, return_train_score
        As in RandomizedSearchCV.

    See Also
    --------
    batched_fits : The block that does this for any code of scikit-learn.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_diabetes
    >>> from skmlp import BatchedRandomizedSearchCV, RegularizedMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0)
    >>> search = BatchedRandomizedSearchCV(
    ...     mlp, {"l1_per_layer": loguniform(1e-3, 1)}, n_iter=5, random_state=0
    ... ).fit(X, y)
    >>> f"{search.best_params_['l1_per_layer']:.4f}"
    '0.0187'
    """

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        backend=None,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.backend = backend
