"""The regressor: scikit-learn's MLPRegressor with penalties and constraints by layer."""

from numbers import Real

from sklearn.base import MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions

from ..engine.losses.table import REGRESSION
from ..parameters.loss_values import estimator_loss
from ..training_data.targets import numbers_of
from .docstrings import with_entries_of
from .method_guards import available_unless
from .mlp import RegularizedMLP, no_single_epochs
from .shortcuts import ScoresExplained


@with_entries_of(RegularizedMLP)
class RegularizedMLPRegressor(ScoresExplained, MultiOutputMixin, RegressorMixin, RegularizedMLP):
    """Multi-layer perceptron regressor with penalties and constraints by layer.

    A drop-in replacement for :class:`sklearn.neural_network.MLPRegressor` that minimises

    .. code-block:: text

        F(W, b) = (1/S) sum_i s_i loss(y_i, f(x_i))
                + sum_k l1_k sum_ij P_ij |W_k,ij|
                + sum_k alpha_k / (2 S) sum_ij P_ij W_k,ij^2
                + group_l1 sum_g sqrt(|g|) P_g ||W_1[g, :]||_2
        subject to  W_k >= 0  for the layers with positive weights,
                    lower_limits <= W_1 <= upper_limits

    where s_i are the sample weights, S their sum, P the penalty factors of the input features
    (first layer only, 1 elsewhere), g the groups of input features (each feature its own, unless
    ``feature_groups`` says otherwise), and the loss is half the squared error, summed over outputs.
    Biases are never penalised. Zeros in ``coefs_`` are exact, with every solver.

    With ``hidden_layer_sizes=()``, ``normalize_y=False`` and ``alpha=0``, ``l1_per_layer`` is the
    ``alpha`` of :class:`sklearn.linear_model.Lasso` and the lambda of R's glmnet
    (``standardize=FALSE``), and ``solver='lbfgs'`` gives their coefficients.

    Parameters
    ----------
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gamma', \
            'tweedie'}, default='squared_error'
        What is minimised, with scikit-learn's names and halves: half the squared error; the
        absolute error; Huber's loss, see ``huber_delta``; the pinball loss of ``quantile``; half
        the deviance of Poisson (y >= 0), gamma (y > 0) or Tweedie responses of a ``power`` of the
        variance, with a log link.

    <hidden_layer_sizes - max_fun>

    quantile : float or array-like of shape (n_levels,), default=0.5
        For ``loss='quantile'``, the level or the rising levels to predict, each between 0 and 1.
        Several are in order for every input, by construction: the lowest is an output of the
        network, and each of the others goes on from there by the exponential of its own output.
        Predictions then have a column for each. One quantile, or the absolute error, without hidden
        layers and with ``alpha=0`` is solved by linear programming (SciPy's HiGHS) with 'lbfgs',
        exactly, however many steps that takes; with an ``alpha`` it is a search.

    power : float, default=1.5
        For ``loss='tweedie'``, the power of the mean that the variance of y is proportional to: 0
        is the squared error, 1 Poisson, 2 gamma, between these y may be zero, and 3 is the inverse
        Gaussian.

    huber_delta : float, default=1.35
        For ``loss='huber'``, the residual up to which it is the squared error, in the units of
        training: in standard deviations of y, unless ``normalize_y=False``. The epsilon of
        :class:`sklearn.linear_model.HuberRegressor` counts in a scale of the residuals that is
        estimated with the coefficients.

    <l1_per_layer - fit_intercept>

    normalize_y : bool, default=True
        Whether to train on y centred and scaled by its weighted mean and standard deviation (by
        its mean alone where the loss has a log link), and to undo that in the published weights.
        Penalties are then relative to the standard deviation of y. With ``fit_intercept=False`` y
        is divided by its root mean square, not centred; with a log link it stays as it is. With
        hidden layers it is rounded to multiples of 2^-24 of that, so that predictions change with
        the units of y exactly.

    <normalization - device>

    Attributes
    ----------
    <coefs_ - optimality_>

    dual_gap_ : float or ndarray of shape (n_outputs,)
        The duality gap in the units of ``objective_``, as that of
        :class:`sklearn.linear_model.Lasso`: an upper bound of F over its minimum. One for each
        output, or with ``group_l1`` on several coefficients one in all, as that of MultiTaskLasso.
        Only without hidden layers, with squared error, ``solver='lbfgs'`` and a penalty, but not
        with L1 beside such groups.

    <loss_ - feature_names_in_>

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The estimator this one stands in for.
    sklearn.linear_model.ElasticNet : The case without hidden layers.

    Notes
    -----
    With several outputs the squared error is summed over them (as in Ridge): gradients are
    MLPRegressor's, and reported losses are n_outputs times its. Of linear programs
    ``optimality_`` is what F lies above the bound of their dual.

    There is no ``precompute``: without hidden layers 'lbfgs' forms X'X once a fit, unless features
    outnumber rows, and all outputs share it. So many targets of one X are fitted soonest as the
    columns of one y, under ``l1_per_layer`` and ``alpha`` each by itself.

    <References>

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp import RegularizedMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs",
    ...                               l1_per_layer=0.03, max_iter=2000, random_state=0)
    >>> model = make_pipeline(StandardScaler(), mlp).fit(X, y)
    >>> mlp.sparsity_ > 0.5
    array([ True,  True])
    """

    _parameter_constraints: dict = {
        **RegularizedMLP._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION))],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "power": [Interval(Real, 0, None, closed="left")],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
        "normalize_y": ["boolean"],
    }

    __metadata_request__fit = {"offset": True, "offset_val": True}
    __metadata_request__partial_fit = {"offset": True}
    __metadata_request__predict = {"offset": True}
    __metadata_request__score = {"offset": True}

    def __init__(
        self,
        loss="squared_error",
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
        quantile=0.5,
        power=1.5,
        huber_delta=1.35,
        l1_per_layer=0.0,
        group_l1=0.0,
        feature_groups=None,
        penalty_factor=None,
        lower_limits=None,
        upper_limits=None,
        positive_weights=False,
        monotonic_cst=None,
        fit_intercept=True,
        normalize_y=True,
        normalization=None,
        dropout=0.0,
        device=None,
    ):
        self._store(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        offset=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        offset_val=None,
    ):
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data. float32 is trained in float32, everything else in float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0. A row of weight 0 counts as left out.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, before the link: with a log link the logarithm of the
            exposure, else what another model predicts, for instance. Pipelines and searches hand it
            on, to ``predict`` and ``score`` as well, with metadata routing enabled.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data: their loss is recorded in ``validation_loss_curve_``, and early
            stopping uses them instead of a random split. In a Pipeline they have to be transformed
            as X is; see Notes.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of the validation data.

        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation data.

        offset_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Offset of the validation data, where the training data have one.

        Returns
        -------
        self : RegularizedMLPRegressor

        Raises
        ------
        ValueError
            For data or parameters that do not fit together, and when the loss becomes non-finite.
            The estimator is then as it was before.

        Notes
        -----
        A Pipeline transforms validation rows where metadata routing is enabled, by
        ``set_config(enable_metadata_routing=True)`` or in a ``config_context``, and it is told
        which rows these are, by ``transform_input=["X_val"]`` (which is its default after
        scikit-learn 1.9). That the network wants them, their ``y_val`` and ``sample_weight_val`` it
        says itself; ``set_fit_request(X_val=False, y_val=False)`` says that it does not. A search
        or ``cross_validate`` hands them to each fit as they are, unless they are as many as the
        rows of X: scikit-learn then takes them for metadata of these, and splits them.

        Examples
        --------
        >>> from sklearn import config_context
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.model_selection import train_test_split
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skmlp import RegularizedMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True, scaled=False)
        >>> X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)
        >>> mlp = RegularizedMLPRegressor(
        ...     early_stopping=True, learning_rate_init=0.01, random_state=0
        ... )
        >>> with config_context(enable_metadata_routing=True):
        ...     model = make_pipeline(StandardScaler(), mlp, transform_input=["X_val"])
        ...     _ = model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
        >>> abs(model.score(X_val, y_val) - mlp.best_validation_score_) < 1e-6
        True
        """
        validation = X_val, y_val, sample_weight_val, offset_val
        return self._fit(X, y, sample_weight, offset, validation)

    @available_unless(no_single_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, *, offset=None):
        """Go on by one epoch over the given data; not with lbfgs or early stopping.

        The scale of y is that of the first call. Batch normalisation is folded into the published
        weights with the statistics of the rows given, so give it large pieces; training goes on
        from the network before that, unless ``coefs_`` or ``intercepts_`` were edited.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, see ``fit``.

        Returns
        -------
        self : RegularizedMLPRegressor
        """
        return self._partial_fit(X, y, sample_weight, offset)

    def predict(self, X, offset=None):
        """Predict with the weights in ``coefs_`` and ``intercepts_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Known summands of the outputs, before the link; None is 0, of which a model that was
            fitted with an offset warns once.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, in the units of y.
        """
        return self._predict(self._checked_rows(X), offset)

    def _matrix_of_y(self, y, name, *, is_first):
        return numbers_of(y, name, estimator_loss(self))

    def _explained(self, X, y, weight, offset):
        return r2_score(y, self._predict(X, offset), sample_weight=weight)

    def _told(self, mean):
        return mean.ravel() if mean.shape[1] == 1 else mean

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = estimator_loss(self).lowest_y >= 0
        return tags
