"""What the displays share: styles, axes of strengths."""

import numpy as np

# Okabe and Ito's colours without the yellow, which is lost on white
COLORS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LINE_STYLES = ("-", "--", "-.", ":")


def axes_or_new(ax):
    """The axes, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def inches(ax):
    """Width and height of the axes, as they are before the next layout."""
    box = ax.get_window_extent()
    return np.array([box.width, box.height]) / ax.figure.dpi


def line_style(given, **defaults):
    """Keywords of a line: the given ones, whatever alias they have, over the defaults."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return defaults | normalize_kwargs(given or {}, Line2D)


def strength_axis(ax, param):
    """The strengths on a log axis."""
    ax.set_xscale("log")
    ax.set_xlabel("Strength" if param is None else f"Strength of {param}")


def number_axis(ax, strengths, n_features, label="Number of features"):
    """The numbers of features at the strengths, on an axis at the top for the present limits."""
    strengths, n_features = np.asarray(strengths), np.asarray(n_features)
    ax.get_xlim()  # what is drawn now enters the limits when they are asked for
    positions = ax.transData.transform([(strength, 0) for strength in strengths])[:, 0]
    shown = _apart(positions / ax.figure.dpi, _width(max(n_features)))
    top = ax.secondary_xaxis("top")
    top.set_xticks(strengths[shown], [str(number) for number in n_features[shown]])
    top.minorticks_off()
    top.set_xlabel(label)
    return top


def font_size(size):
    """A size such as 'small' in inches."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=size).get_size_in_points() / 72


def _width(number):
    """Inches that a number takes along an axis, with the gap to the next."""
    from matplotlib import rcParams

    return 0.65 * (len(str(number)) + 3) * font_size(rcParams["xtick.labelsize"])


def _apart(positions, gap):
    """Indices of ascending positions that are ``gap`` apart, the last one among them."""
    shown, last = [], np.inf
    for k in range(len(positions) - 1, -1, -1):
        if last - positions[k] >= gap:
            shown.append(k)
            last = positions[k]
    return shown[::-1]
