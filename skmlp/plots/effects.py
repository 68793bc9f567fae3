"""The effect of single features on predictions, with what the weights prove of it."""

from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence
from sklearn.utils import _safe_indexing
from sklearn.utils._indexing import _get_column_indices
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from ..estimators.inspection.monotonicity import check_monotonic, keeps_columns
from ..estimators.inspection.unwrapping import layers
from .drawing import COLORS, line_style

COLOR_OF_WORD = {"increasing": COLORS[0], "decreasing": COLORS[1], "constant": "0.5"}
MOST_FEATURES, PER_ROW = 9, 3  # of a figure where none are named
FEW_VALUES = 6  # of a feature, which are drawn as points
PANEL = 3.0, 2.5  # inches
DECILES = np.arange(10, 100, 10)


class EffectDisplay:
    """Partial dependence of predictions on features, a panel each, and its certificate.

    The line is the mean prediction over the rows of X where a feature has the value of the axis in
    all of them (Friedman 2001), by scikit-learn's own ``partial_dependence``. The word in the title
    is that of :func:`check_monotonic`: 'increasing', 'decreasing' or 'constant' hold for every
    input, whatever the other features are, and 'free' says that the weights do not decide it. The
    band reaches from the least to the largest of the networks of the folds, where these are kept.
    Marks at the bottom are deciles of the rows. Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    feature_names : list of str
        Names of the features.

    grids : list of array-like of shape (n_values,)
        Values of each feature.

    effects : list of array-like of shape (n_values,)
        Partial dependence on each feature at its values.

    words : list of str or None, default=None
        What is proved of each feature; None are without.

    fold_effects : list of array-like of shape (n_folds, n_values), default=None
        The same as ``effects`` of the network of each fold.

    deciles : list of array-like, default=None
        Marks of each feature.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The partial dependence in each panel.

    bands_ : list of matplotlib FillBetweenPolyCollection or None
        The range of the folds in each panel.

    axes_ : ndarray of matplotlib Axes
        The panels.

    figure_ : matplotlib Figure
        The figure that has them.

    See Also
    --------
    check_monotonic : What the weights of a network prove, with reasons.
    sklearn.inspection.PartialDependenceDisplay : Rows one by one, and pairs of features.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import EffectDisplay, RegularizedMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=10, activation="tanh", solver="lbfgs",
    ...                               monotonic_cst={"bmi": 1}, alpha=10, random_state=0)
    >>> X = X[["bmi", "age"]].apply(scale)
    >>> display = EffectDisplay.from_estimator(mlp.fit(X, y), X)
    >>> [ax.get_title() for ax in display.axes_]
    ['bmi: increasing', 'age: free']
    """

    def __init__(
        self, *, feature_names, grids, effects, words=None, fold_effects=None, deciles=None
    ):
        self.feature_names = feature_names
        self.grids = grids
        self.effects = effects
        self.words = words
        self.fold_effects = fold_effects
        self.deciles = deciles

    def plot(self, ax=None, *, line_kwargs=None):
        """Draw the effects.

        Parameters
        ----------
        ax : array-like of shape (n_features,) of matplotlib Axes, default=None
            Where to draw each feature; None is a new figure, whose panels share their ordinate. One
            feature takes its axes alone, too.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines.

        Returns
        -------
        display : EffectDisplay

        Raises
        ------
        ValueError
            For another number of axes than of features.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        n_features = len(self.feature_names)
        self.axes_ = _new_axes(n_features) if ax is None else np.ravel(ax)
        if len(self.axes_) != n_features:
            raise ValueError(
                f"ax must hold one axes for each of the {n_features} features, "
                f"got {len(self.axes_)}."
            )
        self.figure_ = self.axes_[0].figure
        panels = [self._draw(k, line_kwargs) for k in range(n_features)]
        self.bands_, self.lines_ = (list(parts) for parts in zip(*panels, strict=True))
        for ax in self.axes_:
            place = ax.get_subplotspec()
            if place is None or place.is_first_col():
                ax.set_ylabel("Partial dependence")
        if self.fold_effects is not None:
            self.axes_[0].legend(handles=self.bands_[:1], frameon=False, fontsize="small")
        return self

    def _draw(self, k, line_kwargs):
        """The band and the line of panel k."""
        ax, grid = self.axes_[k], np.asarray(self.grids[k])
        word = None if self.words is None else self.words[k]
        style = line_style(line_kwargs, color=COLOR_OF_WORD.get(word, "black"))
        band = None
        if self.fold_effects is not None:
            folds = np.asarray(self.fold_effects[k])
            shade = {"color": style["color"], "alpha": 0.2, "linewidth": 0}
            shade["label"] = f"range of {len(folds)} folds"
            band = ax.fill_between(grid, folds.min(0), folds.max(0), **shade)
        if len(grid) <= FEW_VALUES:
            style = {"marker": "o", "markersize": 4} | style
            ax.set_xticks(grid)
        elif self.deciles is not None:
            marks = {"color": "0.4", "linewidth": 0.8, "transform": ax.get_xaxis_transform()}
            ax.vlines(self.deciles[k], 0, 0.04, **marks)
        (line,) = ax.plot(grid, self.effects[k], **style)
        name = str(self.feature_names[k])
        ax.set_title(name if word is None else f"{name}: {word}", fontsize="medium")
        return band, line

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        features=None,
        *,
        target=None,
        percentiles=(0.05, 0.95),
        grid_resolution=50,
        ax=None,
        line_kwargs=None,
    ):
        """Draw the effects of features on an estimator's predictions.

        Parameters
        ----------
        estimator : fitted regressor or classifier
            A network, alone or inside a Pipeline, a search that refits or
            TransformedTargetRegressor. Words are those of networks that ``check_monotonic`` knows,
            alone or after scalers; bands are those of a RegularizedMLPRegressorCV or
            RegularizedMLPClassifierCV inside, fitted with ``keep_folds``.

        X : {array-like, dataframe} of shape (n_samples, n_features)
            Rows over which predictions are averaged, as the estimator takes them.

        features : list of str or int, default=None
            Columns of X, by name or position. None are the nine of the largest
            ``feature_importances_`` of the network, of all columns where it has none.

        target : int or class, default=None
            The output, from 0, or the class; needed where there are several. Of two classes the
            probability of the second is shown.

        percentiles : tuple of (float, float), default=(0.05, 0.95)
            Quantiles of a feature between which its values lie.

        grid_resolution : int, default=50
            Number of these values; features that have fewer are seen at all of theirs.

        ax : array-like of shape (n_features,) of matplotlib Axes, default=None
            Where to draw each feature; None is a new figure.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines.

        Returns
        -------
        display : EffectDisplay

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.

        ValueError
            For features that X has not, for several outputs without ``target``, and for another
            number of axes than of features.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(layers(estimator, lambda layer: False)[-1])
        X = _as_floats(X)
        names = np.asarray(getattr(X, "columns", range(X.shape[1])))
        places = _places(estimator, X, features)
        output = _output(estimator, target)
        grid = {"percentiles": percentiles, "grid_resolution": grid_resolution}
        seen = [_effect(estimator, X, j, output, grid) for j in places]
        networks = _networks_of_folds(estimator)
        display = cls(
            feature_names=[str(name) for name in names[places]],
            grids=[values for values, _ in seen],
            effects=[effect for _, effect in seen],
            words=_words(estimator, len(names), places, output or 0),
            fold_effects=[
                np.array([_effect(network, X, j, output, grid)[1] for network in networks])
                for j in places
            ]
            if networks
            else None,
            deciles=[np.nanpercentile(_safe_indexing(X, j, axis=1), DECILES) for j in places],
        )
        return display.plot(ax, line_kwargs=line_kwargs)


# What is shown


def _as_floats(X):
    """X with floats in the place of whole numbers and of booleans."""
    if not hasattr(X, "columns"):
        X = np.asarray(X)
        return X.astype(float) if X.dtype.kind in "iub" else X
    whole = [name for name, dtype in X.dtypes.items() if getattr(dtype, "kind", "O") in "iub"]
    return X.astype(dict.fromkeys(whole, float))


def _places(estimator, X, features):
    """Positions of the features, or of those that the network uses most."""
    if features is not None:
        return _get_column_indices(X, [features] if isinstance(features, str) else [*features])
    importances = getattr(layers(estimator, _has_importances)[-1], "feature_importances_", None)
    if importances is None or len(importances) != X.shape[1]:
        importances = np.ones(X.shape[1])
    order = np.argsort(-importances, kind="stable")
    used = order[importances[order] > 0]
    return [int(j) for j in (used if len(used) else order)[:MOST_FEATURES]]


def _has_importances(layer):
    return hasattr(layer, "feature_importances_")


def _output(estimator, target):
    """The place of an output among those of partial dependence, or None for the only one."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return target
    shown = classes[1:] if len(classes) == 2 else classes
    place = np.flatnonzero(shown == target)
    if len(shown) == 1 and target is None:
        return None
    if len(place) != 1:
        raise ValueError(f"target must be one of the classes {[*shown]}, got {target!r}.")
    return int(place[0])


def _effect(estimator, X, feature, output, grid):
    """(values, mean predictions at them) of a feature."""
    found = partial_dependence(estimator, X, [feature], kind="average", **grid)
    means = found["average"]
    if output is None and len(means) > 1:
        raise ValueError(f"target must be an output from 0 to {len(means) - 1}, got None.")
    if output is not None and not (isinstance(output, Integral) and 0 <= output < len(means)):
        raise ValueError(f"target must be an output from 0 to {len(means) - 1}, got {output!r}.")
    return found["grid_values"][0], means[output or 0]


def _networks_of_folds(estimator):
    """Copies of the estimator with the network of a fold each in the place of the one chosen."""
    chosen = layers(estimator, lambda layer: hasattr(layer, "fold_networks_"))[-1]
    if not hasattr(chosen, "fold_networks_"):
        return []
    shared = {id(value): value for value in vars(chosen).values()}
    place = id(chosen.estimator_)
    return [
        deepcopy(estimator, shared | {place: network}) for network in chosen.fold_networks_.networks
    ]


def _words(estimator, n_features, places, output):
    """What is proved of features, where the network sees the columns of X, or these scaled."""
    network = layers(estimator, lambda layer: hasattr(layer, "coefs_"))[-1]
    if not keeps_columns(estimator) or getattr(network, "n_features_in_", None) != n_features:
        return None
    try:
        found = check_monotonic(estimator)
    except (TypeError, NotFittedError):  # no network, or several
        return None
    n_outputs = len(found) // n_features
    return [found[j * n_outputs + output].direction for j in places]


def _new_axes(n_features):
    """Panels that share their ordinate, at most three a row."""
    import matplotlib.pyplot as plt

    n_columns = min(n_features, PER_ROW)
    n_rows = -(-n_features // n_columns)
    _, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(PANEL[0] * n_columns, PANEL[1] * n_rows),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax in axes.flat[n_features:]:
        ax.set_visible(False)
    return axes.flat[:n_features]
