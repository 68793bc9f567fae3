"""What the estimators share: parameters, training, and the network that they publish."""

import warnings
from copy import copy
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..batching.meeting import train_together
from ..callbacks.fit_tasks import begin_fit
from ..callbacks.pass_watch import PassWatch
from ..callbacks.support import CallbackSupportMixin
from ..doc_links import DocLinks
from ..engine.task import Weights
from ..parameters.layer_values import hidden_sizes
from ..parameters.task_builder import build_task, draw_seed
from ..training_data.fit_data import checked_arrays, fit_data, validation_arrays
from ..training_data.offsets import NO_OFFSET, checked_offset
from ..training_data.plain_arrays import checked_rows
from ..training_data.unit_warnings import unit_notes, warn_of_validation
from .export.methods import Exports
from .export.pickled_state import SaysVersions
from .feature_selection import SelectsFeatures, feature_scale
from .method_guards import all_or_nothing
from .prediction import ACTIVATIONS, forward
from .publication import (
    check_solution,
    fitted_attributes,
    separation_notes,
    warn_of,
    warn_of_status,
)
from .shortcuts import Shortcuts
from .summaries.fit_record import FitRecord
from .summaries.fit_summary import Summarises
from .warm_start import Trained, start_from


def no_single_epochs(estimator):
    """Why there is no partial_fit, or None."""
    if estimator.solver == "lbfgs":
        return "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
    if estimator.early_stopping:
        return "partial_fit does not support early_stopping=True"
    return None


class RegularizedMLP(
    Shortcuts,
    SelectsFeatures,
    Summarises,
    Exports,
    SaysVersions,
    DocLinks,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Multi-layer perceptron with penalties and constraints by layer: what the estimators share.

    Their docstrings take entries from here, where each is written once.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_layers - 2,), default=(100,)
        Numbers of units of the hidden layers; ``()`` is a linear model.

    activation : {'identity', 'logistic', 'tanh', 'relu', 'silu', 'gelu', 'softplus', \
            'leaky_relu'}, default='relu'
        Activation of the hidden layers; those beyond MLPRegressor's four are as in torch.

    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        'adam' and 'sgd' are proximal in the metric of their own step. With an L1 or group penalty
        their last fifth of epochs averages gradients longer, and deterministic iterations follow
        that settle which weights are zero: to the tolerance, or five an epoch, at most 1000 (50
        with early stopping). 'lbfgs' is deterministic, on all rows and in float64: PANOC [2]_,
        proximal steps accelerated by L-BFGS, to the tolerance, and without hidden layers the
        closed form on the support found.

    alpha : float or array-like of shape (n_layers - 1,), default=0.0001
        L2 strength, one for all layers or one each. Divided by the sum of sample weights,
        whatever the solver and the batch size (MLPRegressor's adam and sgd divide by the batch
        size instead).

    batch_size : int or 'auto', default='auto'
        Rows in a mini-batch of adam and sgd; 'auto' is ``min(200, n_samples)``.

    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Schedule of sgd's learning rate: constant; ``learning_rate_init / t ** power_t``; or
        divided by 5 each time the stopping rule fires, until it is below 1e-6.

    learning_rate_init : float, default=0.001
        Learning rate of adam and sgd.

    power_t : float, default=0.5
        Exponent of the schedule 'invscaling'.

    max_iter : int, default=200
        Largest number of epochs (adam, sgd) or iterations (lbfgs).

    shuffle : bool, default=True
        Whether adam and sgd draw a new order of the rows for each epoch.

    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, the validation split, the order of the rows and dropout. The
        same int gives the same bits. None draws a fresh seed; numpy's global state is not used.
        First weights are MLPRegressor's; for lbfgs, on standardised X and y.

    tol : float, default=0.0001
        adam and sgd stop when the loss (the validation score, with early stopping) has not got
        better by ``tol`` for ``n_iter_no_change`` epochs. For the loss of a regressor it is
        relative to the loss of the best constant model. lbfgs stops at an optimality residual of
        ``tol``, on standardised variables.

    verbose : bool, default=False
        Whether to print a line for each epoch, of lbfgs for every tenth iteration: the loss (F, the
        least so far), validation loss and score, and where a penalty or bounds make zeros the
        share of them in each layer.
        From scikit-learn 1.9 on ``set_callbacks(sklearn.callback.ProgressBar())`` shows epochs and
        iterations as bars, also within searches and Pipelines, and its ``ScoringMonitor`` records
        scores by epoch. A callback that asks for it ends the fit as ``max_iter`` would there, but
        that no deterministic iterations follow; what one raises leaves the estimator as it was.

    warm_start : bool, default=False
        Whether ``fit`` goes on from ``coefs_`` and ``intercepts_``, edited ones too.

    momentum : float, default=0.9
        Momentum of sgd, in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether sgd's momentum is Nesterov's.

    early_stopping : bool, default=False
        Whether adam and sgd stop by, and return the weights with, the best score on validation data
        (R2 or D2, of classifiers the accuracy): ``X_val`` of ``fit``, or rows drawn at random, of
        classifiers with a share of each class. Equal rows are never drawn apart, and
        sample weights count. A tenth of 15 rows is two: with few rows, give ``X_val`` or none.

    validation_fraction : float, default=0.1
        Share of the total weight drawn for validation.

    beta_1 : float, default=0.9
        Decay of adam's average of gradients, in [0, 1).

    beta_2 : float, default=0.999
        Decay of adam's average of squared gradients, in [0, 1).

    epsilon : float, default=1e-8
        Added to adam's root mean square gradient.

    n_iter_no_change : int or inf, default=10
        Epochs without improvement by ``tol`` after which adam and sgd stop.

    max_fun : int, default=15000
        Largest number of evaluations of the objective by lbfgs.

    l1_per_layer : float or array-like of shape (n_layers - 1,), default=0.0
        L1 strength, one for all layers or one each (the hidden layers, then the output). It acts
        on the mean loss at full strength in every mini-batch. Penalise every layer or none: since
        scale can move between layers, a free layer beside a penalised one grows while that
        shrinks (a warning says so). A normalisation layer undoes the penalty of the layer before
        it but for its zeros.

    group_l1 : float, default=0.0
        Group lasso strength [3]_: the weights that leave an input feature become zero together, and
        the feature leaves the network. Give ``alpha`` or ``l1_per_layer`` to the later layers.

    feature_groups : list, array-like of shape (n_features,), dict, callable or None, default=None
        Columns that enter and leave together under ``group_l1``, such as those of a one-hot code:
        a list of groups, each a list of columns by position or name (``[[0, 1], ["c", "d"]]``) or
        a string ``"prefix*"`` for all columns whose names begin so (``["Neighborhood_*"]``); or one
        label, a number or string, for each column (``[0, 0, 1, 2]``; a dict, or a Series by column
        name, maps names to labels). A column in no group is one of its own. A callable gets the
        array of column names, or n_features where there are none, and returns any of these:
        it serves folds whose columns differ, as where a rare level of a one-hot code is missing.

    penalty_factor : array-like of shape (n_features,), dict or None, default=None
        Multiplies the first layer's penalty (L1, group and L2, as in glmnet) of each input feature:
        0 leaves it unpenalised, infinity excludes it. A dict, or a Series by column name, maps
        names to factors, 1 for those not named. Features of a group have the same factor, or are
        excluded. The factors count as they are; glmnet rescales its own to sum to n_features.

    lower_limits : float, array-like of shape (n_features,), dict or None, default=None
        Least values, <= 0, of the coefficients of a linear model, in the units of X and y that are
        given, for all features or one each (glmnet's ``lower.limits``). A dict, or a Series by
        column name, maps names to limits; features not named, and all with None, have none. In
        networks limits can only be 0 or infinite, and hold the signs of the weights that leave a
        feature: where those of later layers are positive (``positive_weights=(False, True)``) the
        function increases in features with a lower limit of 0 and decreases in those with an
        upper one, if activation and normalisation are as for ``positive_weights``.

    upper_limits : float, array-like of shape (n_features,), dict or None, default=None
        Largest values, >= 0, in the same way (glmnet's ``upper.limits``).

    positive_weights : bool or array-like of shape (n_layers - 1,), default=False
        Whether a layer's weights are held non-negative, one for all layers or one each. Not the
        same as non-negative predictions: biases are free. With all layers positive the function
        increases in every feature, unless the activation falls in places ('silu', 'gelu') or layer
        normalisation is used (a warning says so). With ReLU or softplus it is then also convex and
        supermodular, which is a strong restriction that 'tanh' does not share.

    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        Features in which the function is to increase (1) or decrease (-1), for every input and by
        construction; 0 leaves it free. A dict, or a Series by column name, maps names to these, 0
        for those not named. The weights that leave a marked feature have its sign, and those of
        later layers are non-negative. 'tanh' and 'logistic' lose little by that; with 'relu',
        'leaky_relu' and 'softplus' the function is convex in the marked features (a warning says
        so), and 'silu' and 'gelu' are refused, as are more than two classes, whose probabilities
        share one sum. :func:`check_monotonic` says what the weights of a fitted network prove.

    fit_intercept : bool, default=True
        Whether a linear model has an intercept. False holds ``intercepts_`` at zero, and nothing
        is centred. With hidden layers False is an error.

    normalization : {'batch', 'layer'} or None, default=None
        Normalisation between a hidden layer's product and its activation. Batch normalisation is
        folded into ``coefs_`` and ``intercepts_`` with the statistics of the training rows.

    dropout : float or array-like of shape (n_layers - 2,), default=0.0
        Rate at which hidden units are dropped in training, one for all hidden layers or one each.

    device : str or None, default=None
        Where to train: None is the CPU; 'cuda', 'mps', or 'auto' for the first of these that is
        there. The fitted estimator holds numpy arrays alone.

    Attributes
    ----------
    coefs_ : list of shape (n_layers - 1,)
        The weight matrices, ``coefs_[k]`` of shape (n_in, n_out). They are the model: edited, they
        change predictions.

    intercepts_ : list of shape (n_layers - 1,)
        The bias vectors.

    sparsity_ : ndarray of shape (n_layers - 1,)
        Fraction of exact zeros in each layer's weights.

    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Norms of the weights that leave each feature, for X and, without hidden layers, y in units
        of their standard deviations in training (of their root mean squares with
        ``fit_intercept=False``): they change with units only where the fit does
        (as with penalties and ``normalize_y=False``). Zero where the feature has left the network,
        or is constant. ``SelectFromModel`` keeps the features that the network uses: its default
        threshold is 1e-5, as for Lasso. Give it a ``threshold`` where the network is inside a
        pipeline or a search (with ``importance_getter``), whose default is the mean importance.

    selected_features_ : ndarray of shape (n_selected,)
        Features that have not left the network: their names where known, else positions.

    objective_ : float
        F on all training rows at the returned weights (for y as it is trained on with
        ``normalize_y``).

    optimality_ : float
        ``max |w - prox(w - grad)|`` of F at the returned weights, zero at a stationary point. A
        certificate for smooth activations only: minimisers of networks with 'relu' or 'leaky_relu'
        lie on kinks, where it stays away from zero. There lbfgs has converged where ten further
        iterations from the best weights, begun anew, lower F by less than 100 tol^2 of it, and so
        do proximal steps in the weights or biases of single layers. Without hidden layers it is
        rounding; a warning says where float32 coefficients cannot hold the optimum.

    loss_ : float
        The last entry of ``loss_curve_``; F for lbfgs.

    best_loss_ : float or None
        The smallest loss of any epoch; None with early stopping. Only with adam and sgd.

    loss_curve_ : list of shape (`n_iter_`,)
        F of each epoch, as met on its mini-batches. Only with adam and sgd.

    validation_loss_curve_ : list of shape (`n_iter_`,) or None
        Mean loss on the validation data after each epoch, without penalties.

    validation_scores_ : list of shape (`n_iter_`,) or None
        The score on the validation data after each epoch, with early stopping.

    best_validation_score_ : float or None
        The score of the returned weights on the validation data, with early stopping: the largest
        of this fit's ``validation_scores_``, unless deterministic steps at the end have moved the
        weights.

    layer_norm_gains_, layer_norm_shifts_ : list of shape (n_layers - 2,)
        Gain and shift of each hidden unit. Only with ``normalization='layer'``.

    n_iter_ : int
        Number of epochs or iterations, at most ``max_iter``. For ``group_l1`` without hidden layers
        an iteration is a sweep over the groups and the Newton steps that follow it.

    t_ : int
        Number of training rows seen.

    n_layers_ : int
        Number of layers, the input counted.

    n_outputs_ : int
        Number of outputs.

    out_activation_ : str
        'identity', 'exp' where the loss has a log link, or 'ordered' for several quantiles; of
        classifiers 'logistic', or 'softmax' for more than two classes.

    n_features_in_ : int
        Number of features seen during fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, where X has names that are all strings.

    References
    ----------
    .. [1] Kingma, Ba, "Adam: a method for stochastic optimization", 2015.
    .. [2] Stella, Themelis, Sopasakis, Patrinos, "A simple and efficient algorithm for nonlinear
       model predictive control", 2017.
    .. [3] Yuan, Lin, "Model selection and estimation in regression with grouped variables", 2006.
    """

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "l1_per_layer": [Interval(Real, 0, None, closed="left"), "array-like"],
        "group_l1": [Interval(Real, 0, None, closed="left")],
        "feature_groups": ["array-like", dict, callable, None],
        "penalty_factor": ["array-like", dict, None],
        "lower_limits": [
            *(Interval(Real, None, 0, closed="right"), Options(Real, {-np.inf})),
            *("array-like", dict, None),
        ],
        "upper_limits": [
            *(Interval(Real, 0, None, closed="left"), Options(Real, {np.inf})),
            *("array-like", dict, None),
        ],
        "positive_weights": ["boolean", "array-like"],
        "monotonic_cst": ["array-like", dict, None],
        "fit_intercept": ["boolean"],
        "normalization": [StrOptions({"batch", "layer"}), None],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "device": [str, None],
    }

    # Requests of metadata that nobody else can mean, which routing need not be told of
    __metadata_request__fit = {"X_val": True, "y_val": True, "sample_weight_val": True}

    # What checking the data leaves, beside the attributes of a fit
    _seen = ("n_features_in_", "feature_names_in_")
    _takes_labels = False

    def _store(self, parameters):
        """Set the parameters of a constructor, given as its ``locals()``."""
        for name, value in parameters.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def _fit(self, X, y, sample_weight, offset, validation):
        """Fit the network; ``validation`` are X, y, weights and offset, each of these or None."""
        told = begin_fit(self, (X, y, sample_weight, offset), int(self.max_iter))
        with all_or_nothing(self):
            goes_on = self.warm_start and hasattr(self, "coefs_")
            arrays = checked_arrays(self, X, y, sample_weight, offset, reset=not goes_on)
            validation = validation_arrays(self, *validation)
            if validation is not None and self.solver == "lbfgs":
                warnings.warn("X_val and y_val are not used by solver='lbfgs'.")
                validation = None
            seed = draw_seed(self.random_state)
            data = fit_data(self, arrays, validation, None, seed)
            if validation is not None:
                names = getattr(self, "feature_names_in_", None)
                warn_of_validation(data.train, data.validation, names)
            self._train(data, seed, told, goes_on=goes_on)
        return self

    def _partial_fit(self, X, y, sample_weight, offset=None):
        """Go on by one epoch over the given data."""
        data = X, y, sample_weight, offset
        told = begin_fit(self, data, 1)
        with all_or_nothing(self):
            goes_on = hasattr(self, "coefs_")
            arrays = checked_arrays(self, *data, reset=not goes_on, keeps_labels=True)
            seed = draw_seed(self.random_state)
            target = self._trained.target if goes_on and hasattr(self, "_trained") else None
            data = fit_data(self, arrays, None, target, seed)
            self._train(data, seed, told, goes_on=goes_on, incremental=True)
        return self

    def _train(self, data, seed, told, *, goes_on, incremental=False):
        """Hand the task to the engine and publish its solution; ``told`` is the fit as a task."""
        before = vars(self).copy() if goes_on else {}
        task = build_task(
            self,
            data,
            seed,
            start=self._start(data) if goes_on else None,
            optimizer=self._solver_state() if incremental and goes_on else None,
            samples_seen=before.get("t_", 0),
            incremental=incremental,
        )
        units = []
        if not (incremental and goes_on):
            units = unit_notes(task, getattr(self, "feature_names_in_", None))
            warn_of(units)
        solution = self._solution(task, data, before, told) if told else train_together(task)
        warn_of_status(task, self._adopt(task, data, solution, before), solution)
        separation = separation_notes(task, solution, getattr(self, "classes_", None))
        warn_of(separation, ConvergenceWarning)
        self._record = self._record.with_notes(*units, *separation)
        told.end({})

    def _solution(self, task, data, before, told):
        """The solution, of whose epochs or iterations callbacks are told."""
        if not before:
            self._drop_fitted(self._seen)

        def attributes_of(solution):
            if not solution.is_usable:
                return None
            network = copy(self)
            network._adopt(task, data, solution, before)
            return vars(network)

        name = "iteration" if task.program.is_deterministic else "epoch"
        watch = PassWatch(told, name, attributes_of)
        solution = train_together(replace(task, watch=watch))
        watch.finish()
        return solution

    def _adopt(self, task, data, solution, before):
        """Publish a solution of the engine; ``before`` are the attributes that it goes on from."""
        attributes = fitted_attributes(task, data, solution, before)
        check_solution(task, attributes, solution)
        self._publish(attributes, data.target, solution)
        self._record = FitRecord.of(task, attributes["coefs_"], solution)
        self._feature_scale = feature_scale(data.train, task.program.has_intercept)
        self._misses_offset = self._fitted_with_offset = data.offset is not None
        return attributes

    def _start(self, data):
        """The weights to go on from, in the units of training."""
        sizes = (
            data.train.X.shape[1],
            *hidden_sizes(self.hidden_layer_sizes),
            data.train.y.shape[1],
        )
        fitted = (np.shape(self.coefs_[0])[0], *(np.shape(coef)[1] for coef in self.coefs_))
        if sizes != fitted:
            raise ValueError(
                f"Cannot go on from weights of a network of layers {fitted} with one of layers "
                f"{sizes} (features, hidden_layer_sizes={self.hidden_layer_sizes!r}, outputs): "
                "set warm_start=False, or clone the estimator, to start anew."
            )
        gains = shifts = []
        if self.normalization == "layer":
            units = fitted[1:-1]
            gains = getattr(self, "layer_norm_gains_", [np.ones(u) for u in units])
            shifts = getattr(self, "layer_norm_shifts_", [np.zeros(u) for u in units])
        published = [
            [np.asarray(array) for array in arrays]
            for arrays in (self.coefs_, self.intercepts_, gains, shifts)
        ]
        return start_from(
            getattr(self, "_trained", None), Weights(*published), data.target, self.normalization
        )

    def _solver_state(self):
        """The solver's state after the last epoch, where that was of this solver and network."""
        key, state = getattr(self, "_optimizer", (None, None))
        return state if key == self._solver_key() else None

    def _solver_key(self):
        """What a solver's state belongs to."""
        return self.solver, self.normalization, [np.shape(coef) for coef in self.coefs_]

    def _publish(self, attributes, target, solution):
        """Set the fitted attributes, and drop those of an earlier fit that this one has not."""
        self._drop_fitted({*self._seen, *attributes})
        for name, value in attributes.items():
            setattr(self, name, value)
        self._trained = Trained.of(target, solution)
        self._optimizer = (self._solver_key(), solution.optimizer)

    def _drop_fitted(self, kept):
        """Drop the fitted attributes of an earlier fit but for some."""
        for name in list(vars(self)):
            if name.endswith("_") and not name.startswith("_") and name not in kept:
                delattr(self, name)

    def _checked_rows(self, X):
        check_is_fitted(self, "coefs_")
        return checked_rows(self, X)

    def _predict(self, X, offset=None):
        if offset is not None:
            n_outputs = 1 if self.out_activation_ == "ordered" else self.n_outputs_
            offset = checked_offset(offset, X.shape[0], n_outputs)
        elif getattr(self, "_misses_offset", False):
            warnings.warn(NO_OFFSET)
            self._misses_offset = False
        return self._told(self._outputs(X, self.out_activation_, offset))

    def _outputs(self, X, out_activation="identity", offset=None):
        """Outputs (n_samples, n_outputs) beside an offset, before the link or after it."""
        layer_norm = None
        if hasattr(self, "layer_norm_gains_"):
            layer_norm = self.layer_norm_gains_, self.layer_norm_shifts_
        network = self.coefs_, self.intercepts_, self.activation, out_activation
        return forward(X, *network, layer_norm, offset)

    # What regressors and classifiers differ in

    def _matrix_of_y(self, y, name, *, is_first):
        """y (n, n_outputs) in float64 of what users give; the first is what others have to suit."""
        raise NotImplementedError

    def _weighted(self, y, weight, *, is_training):
        """Weights (n,) of rows, or None, from those given and y (n, n_outputs)."""
        return weight

    def _explained(self, X, y, weight, offset):
        """R2, or what stands for it, of the predictions for X beside y (n, n_outputs)."""
        raise NotImplementedError

    def _told(self, mean):
        """What users are told of means (n, n_outputs)."""
        raise NotImplementedError

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
