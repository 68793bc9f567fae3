"""How often each feature is selected on halves of the data."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..estimators.inspection.unwrapping import fitted, names_of_features
from .drawing import axes_or_new, number_axis, strength_axis
from .labelled_lines import draw_lines, label_lines, room_for_labels


class StabilitySelectionDisplay:
    """Share of the halves of the data that select each feature, at each strength of a penalty.

    The stable features have lines of their own with their names at the dense end, the others are
    thin and grey. A line is at the threshold, and the strengths that count, at which the expected
    number of false selections is bounded as asked for, are shaded: stable are the features whose
    line reaches the threshold there. The numbers at the top are how many features halves select on
    average. Use :meth:`from_selection` or :meth:`from_estimator` to make one.

    Parameters
    ----------
    strengths : array-like of shape (n_strengths,)
        The strengths, > 0 and ascending.

    frequency : array-like of shape (n_strengths, n_features)
        Share of the halves that select a feature at a strength.

    stability : array-like of shape (n_features,)
        The largest of these among the strengths that count.

    threshold : float
        The share asked for.

    max_false : float
        The bound on the expected number of false selections that was asked for.

    start : int or None
        Place of the first strength that counts; None if there is none.

    feature_names : array-like of shape (n_features,), default=None
        Names of the features; None numbers them from 0.

    param : str, default=None
        Name of the penalty, for the label of the axis.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The line of each feature.

    labels_ : list of matplotlib Annotation
        The names at the dense end, from the most stable feature.

    threshold_line_ : matplotlib Line2D
        The line at the threshold.

    region_ : matplotlib Rectangle or None
        The strengths that count.

    top_ax_ : matplotlib SecondaryAxis
        The axis of the mean numbers of features, rounded.

    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure that has them.

    See Also
    --------
    stability_selection : Counts how often halves of the data select features.
    RegularizationPathDisplay : Features along a path of penalties.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor, stability_selection
    >>> from skmlp import StabilitySelectionDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> linear = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)
    >>> found = stability_selection(linear, X.apply(scale), y, random_state=0)
    >>> display = StabilitySelectionDisplay.from_selection(found)
    >>> sorted(label.get_text() for label in display.labels_)
    ['bmi', 's5']
    """

    def __init__(
        self,
        *,
        strengths,
        frequency,
        stability,
        threshold,
        max_false,
        start,
        feature_names=None,
        param=None,
    ):
        self.strengths = strengths
        self.frequency = frequency
        self.stability = stability
        self.threshold = threshold
        self.max_false = max_false
        self.start = start
        self.feature_names = feature_names
        self.param = param

    def plot(self, ax=None, *, n_labels=12, line_kwargs=None):
        """Draw the frequencies.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure. Labels are placed for the size it has now.

        n_labels : int, default=12
            Number of stable features, at most, with lines and names of their own; fewer where the
            axes are too low for them. Long names are shortened in the middle.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines that have names.

        Returns
        -------
        display : StabilitySelectionDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        ax = axes_or_new(ax)
        strengths, frequency = np.asarray(self.strengths), np.asarray(self.frequency)
        named = self._stable()[: min(n_labels, room_for_labels(ax))]
        self.lines_ = draw_lines(ax, strengths, frequency, named, line_kwargs)
        strength_axis(ax, self.param)
        ax.set_ylabel("Share of halves that select a feature")
        ax.set_ylim(-0.02, 1.22)  # with room for the legend
        ax.set_yticks(np.linspace(0, 1, 6))
        self.labels_ = label_lines(ax, self.lines_, named, self.feature_names)
        self._mark(ax, strengths)
        n_selected = np.rint(frequency.sum(1)).astype(int)
        self.top_ax_ = number_axis(ax, strengths, n_selected, "Mean number of features")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _stable(self):
        """The stable features, from the most stable."""
        stability = np.asarray(self.stability)
        order = np.argsort(-stability, kind="stable")
        return order[stability[order] >= self.threshold] if self.start is not None else order[:0]

    def _mark(self, ax, strengths):
        """The threshold, and the strengths that count."""
        label = f"threshold: {self.threshold:g}"
        style = {"color": "0.3", "linestyle": (0, (6, 3)), "linewidth": 1, "zorder": 1}
        self.threshold_line_ = ax.axhline(self.threshold, label=label, **style)
        self.region_, handles = None, [self.threshold_line_]
        if self.start is not None:
            label = f"at most {self.max_false:g} false on average"
            right = ax.get_xlim()[1]
            style = {"color": "0.93", "zorder": 0, "linewidth": 0}
            self.region_ = ax.axvspan(strengths[self.start], right, label=label, **style)
            handles.append(self.region_)
        ax.legend(handles=handles, loc="upper right", ncols=2, framealpha=1, edgecolor="none")

    @classmethod
    def from_selection(cls, selection, *, ax=None, n_labels=12, line_kwargs=None):
        """Draw a stability selection.

        Parameters
        ----------
        selection : StabilitySelection
            What :func:`stability_selection` returns.

        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        n_labels : int, default=12
            Number of stable features, at most, with lines and names of their own.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines that have names.

        Returns
        -------
        display : StabilitySelectionDisplay

        Raises
        ------
        TypeError
            For anything else than a stability selection.
        """
        check_matplotlib_support(f"{cls.__name__}.from_selection")
        if isinstance(selection, type) or not hasattr(selection, "false_bound"):
            raise TypeError(
                "selection must be what stability_selection returns, or selection_ of a fitted "
                f"StabilitySelector; got {selection!r:.60}. A selector goes to from_estimator."
            )
        return cls._of(selection, selection.feature_names).plot(
            ax, n_labels=n_labels, line_kwargs=line_kwargs
        )

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, n_labels=12, line_kwargs=None):
        """Draw what a selector has found.

        Parameters
        ----------
        estimator : StabilitySelector
            Fitted, alone or as the last step of a Pipeline.

        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        n_labels : int, default=12
            Number of stable features, at most, with lines and names of their own.

        line_kwargs : dict, default=None
            Keywords of matplotlib's ``plot`` for the lines that have names.

        Returns
        -------
        display : StabilitySelectionDisplay

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.

        TypeError
            For another kind of estimator.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = fitted(estimator, "selection_", "a StabilitySelector")
        display = cls._of(model.selection_, names_of_features(estimator, model))
        return display.plot(ax, n_labels=n_labels, line_kwargs=line_kwargs)

    @classmethod
    def _of(cls, selection, names):
        fields = ["strengths", "frequency", "stability", "threshold", "max_false", "start", "param"]
        numbers = {name: getattr(selection, name) for name in fields}
        return cls(**numbers, feature_names=names)
