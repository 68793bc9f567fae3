"""The features along a path of penalties."""

from dataclasses import replace

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..estimators.inspection.unwrapping import fitted_cv, names_of_features
from .drawing import axes_or_new, font_size, inches, number_axis, strength_axis
from .labelled_lines import draw_lines, label_lines, room_for_labels

LEGEND_LINES = 2.5  # its height, in font sizes


class RegularizationPathDisplay:
    """Norm of each feature's weights at each strength of a penalty.

    The features that stay longest have lines of their own with their names at the dense end; the
    others are thin and grey. The numbers at the top are those of the features that are left, as in
    the plots of R's glmnet. Use :meth:`from_path` or :meth:`from_estimator` to make one.

    Parameters
    ----------
    strengths : array-like of shape (n_strengths,)
        The strengths, > 0 and ascending.

    feature_norms : array-like of shape (n_strengths, n_features)
        Norm of each feature's weights at each strength.

    n_features : array-like of shape (n_strengths,)
        Number of features selected at each strength.

    feature_names : array-like of shape (n_features,), default=None
        Names of the features; None numbers them from 0.

    strength : float, default=None
        A strength to mark, such as the one chosen.

    param : str, default=None
        Name of the penalty, for the label of the axis.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The line of each feature.

    labels_ : list of matplotlib Annotation
        The names at the dense end, from the feature that stays longest.

    strength_line_ : matplotlib Line2D or None
        The line that marks ``strength``.

    top_ax_ : matplotlib SecondaryAxis
        The axis of the numbers of features.

    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure that has them.

    See Also
    --------
    regularization_path : Computes paths.
    CVPathDisplay : Cross-validated errors along a path.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor, regularization_path
    >>> from skmlp import RegularizationPathDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> lasso = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    >>> path = regularization_path(lasso, X.apply(scale), y, param="l1_per_layer")
    >>> display = RegularizationPathDisplay.from_path(path, n_labels=2)
    >>> [label.get_text() for label in display.labels_]
    ['s5', 'bmi']
    """

    def __init__(
        self, *, strengths, feature_norms, n_features, feature_names=None, strength=None, param=None
    ):
        self.strengths = strengths
        self.feature_norms = feature_norms
        self.n_features = n_features
        self.feature_names = feature_names
        self.strength = strength
        self.param = param

    def plot(self, ax=None, *, n_labels=12, line_kwargs=None):
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure. Labels are placed for the size it has now.

        n_labels : int, default=12
            Number of features, at most, with lines and names of their own; fewer where the axes
            are too low for them. Long names are shortened in the middle.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines that have names.

        Returns
        -------
        display : RegularizationPathDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        ax = axes_or_new(ax)
        strengths, norms = np.asarray(self.strengths), np.asarray(self.feature_norms)
        named = _longest(norms)[: min(n_labels, room_for_labels(ax))]
        self.lines_ = draw_lines(ax, strengths, norms, named, line_kwargs)
        strength_axis(ax, self.param)
        ax.set_ylabel("Norm of standardised weights")
        top = np.max(norms, initial=0.0) or 1.0
        legend = (
            0.0 if self.strength is None else LEGEND_LINES * font_size("medium") / inches(ax)[1]
        )
        ax.set_ylim(-0.02 * top, 1.05 * top / (1 - legend))
        self.labels_ = label_lines(ax, self.lines_, named, self.feature_names)
        self.strength_line_ = self._mark(ax)
        self.top_ax_ = number_axis(ax, strengths, self.n_features)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _mark(self, ax):
        if self.strength is None:
            return None
        line = ax.axvline(
            self.strength,
            color="0.3",
            linestyle=(0, (6, 3)),
            linewidth=1,
            zorder=1,
            label=f"chosen: {self.strength:.3g}",
        )
        ax.legend(handles=[line], loc="upper right", framealpha=1, edgecolor="none")
        return line

    @classmethod
    def from_path(cls, path, *, strength=None, ax=None, n_labels=12, line_kwargs=None):
        """Draw a path.

        Parameters
        ----------
        path : RegularizationPath
            What :func:`regularization_path` returns.

        strength : float, default=None
            A strength to mark.

        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        n_labels : int, default=12
            Number of features, at most, with lines and names of their own.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines that have names.

        Returns
        -------
        display : RegularizationPathDisplay

        Raises
        ------
        TypeError
            For anything else than a path.
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        if isinstance(path, type) or not hasattr(path, "feature_norms"):
            raise TypeError(
                "path must be what regularization_path returns, or path_ of a fitted "
                f"RegularizedMLPRegressorCV; got {path!r:.60}. An estimator goes to from_estimator."
            )
        display = cls(
            strengths=path.strengths,
            feature_norms=path.feature_norms,
            n_features=path.n_features,
            feature_names=path.feature_names,
            strength=strength,
            param=path.param,
        )
        return display.plot(ax, n_labels=n_labels, line_kwargs=line_kwargs)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, n_labels=12, line_kwargs=None):
        """Draw the path of a cross-validated estimator, with the strength that it has chosen.

        There is none where it has chosen the network of all features.

        Parameters
        ----------
        estimator : RegularizedMLPRegressorCV
            Fitted, alone or inside a Pipeline, a search that refits, TransformedTargetRegressor or
            SelectFromModel.

        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        n_labels : int, default=12
            Number of features, at most, with lines and names of their own.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines that have names.

        Returns
        -------
        display : RegularizationPathDisplay

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.

        TypeError
            For another kind of estimator.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = fitted_cv(estimator)
        names = names_of_features(estimator, model)
        path = replace(model.path_, feature_names=names)
        settings = {"ax": ax, "n_labels": n_labels, "line_kwargs": line_kwargs}
        return cls.from_path(path, strength=model.strength_ or None, **settings)


def _longest(norms):
    """The features that are ever in the network, from the one that stays longest.

    Of those that leave together the one of larger norms comes first.
    """
    is_in = norms > 0
    last = np.where(is_in.any(0), len(norms) - 1 - np.argmax(is_in[::-1], axis=0), -1)
    order = np.lexsort((-norms.sum(0), -last))
    return order[last[order] >= 0]
