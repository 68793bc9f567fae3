"""Tables of columns by name: as text, as HTML and as a data frame."""

from html import escape

import numpy as np


def frame_of(columns):
    """A table of columns by name; ImportError where there is no pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas: pip install pandas.") from error
    return pd.DataFrame(columns)


def text_of(columns):
    """Lines of a table: words to the left, numbers to the right."""
    cells = {name: [name, *map(shown, column)] for name, column in columns.items()}
    widths = {name: max(map(len, column)) for name, column in cells.items()}
    left = {name for name, column in columns.items() if not _is_numeric(column)}
    return [
        "  ".join(
            cell.ljust(widths[name]) if name in left else cell.rjust(widths[name])
            for name, cell in zip(cells, row, strict=True)
        ).rstrip()
        for row in zip(*cells.values(), strict=True)
    ]


def html_of(columns):
    """A table in HTML."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    rows = zip(*([shown(value) for value in column] for column in columns.values()), strict=True)
    body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def shown(value):
    """A cell: floats to four digits."""
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _is_numeric(column):
    return np.asarray(column).dtype.kind in "iuf"
