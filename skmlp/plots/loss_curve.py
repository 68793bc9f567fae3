"""The loss of each epoch."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..estimators.inspection.unwrapping import fitted
from .drawing import axes_or_new, line_style


class LossCurveDisplay:
    """Training loss, and validation loss where it is recorded, of each epoch.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch; of skmlp's estimators and scikit-learn's, penalties included.

    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Mean loss on validation data after each epoch, without penalties.

    name : str, default=None
        What the legend calls the estimator; None leaves it without a name.

    Attributes
    ----------
    training_line_, validation_line_ : matplotlib Line2D
        The curves; ``validation_line_`` is None without validation losses.

    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure that has them.

    See Also
    --------
    RegularizationPathDisplay : Features along a path of penalties.
    CVPathDisplay : Cross-validated errors along a path.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmlp import RegularizedMLPRegressor
    >>> from skmlp import LossCurveDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = RegularizedMLPRegressor(early_stopping=True, learning_rate_init=0.01, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(mlp.fit(X, y))
    >>> display.ax_.get_yscale()
    'log'
    """

    def __init__(self, *, loss_curve, validation_loss_curve=None, name=None):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.name = name

    def plot(
        self, ax=None, *, name=None, yscale=None, training_kwargs=None, validation_kwargs=None
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure. Both curves of one display have the next colour of
            the axes, so that several displays can share them.

        name : str, default=None
            What the legend calls the estimator; None is the display's ``name``.

        yscale : {'log', 'linear'}, default=None
            Scale of the losses. None is 'log' where all losses are positive.

        training_kwargs, validation_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for each curve.

        Returns
        -------
        display : LossCurveDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        ax = axes_or_new(ax)
        name = self.name if name is None else name
        prefix = "" if name is None else f"{name}: "
        style = line_style(training_kwargs, label=f"{prefix}training, with penalties")
        (self.training_line_,) = ax.plot(_epochs(self.loss_curve), self.loss_curve, **style)
        self.validation_line_ = None
        if self.validation_loss_curve is not None:
            style = line_style(
                validation_kwargs,
                label=f"{prefix}validation",
                color=self.training_line_.get_color(),
                linestyle="--",
            )
            losses = self.validation_loss_curve
            (self.validation_line_,) = ax.plot(_epochs(losses), losses, **style)
        _scale_losses(ax, yscale)
        ax.set(xlabel="Epoch", ylabel="Loss")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        name=None,
        yscale=None,
        training_kwargs=None,
        validation_kwargs=None,
    ):
        """Draw the curves of an estimator.

        Parameters
        ----------
        estimator : RegularizedMLPRegressor
            Fitted with solver 'adam' or 'sgd', alone or inside a Pipeline, a search that refits,
            TransformedTargetRegressor or SelectFromModel. Any estimator with ``loss_curve_`` will
            do, scikit-learn's MLPRegressor too.

        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        name : str, default=None
            What the legend calls the estimator.

        yscale : {'log', 'linear'}, default=None
            Scale of the losses. None is 'log' where all losses are positive.

        training_kwargs, validation_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for each curve.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.

        TypeError
            For another kind of estimator.

        ValueError
            For an estimator without a loss curve, such as one with solver 'lbfgs'.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        estimator = fitted(estimator, "coefs_", "a network with loss_curve_")
        if not hasattr(estimator, "loss_curve_"):
            raise ValueError(_no_curve(estimator))
        display = cls(
            loss_curve=np.array(estimator.loss_curve_),
            validation_loss_curve=_array_or_none(
                getattr(estimator, "validation_loss_curve_", None)
            ),
            name=name,
        )
        return display.plot(
            ax,
            yscale=yscale,
            training_kwargs=training_kwargs,
            validation_kwargs=validation_kwargs,
        )


def _scale_losses(ax, yscale):
    """The scale given, else a log scale where all losses on the axes are positive."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    if yscale is None:
        is_positive = not any((np.asarray(line.get_ydata()) <= 0).any() for line in ax.lines)
        yscale = "log" if is_positive else "linear"
    ax.set_yscale(yscale)
    if yscale == "log":
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())


def _epochs(losses):
    return np.arange(1, len(losses) + 1)


def _array_or_none(values):
    return None if values is None else np.array(values)


def _no_curve(estimator):
    described = type(estimator).__name__
    if hasattr(estimator, "solver"):
        described += f" with solver={estimator.solver!r}"
    return f"{described} has no loss_curve_: only the solvers 'adam' and 'sgd' record one."
