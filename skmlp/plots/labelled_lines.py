"""Lines along strengths: those that have names, with the names at the dense end, and the others."""

import numpy as np
from sklearn.isotonic import isotonic_regression

from .drawing import COLORS, LINE_STYLES, font_size, inches, line_style

LEADER = 0.05  # between a label and its line, in widths of the axes
LABEL = "small"  # font size
LINE_HEIGHT = 1.4  # of labels, in font sizes
LETTERS = 18  # of a label, at most


def draw_lines(ax, strengths, values, named, line_kwargs):
    """A line for each column of values (n_strengths, n), those that are named in colours."""
    styles = [{"color": "0.75", "linewidth": 0.6, "zorder": 1}] * values.shape[1]
    for k, j in enumerate(named):
        color, dashes = COLORS[k % len(COLORS)], LINE_STYLES[k % len(LINE_STYLES)]
        styles[j] = line_style(line_kwargs, color=color, linestyle=dashes, zorder=2.5 - 1e-3 * k)
    return [ax.plot(strengths, values[:, j], **style)[0] for j, style in enumerate(styles)]


def label_lines(ax, lines, named, names):
    """The names of some lines, None for numbers, at their dense ends, where room is made."""
    names = np.arange(len(lines)) if names is None else names
    labels = [_label(ax, lines[j], str(names[j])) for j in named]
    _place(ax, labels, lines[0].get_xdata())
    return labels


def _label(ax, line, name):
    """A label to be placed, with its leader to the line."""
    return ax.annotate(
        _shortened(name),
        (line.get_xdata()[0], line.get_ydata()[0]),
        xytext=(0, 0),
        textcoords="axes fraction",
        ha="right",
        va="center",
        fontsize=LABEL,
        arrowprops={
            "arrowstyle": "-",
            "relpos": (1, 0.5),
            "color": line.get_color(),
            "linewidth": 0.6,
            "shrinkA": 1,
            "shrinkB": 0,
        },
    )


def room_for_labels(ax):
    """How many labels fit above each other."""
    return int(inches(ax)[1] / _line_height())


def _line_height():
    """Inches from one label to the next."""
    return LINE_HEIGHT * font_size(LABEL)


def _shortened(name):
    """The name, without its middle where it is long: columns of a code differ at their ends."""
    half = LETTERS // 2
    return name if len(name) <= LETTERS else f"{name[: half - 1]}…{name[-half:]}"


def _place(ax, labels, strengths):
    """Make room for the labels left of the dense end and stack them there without overlap."""
    from matplotlib.text import Text

    widths = [Text.get_window_extent(label).width for label in labels]  # without the leaders
    width = max(widths, default=0) / ax.get_window_extent().width + 0.01
    margin = width + LEADER if labels else 0.03
    first, last = np.log(strengths[[0, -1]])
    span = max(last - first, 0.1) / max(0.97 - margin, 0.2)
    ax.set_xlim(np.exp(last + 0.03 * span - span), np.exp(last + 0.03 * span))
    if not labels:
        return
    to_axes = ax.transData + ax.transAxes.inverted()
    heights = to_axes.transform([label.xy for label in labels])[:, 1]
    gap = _line_height() / inches(ax)[1]
    for label, height in zip(labels, _stacked(heights, gap), strict=True):
        label.set_position((width, height))


def _stacked(heights, gap):
    """The nearest heights in [0, 1], in the same order, that are ``gap`` apart.

    The nearest in squares: less the gaps, they are an isotonic regression.
    """
    order = np.argsort(heights, kind="stable")
    gaps = gap * np.arange(len(heights))
    bounds = gap / 2, 1 - gap / 2 - gaps[-1]
    placed = np.empty(len(heights))
    placed[order] = gaps + isotonic_regression(
        heights[order] - gaps, y_min=bounds[0], y_max=bounds[1]
    )
    return placed
