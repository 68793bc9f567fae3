"""Time of ``import skmlp`` and of ``predict``, against scikit-learn's MLPRegressor.

Imports run in fresh interpreters, in turn. Prediction on one row and on 10,000 runs in one process
in turn, on one thread; the ratio is a median of paired ratios, below one where skmlp is quicker.
"""

import argparse
import statistics
import subprocess
import sys

import numpy as np
from _timing import (
    calls_for,
    ignore_convergence,
    in_turn,
    median_ratio,
    one_thread,
    print_table,
)
from sklearn.neural_network import MLPRegressor

from skmlp import RegularizedMLPRegressor

IMPORTS = [
    "pass",
    "import numpy",
    "import sklearn.neural_network",
    "import sklearn.neural_network, torch",
    "import skmlp",
    "import skmlp, skmlp.engine.fitting",
]
NETWORKS = [(10, (32,)), (20, (100,)), (50, (256, 256))]
TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def import_seconds(statement):
    """Seconds of a statement in a fresh interpreter, without the interpreter's own start."""
    command = [sys.executable, "-c", TIMED.format(statement)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def measure_imports(repeats):
    rounds = [[import_seconds(statement) for statement in IMPORTS] for _ in range(repeats)]
    for statement, times in zip(IMPORTS, zip(*rounds, strict=True), strict=True):
        yield [f"`{statement}`", statistics.median(times), min(times)]


def measure_predictions(repeats):
    rng = np.random.default_rng(0)
    for n_features, hidden in NETWORKS:
        for dtype in ("float32", "float64"):
            X = rng.standard_normal((10_000, n_features)).astype(dtype)
            y = X[:, 0] + X[:, 1] ** 2
            models = [
                cls(hidden_layer_sizes=hidden, max_iter=1, random_state=0).fit(X[:500], y[:500])
                for cls in (RegularizedMLPRegressor, MLPRegressor)
            ]
            for rows in (X[:1], X):
                predictions = [lambda m=m, rows=rows: m.predict(rows) for m in models]
                times = in_turn(predictions, repeats, calls_for(predictions[0]))
                ms = [1e3 * statistics.median(t) for t in times]
                shape = f"{n_features}, {'-'.join(map(str, hidden))}"
                yield [shape, dtype, len(rows), *ms, median_ratio(*times)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--imports", type=int, default=5, help="repeats of the imports")
    args = parser.parse_args()
    print_table(["statement", "median, s", "minimum, s"], list(measure_imports(args.imports)))
    one_thread()
    ignore_convergence()
    print()
    print_table(
        ["features, hidden", "dtype", "rows", "skmlp, ms", "MLPRegressor, ms", "ratio"],
        list(measure_predictions(args.repeats)),
    )


if __name__ == "__main__":
    main()
