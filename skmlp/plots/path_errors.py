"""The cross-validated errors along a path of penalties."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..estimators.inspection.unwrapping import fitted_cv
from ..paths.cross_validated.choice_summary import error_name
from .drawing import COLORS, axes_or_new, line_style, number_axis, strength_axis


class CVPathDisplay:
    """Cross-validated error at each strength of a penalty, with its standard error.

    As ``plot(cv.glmnet)`` in R: the lines mark the strength of the least error and the largest one
    within a standard error of it, the numbers at the top are those of the features that are left.
    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    strengths : array-like of shape (n_strengths,)
        The strengths, > 0 and ascending.

    mse_mean, mse_se : array-like of shape (n_strengths,)
        Mean error over the folds, and its standard error.

    n_features : array-like of shape (n_strengths,)
        Number of features selected from all data.

    strength_min, strength_1se : float
        The strength of the least mean error, and the largest within one standard error of it.

    error_name : str, default='Mean squared error'
        What the errors are.

    alpha : float, default=None
        The alpha whose errors these are, where several are compared.

    others : dict of float to (array-like, array-like), default=None
        Strengths and mean errors of other alphas, those of three strengths or more.

    error_of_all : float, default=None
        The mean error of the network of all features.

    param : str, default=None
        Name of the penalty, for the label of the axis.

    Attributes
    ----------
    errorbar_ : matplotlib ErrorbarContainer
        The mean errors with their standard errors.

    other_lines_ : list of matplotlib Line2D
        Those of the other alphas.

    all_features_line_ : matplotlib Line2D or None
        That of the network of all features.

    strength_min_line_, strength_1se_line_ : matplotlib Line2D
        The lines of the two strengths.

    top_ax_ : matplotlib SecondaryAxis
        The axis of the numbers of features.

    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure that has them.

    See Also
    --------
    RegularizedMLPRegressorCV : Chooses the strength of a penalty.
    RegularizationPathDisplay : Features along a path of penalties.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV
    >>> from skmlp import CVPathDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> lasso = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    >>> model = RegularizedMLPRegressorCV(lasso, param="l1_per_layer").fit(scale(X), y)
    >>> display = CVPathDisplay.from_estimator(model)
    >>> display.ax_.get_ylabel()
    'Mean squared error'
    """

    def __init__(
        self,
        *,
        strengths,
        mse_mean,
        mse_se,
        n_features,
        strength_min,
        strength_1se,
        error_name="Mean squared error",
        alpha=None,
        others=None,
        error_of_all=None,
        param=None,
    ):
        self.strengths = strengths
        self.mse_mean = mse_mean
        self.mse_se = mse_se
        self.n_features = n_features
        self.strength_min = strength_min
        self.strength_1se = strength_1se
        self.error_name = error_name
        self.alpha = alpha
        self.others = others
        self.error_of_all = error_of_all
        self.param = param

    def plot(self, ax=None, *, errorbar_kwargs=None, line_kwargs=None):
        """Draw the errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        errorbar_kwargs : dict, default=None
            Keywords of matplotlib's ``errorbar``.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``axvline`` for the lines of the two strengths.

        Returns
        -------
        display : CVPathDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        ax = axes_or_new(ax)
        strength_axis(ax, self.param)
        style = line_style(
            errorbar_kwargs,
            color=COLORS[0],
            linestyle="none",
            marker="o",
            markersize=4,
            ecolor="0.6",
            elinewidth=1,
            capsize=2,
        )
        if self.alpha is not None:
            style = {"label": f"alpha = {self.alpha:.3g}"} | style
        self._plot_others(ax)
        self.errorbar_ = ax.errorbar(self.strengths, self.mse_mean, self.mse_se, **style)
        self.strength_min_line_ = self._mark(
            ax, self.strength_min, "least error", line_kwargs, "--"
        )
        self.strength_1se_line_ = self._mark(ax, self.strength_1se, "within 1 SE", line_kwargs, ":")
        ax.set_ylabel(self.error_name)
        lines = [self.strength_min_line_, self.strength_1se_line_]
        if self.alpha is not None:
            lines = [self.errorbar_, *self.other_lines_, *lines]
        if self.all_features_line_ is not None:
            lines.append(self.all_features_line_)
        ax.legend(handles=lines, framealpha=1, edgecolor="none")
        self.top_ax_ = number_axis(ax, self.strengths, self.n_features)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_others(self, ax):
        """The errors of other alphas, from rough to smooth, and of all features."""
        others = sorted((self.others or {}).items())
        shades = np.linspace(0.35, 0.75, max(len(others), 1))
        self.other_lines_ = [
            ax.plot(
                *points, "o-", color=str(shade), markersize=3, lw=1, label=f"alpha = {alpha:.3g}"
            )[0]
            for (alpha, points), shade in zip(others, shades, strict=False)
        ]
        self.all_features_line_ = None
        if self.error_of_all is not None:
            style = {"color": COLORS[1], "linestyle": "-.", "linewidth": 1}
            self.all_features_line_ = ax.axhline(self.error_of_all, label="all features", **style)

    def _mark(self, ax, strength, label, line_kwargs, dashes):
        nearest = np.argmin(np.abs(np.asarray(self.strengths) - strength))
        number = self.n_features[nearest]
        label = f"{label}: {strength:.3g} ({number} feature{'' if number == 1 else 's'})"
        style = line_style(line_kwargs, color="black", linestyle=dashes, linewidth=1.2, zorder=1)
        return ax.axvline(strength, label=label, **style)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, errorbar_kwargs=None, line_kwargs=None):
        """Draw the errors of a cross-validated estimator.

        Parameters
        ----------
        estimator : RegularizedMLPRegressorCV
            Fitted, alone or inside a Pipeline, a search that refits, TransformedTargetRegressor or
            SelectFromModel.

        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        errorbar_kwargs : dict, default=None
            Keywords of matplotlib's ``errorbar``.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``axvline`` for the lines of the two strengths.

        Returns
        -------
        display : CVPathDisplay

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.

        TypeError
            For another kind of estimator.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = fitted_cv(estimator)
        display = cls(
            strengths=model.strengths_,
            mse_mean=model.mse_mean_,
            mse_se=model.mse_se_,
            n_features=model.n_features_path_,
            strength_min=model.strength_min_,
            strength_1se=model.strength_1se_,
            error_name=error_name(model),
            **_surface(model),
            param=model.param,
        )
        return display.plot(ax, errorbar_kwargs=errorbar_kwargs, line_kwargs=line_kwargs)


def _surface(model):
    """What is shown of other alphas, where several are compared."""
    if not hasattr(model, "alpha_"):
        return {}
    strength, alpha, error = (model.cv_results_[k] for k in ("strength", "alpha", "mean_error"))
    is_path, is_own = strength > 0, np.isclose(alpha, model.alpha_)
    others = {
        float(one): (strength[rows], error[rows])
        for one in np.unique(alpha[~is_own])
        if (rows := is_path & (alpha == one)).sum() > 2
    }
    of_all = error[~is_path & is_own]
    return {
        "alpha": model.alpha_,
        "others": others,
        "error_of_all": float(of_all[0]) if of_all.size else None,
    }
