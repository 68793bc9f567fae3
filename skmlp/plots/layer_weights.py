"""The weights of each layer."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..estimators.inspection.unwrapping import fitted, names_of_features
from .drawing import inches

ZEROS = {"hatch": "//////", "facecolor": "0.97", "edgecolor": "0.75"}
NAME = 0.15  # inches for a name
CELL = 0.09  # inches, at least, for a weight in a figure of our own
BAR = 0.13  # inches across a colour bar
DEFAULT_SHARE = 0.77  # of a figure's height, in axes before the layout
SIGNED = 0.05  # share of the largest weight above which the colour shows, and a sign is set


class WeightsDisplay:
    """Heat map of each layer's weights: a row for each input, a column for each unit.

    Each layer has a symmetric colour scale of its own. Exact zeros are not coloured, the hatched
    ground is seen instead. Negative weights have a minus sign where there is room for it, and where
    they are not so small that their colour is that of zero. Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    coefs : list of array-like of shape (n_in, n_out)
        The weight matrix of each layer.

    feature_names : array-like of shape (n_features,), default=None
        Names of the first layer's inputs; None numbers them from 0.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        The heat maps; their arrays are masked where a weight is zero.

    signs_ : list of matplotlib PathCollection
        The minus signs of each layer; None where there is no room.

    colorbars_ : list of matplotlib Colorbar
        The colour bars.

    axes_ : ndarray of shape (n_layers,) of matplotlib Axes
        The axes of each layer.

    figure_ : matplotlib Figure
        The figure that has them.

    See Also
    --------
    RegularizedMLPRegressor : Fits networks whose zeros are exact.
    RegularizationPathDisplay : Features along a path of penalties.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skmlp import RegularizedMLPRegressor
    >>> from skmlp import WeightsDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=8, activation="tanh", solver="lbfgs",
    ...                               l1_per_layer=0.03, random_state=0).fit(X.apply(scale), y)
    >>> display = WeightsDisplay.from_estimator(mlp)
    >>> [image.get_array().shape for image in display.images_]
    [(10, 8), (8, 1)]
    """

    def __init__(self, *, coefs, feature_names=None):
        self.coefs = coefs
        self.feature_names = feature_names

    def plot(self, ax=None, *, cmap="PuOr_r"):
        """Draw the layers.

        Parameters
        ----------
        ax : array-like of shape (n_layers,) of matplotlib Axes, default=None
            Where to draw each layer; None is a new figure. A network of one layer takes its axes
            alone, too.

        cmap : str or matplotlib Colormap, default='PuOr_r'
            A diverging colour map.

        Returns
        -------
        display : WeightsDisplay

        Raises
        ------
        ValueError
            For another number of axes than of layers.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        coefs = [np.asarray(coef) for coef in self.coefs]
        self.axes_ = _new_axes(coefs) if ax is None else np.ravel(ax)
        if len(self.axes_) != len(coefs):
            raise ValueError(
                f"ax must hold one axes for each of the {len(coefs)} layers, got {len(self.axes_)}."
            )
        layers = list(zip(self.axes_, coefs, strict=True))
        self.figure_ = self.axes_[0].figure
        self.images_ = [_draw(ax, coef, cmap) for ax, coef in layers]
        self.colorbars_ = [_color_bar(image) for image in self.images_]
        self.signs_ = [_sign(ax, coef) for ax, coef in layers]
        for k, (ax, coef) in enumerate(layers):
            self._describe(ax, coef, k)
        return self

    def _describe(self, ax, coef, k):
        """Title, labels and ticks of layer k."""
        ax.set_title(f"coefs_[{k}]\n{_zeros(coef)}", fontsize="medium")
        ax.set_xlabel("Output" if k == len(self.coefs) - 1 else f"Unit of layer {k}")
        ax.set_ylabel(f"Unit of layer {k - 1}" if k else "Feature")
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if k == 0 and self.feature_names is not None:
            step = -(-len(coef) * NAME // inches(ax)[1])
            shown = np.arange(0, len(coef), int(step))
            ax.set_yticks(shown, np.asarray(self.feature_names)[shown], fontsize="small")
            ax.set_ylabel(None)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, cmap="PuOr_r"):
        """Draw the weights of an estimator.

        Parameters
        ----------
        estimator : RegularizedMLPRegressor or RegularizedMLPRegressorCV
            Fitted, alone or inside a Pipeline, a search that refits, TransformedTargetRegressor or
            SelectFromModel. Any estimator with ``coefs_`` will do, scikit-learn's MLPRegressor too.

        ax : array-like of shape (n_layers,) of matplotlib Axes, default=None
            Where to draw each layer; None is a new figure.

        cmap : str or matplotlib Colormap, default='PuOr_r'
            A diverging colour map.

        Returns
        -------
        display : WeightsDisplay

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.

        TypeError
            For another kind of estimator.

        ValueError
            For another number of axes than of layers.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        network = fitted(estimator, "coefs_", "a network with coefs_")
        names = names_of_features(estimator, network)
        display = cls(coefs=network.coefs_, feature_names=names)
        return display.plot(ax, cmap=cmap)


def _new_axes(coefs):
    """A row of axes, as wide as the layers have units within bounds."""
    import matplotlib.pyplot as plt

    widths = [np.clip(2 * CELL * coef.shape[1], 0.8, 6) for coef in coefs]
    height = np.clip(max(NAME * len(coefs[0]), *(CELL * len(coef) for coef in coefs)), 2.5, 8)
    _, axes = plt.subplots(
        ncols=len(coefs),
        figsize=(sum(widths) + 1.4 * len(coefs), height / DEFAULT_SHARE),
        width_ratios=widths,
        squeeze=False,
        layout="constrained",
    )
    return axes[0]


def _draw(ax, coef, cmap):
    """The heat map, transparent over a hatched ground where a weight is zero."""
    import matplotlib.pyplot as plt

    limit = np.max(np.abs(coef)) or 1.0
    ax.patch.set(**ZEROS)
    return ax.imshow(
        np.ma.masked_equal(coef, 0),
        cmap=plt.get_cmap(cmap).with_extremes(bad=(0, 0, 0, 0)),
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
    )


def _color_bar(image):
    """A bar as high as the axes, and not wider where these are."""
    ax = image.axes
    width, height = inches(ax)
    return ax.figure.colorbar(
        image,
        ax=ax,
        fraction=2 * BAR / width,
        pad=0.5 * BAR / width,
        aspect=height / BAR,
        anchor=(0, 0.5),
    )


def _sign(ax, coef):
    """A minus sign in each cell of a negative weight, since its lightness does not tell."""
    size = 36 * np.min(inches(ax) / coef.shape[::-1])  # points, half a cell
    if size < 2:
        return None
    limit = np.max(np.abs(coef))
    rows, columns = np.nonzero(coef < -SIGNED * limit)
    colors = np.where(coef[rows, columns] < -0.5 * limit, "white", "black")
    return ax.scatter(columns, rows, s=min(size, 6) ** 2, c=colors, marker="_", linewidths=0.8)


def _zeros(coef):
    n_zeros = np.sum(coef == 0)
    return f"{n_zeros} of {coef.size} zero" + (" (hatched)" if n_zeros else "")
