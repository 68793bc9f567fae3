"""Time of ``fit`` with adam: MLPRegressor, skorch and skmlp on nine shapes.

All three train the same layers with the same batches for the same number of epochs, in one process
in turn, on one thread. Speed-ups are medians of paired ratios. For the largest shape: the share of
the machine's matrix-multiply limit that each reaches.

    python benchmarks/fit.py                          # everything
    python benchmarks/fit.py --shapes 0 3 --repeats 5 --dtypes float32
"""

import argparse
import json
import statistics
from itertools import pairwise

import numpy as np
import torch
from _timing import ignore_convergence, in_turn, median_ratio, one_thread, print_table, seconds
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNetRegressor

from skmlp import RegularizedMLPRegressor

SHAPES = [  # rows, features, hidden layers, epochs
    (442, 10, (32,), 400),
    (442, 10, (100,), 400),
    (442, 10, (50, 25), 400),
    (1000, 20, (100,), 200),
    (2000, 20, (50, 20), 150),
    (5000, 20, (64, 64), 60),
    (5000, 50, (100, 100), 40),
    (20000, 20, (100,), 40),
    (20000, 50, (256, 256), 40),
]
BATCH_SIZE, LEARNING_RATE, ALPHA = 200, 1e-3, 1e-4
NAMES = ["MLPRegressor", "skorch", "skmlp"]


class Network(torch.nn.Sequential):
    """Dense layers with ReLU between them."""

    def __init__(self, sizes, dtype):
        layers = []
        for n_in, n_out in pairwise(sizes):
            layers += [torch.nn.Linear(n_in, n_out, dtype=dtype), torch.nn.ReLU()]
        super().__init__(*layers[:-1])


def regression_data(n_samples, n_features, dtype, noise=0.3):
    """Standardised X, and a y of variance one that depends on it through ten tanh units."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    units = np.tanh(X @ rng.standard_normal((n_features, 10)) / np.sqrt(n_features))
    y = units @ rng.standard_normal(10)
    y = y / y.std() + noise * rng.standard_normal(n_samples)
    return X.astype(dtype), ((y - y.mean()) / y.std()).astype(dtype)


def estimators(X, hidden, epochs):
    """The three with equal settings, each run to its last epoch."""
    batch_size = min(BATCH_SIZE, len(X))
    shared = {
        "hidden_layer_sizes": hidden,
        "alpha": ALPHA,
        "batch_size": batch_size,
        "learning_rate_init": LEARNING_RATE,
        "max_iter": epochs,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    skorch = NeuralNetRegressor(
        Network,
        module__sizes=(X.shape[1], *hidden, 1),
        module__dtype=torch.from_numpy(X).dtype,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=ALPHA / batch_size,  # what MLPRegressor adds to the gradient
        lr=LEARNING_RATE,
        batch_size=batch_size,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks="disable",
        verbose=0,
    )
    return [MLPRegressor(**shared), skorch, RegularizedMLPRegressor(**shared)]


def multiply_adds(n_samples, n_features, hidden, epochs):
    """Three products a layer in training, two for the first, which passes nothing back."""
    first, *others = (a * b for a, b in pairwise((n_features, *hidden, 1)))
    return (2 * first + 3 * sum(others)) * n_samples * epochs


def matmul_limit(dtype, hidden=(256,)):
    """The most multiply-adds a second of torch's matrix product, over a few shapes."""
    best = 0.0
    for rows, inner, columns in [(1024,) * 3, (2048,) * 3, (BATCH_SIZE, hidden[0], hidden[-1])]:
        a = torch.rand(rows, inner, dtype=getattr(torch, dtype))
        b = torch.rand(inner, columns, dtype=getattr(torch, dtype))
        out = a @ b
        work = rows * inner * columns
        calls = max(1, int(4e9 / work))
        for _ in range(3):
            best = max(
                best, work / seconds(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), calls)
            )
    return best


def measure(shape, dtype, repeats):
    """One row of the table as a dict."""
    n_samples, n_features, hidden, epochs = shape
    X, y = regression_data(n_samples, n_features, dtype)
    models = estimators(X, hidden, epochs)
    targets = [y, y[:, None], y]
    for model, target in zip(models, targets, strict=True):  # imports and first calls
        name = "max_epochs" if isinstance(model, NeuralNetRegressor) else "max_iter"
        clone(model).set_params(**{name: 1}).fit(X, target)
    torch.manual_seed(0)
    times = in_turn(
        [lambda m=m, t=t: m.fit(X, t) for m, t in zip(models, targets, strict=True)], repeats
    )
    return {
        "shape": f"{n_samples} x {n_features}, {'-'.join(map(str, hidden))}",
        "dtype": dtype,
        "epochs": epochs,
        "seconds": [statistics.median(t) for t in times],
        "speedup": [median_ratio(t, times[-1]) for t in times[:-1]],
        "r2": [r2_score(y, np.ravel(model.predict(X))) for model in models],
        "multiply_adds": multiply_adds(*shape),
    }


def print_results(rows):
    """The table, and the median and minimum of the speed-ups over its rows."""
    header = ["shape", "dtype", "epochs", *(f"{n}, s" for n in NAMES)]
    header += ["/ MLPRegressor", "/ skorch", "R2 of each"]
    print_table(
        header,
        [
            [r["shape"], r["dtype"], r["epochs"], *r["seconds"]]
            + [f"{s:.2f}" for s in r["speedup"]]
            + [" ".join(f"{score:.3f}" for score in r["r2"])]
            for r in rows
        ],
    )
    print()
    for name, speedups in zip(NAMES, zip(*(r["speedup"] for r in rows), strict=True), strict=False):
        middle, least = statistics.median(speedups), min(speedups)
        print(f"Speed of skmlp / {name}: median {middle:.2f}, minimum {least:.2f}")


def print_share_of_limit(row):
    """How near to the matrix product's own speed training comes."""
    limit = matmul_limit(row["dtype"])
    row["matmul_limit"] = limit
    shares = [row["multiply_adds"] / s / limit for s in row["seconds"]]
    text = ", ".join(f"{name} {share:.0%}" for name, share in zip(NAMES, shares, strict=True))
    print(f"{row['shape']}, {row['dtype']}: of {2e-9 * limit:.0f} GFLOP/s: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shapes", type=int, nargs="+", default=range(len(SHAPES)), metavar="K")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    parser.add_argument("--json", help="file for the results")
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    rows = [measure(SHAPES[k], dtype, args.repeats) for k in args.shapes for dtype in args.dtypes]
    print_results(rows)
    print("\nShare of the matrix-multiply limit, one thread:")
    for row in rows[-len(args.dtypes) :]:
        print_share_of_limit(row)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
