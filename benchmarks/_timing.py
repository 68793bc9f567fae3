"""What the benchmarks share: taking times in turn, on one thread, and printing tables."""

import statistics
import time
import warnings

from sklearn.exceptions import ConvergenceWarning


def one_thread():
    """Hold torch, BLAS and OpenMP to one thread, for the rest of the process."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)


def ignore_convergence():
    """No warnings about epochs that are few on purpose."""
    warnings.simplefilter("ignore", ConvergenceWarning)


def seconds(function, calls=1, clock=time.perf_counter):
    """Seconds of one call, averaged over ``calls``."""
    start = clock()
    for _ in range(calls):
        function()
    return (clock() - start) / calls


def in_turn(functions, repeats, calls=1, clock=time.perf_counter):
    """Seconds of each function, ``repeats`` times A B C A B C ...: one list a function."""
    rounds = [[seconds(function, calls, clock) for function in functions] for _ in range(repeats)]
    return [list(times) for times in zip(*rounds, strict=True)]


def median_ratio(times, reference):
    """Median of the paired ratios ``times`` / ``reference``."""
    return statistics.median(a / b for a, b in zip(times, reference, strict=True))


def calls_for(function, least=0.02):
    """Calls a sample needs to last about ``least`` seconds."""
    function()
    return max(1, round(least / seconds(function)))


def print_table(header, rows):
    """A table in Markdown, readable as it is; floats to three digits."""
    cells = [[f"{c:.3g}" if isinstance(c, float) else str(c) for c in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    for row in (header, ["-" * width for width in widths], *cells):
        print("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |")
