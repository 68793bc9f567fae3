"""Peak memory of ``fit`` above what is in use before it, of skmlp and of MLPRegressor.

Each fit runs in a fresh process: after a small fit that loads what is loaded lazily, the data are
made, and the highest resident memory is read before and after. The parent imports nothing large,
since on Linux a child starts with the highest mark of its parent.

    python benchmarks/memory.py --rows 50000
"""

import argparse
import json
import resource
import subprocess
import sys
import time

MODELS = ["MLPRegressor", "skmlp"]
CASES = [  # kind of X, dtype, hidden layers, solver, other parameters
    ("dense", "float64", [100], "adam", {}),
    ("dense", "float32", [100], "adam", {}),
    ("CSR", "float64", [100], "adam", {}),
    ("dense", "float64", [100], "adam", {"early_stopping": True}),
    ("dense", "float64", [100], "lbfgs", {}),
    ("dense", "float64", [], "lbfgs", {}),
]
DENSITY = 0.1
MEGABYTE = 1e6


def peak_bytes():
    """The highest resident memory so far; Linux counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def data(kind, dtype, n_samples, n_features):
    """X and y, made without temporaries of X's size that would hide those of the fit."""
    import numpy as np
    from scipy import sparse

    rng = np.random.default_rng(0)
    y = rng.standard_normal(n_samples)
    if kind == "dense":
        X = np.empty((n_samples, n_features), dtype)
        rng.standard_normal(out=X, dtype=dtype)
        return X, y
    each = round(DENSITY * n_features)
    starts = np.arange(0, each * n_samples + 1, each, dtype=np.int32)
    columns = rng.integers(n_features // each, size=each * n_samples, dtype=np.int32)
    columns.reshape(n_samples, each)[:] += np.arange(each, dtype=np.int32) * (n_features // each)
    values = rng.standard_normal(each * n_samples, dtype)
    return sparse.csr_matrix((values, columns, starts), (n_samples, n_features)), y


def n_bytes(X):
    parts = [X] if hasattr(X, "nbytes") else [X.data, X.indices, X.indptr]
    return sum(part.nbytes for part in parts)


def child(model, kind, dtype, hidden, solver, others, n_samples, n_features, epochs):
    """Print the data's size, the memory a fit adds to it, both in bytes, and the fit's seconds."""
    from _timing import ignore_convergence, one_thread

    one_thread()
    ignore_convergence()
    if model == "skmlp":
        from skmlp import RegularizedMLPRegressor as Estimator
    else:
        from sklearn.neural_network import MLPRegressor as Estimator
    estimator = Estimator(
        hidden_layer_sizes=hidden, solver=solver, max_iter=epochs, random_state=0, **others
    )
    estimator.fit(*data(kind, dtype, 500, n_features))
    X, y = data(kind, dtype, n_samples, n_features)
    before, start = peak_bytes(), time.perf_counter()
    estimator.fit(X, y)
    elapsed = time.perf_counter() - start
    print(json.dumps([n_bytes(X), peak_bytes() - before, elapsed]))


def measure(model, case, args):
    command = [sys.executable, __file__, "--child"]
    command.append(json.dumps([model, *case, args.rows, args.features, args.epochs]))
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(*json.loads(args.child))
        return
    rows = []
    for case in CASES:
        kind, dtype, hidden, solver, others = case
        network = "-".join(map(str, hidden)) or "none"
        for model in MODELS:
            size, added, elapsed = measure(model, case, args)
            what = f"{kind} {dtype}, {network}, {', '.join([solver, *others])}"
            rows.append([what, model, size / MEGABYTE, added / MEGABYTE, added / size, elapsed])
    from _timing import print_table

    print(f"{args.rows} x {args.features}, {args.epochs} epochs")
    print_table(["data, hidden, solver", "model", "X, MB", "added, MB", "added / X", "s"], rows)


if __name__ == "__main__":
    main()
