"""Time of ``fit`` with adam: MLPRegressor, skorch and skmlp on nine shapes, and two short fits.

All three train the same layers with the same batches for the same number of epochs, in one process
in turn, on one thread. Speed-ups are medians of paired ratios. For the largest shape: the share of
the machine's matrix-multiply limit that each reaches.

    python benchmarks/fit.py                          # everything
    python benchmarks/fit.py --shapes 0 3 --repeats 5 --dtypes float32 --activations tanh
    python benchmarks/fit.py --without-skorch
"""

import argparse
import json
import statistics
from itertools import pairwise

import numpy as np
import torch
from _timing import ignore_convergence, in_turn, median_ratio, one_thread, print_table, seconds
from sklearn.base import clone
from sklearn.metrics import log_loss, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from skorch import NeuralNetRegressor

from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor

SHAPES = [  # rows, features, hidden layers, epochs, batch size
    (442, 10, (32,), 400, 200),
    (442, 10, (100,), 400, 200),
    (442, 10, (50, 25), 400, 200),
    (1000, 20, (100,), 200, 200),
    (2000, 20, (50, 20), 150, 200),
    (5000, 20, (64, 64), 60, 200),
    (5000, 50, (100, 100), 40, 200),
    (20000, 20, (100,), 40, 200),
    (20000, 50, (256, 256), 40, 200),
    (2000, 300, (100,), 12, 200),
    (20000, 50, (256, 256), 2, 1024),
]
N_LONG = 9  # the others are short fits, where what surrounds the epochs weighs
LEARNING_RATE, ALPHA = 1e-3, 1e-4
NAMES = ["MLPRegressor", "skorch", "skmlp"]


class Network(torch.nn.Sequential):
    """Dense layers with an activation between them."""

    def __init__(self, sizes, dtype, activation):
        layers = []
        for n_in, n_out in pairwise(sizes):
            layers += [torch.nn.Linear(n_in, n_out, dtype=dtype), activation()]
        super().__init__(*layers[:-1])


def regression_data(n_samples, n_features, dtype, noise=0.3):
    """Standardised X, and a y of variance one that depends on it through ten tanh units."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    units = np.tanh(X @ rng.standard_normal((n_features, 10)) / np.sqrt(n_features))
    y = units @ rng.standard_normal(10)
    y = y / y.std() + noise * rng.standard_normal(n_samples)
    return X.astype(dtype), ((y - y.mean()) / y.std()).astype(dtype)


def estimators(X, hidden, epochs, batch_size, activation):
    """The three with equal settings, each run to its last epoch."""
    shared = {
        "activation": activation,
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
        module__activation={"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[activation],
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


def multiply_adds(n_samples, n_features, hidden, epochs, _):
    """Three products a layer in training, two for the first, which passes nothing back."""
    first, *others = (a * b for a, b in pairwise((n_features, *hidden, 1)))
    return (2 * first + 3 * sum(others)) * n_samples * epochs


def matmul_limit(dtype, hidden=(256,)):
    """The most multiply-adds a second of torch's matrix product, over a few shapes."""
    best = 0.0
    for rows, inner, columns in [(1024,) * 3, (2048,) * 3, (200, hidden[0], hidden[-1])]:
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


def measure(shape, dtype, activation, names, repeats):
    """One row of the table as a dict."""
    n_samples, n_features, hidden, epochs, batch_size = shape
    X, y = regression_data(n_samples, n_features, dtype)
    models = estimators(X, hidden, epochs, batch_size, activation)
    models = [model for name, model in zip(NAMES, models, strict=True) if name in names]
    targets = [y[:, None] if isinstance(model, NeuralNetRegressor) else y for model in models]
    for model, target in zip(models, targets, strict=True):  # imports and first calls
        name = "max_epochs" if isinstance(model, NeuralNetRegressor) else "max_iter"
        clone(model).set_params(**{name: 1}).fit(X, target)
    torch.manual_seed(0)
    times = in_turn(
        [lambda m=m, t=t: m.fit(X, t) for m, t in zip(models, targets, strict=True)], repeats
    )
    n_steps = epochs * -(-n_samples // batch_size)
    return {
        "shape": f"{n_samples} x {n_features}, {'-'.join(map(str, hidden))}",
        "dtype": dtype,
        "activation": activation,
        "epochs": epochs,
        "microseconds": 1e6 * statistics.median(times[-1]) / n_steps,
        "seconds": [statistics.median(t) for t in times],
        "speedup": [median_ratio(t, times[-1]) for t in times[:-1]],
        "r2": [r2_score(y, np.ravel(model.predict(X))) for model in models],
        "multiply_adds": multiply_adds(*shape),
    }


CLASSES = [  # rows, features, hidden, epochs, batch, classes
    (500, 10, (32,), 200, 200, 2),
    (2000, 20, (50,), 100, 200, 2),
    (2000, 20, (50,), 100, 200, 3),
    (5000, 20, (64, 64), 40, 200, 10),
]


def measure_classes(shape, dtype, repeats):
    """A row of the table of classifiers: skmlp's beside MLPClassifier."""
    n_samples, n_features, hidden, epochs, batch_size, n_classes = shape
    X, y = regression_data(n_samples, n_features, dtype)
    y = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    shared = {"hidden_layer_sizes": hidden, "alpha": ALPHA, "batch_size": batch_size}
    shared |= {"max_iter": epochs, "n_iter_no_change": np.inf, "random_state": 0}
    models = [kind(**shared) for kind in (MLPClassifier, RegularizedMLPClassifier)]
    for model in models:
        clone(model).set_params(max_iter=1).fit(X, y)
    times = in_turn([lambda m=m: m.fit(X, y) for m in models], repeats)
    losses = [f"{log_loss(y, model.predict_proba(X)):.3f}" for model in models]
    label = f"{n_samples} x {n_features}, {'-'.join(map(str, hidden))}"
    seconds_of = [statistics.median(t) for t in times]
    ratio = f"{median_ratio(*times):.2f}"
    return [label, n_classes, dtype, epochs, *seconds_of, ratio, " ".join(losses)]


def print_results(rows, names):
    """The table, and the median and minimum of the speed-ups over its rows."""
    header = ["shape", "dtype", "activation", "epochs", *(f"{n}, s" for n in names)]
    header += [*(f"/ {n}" for n in names[:-1]), "us a step", "R2 of each"]
    print_table(
        header,
        [
            [r["shape"], r["dtype"], r["activation"], r["epochs"], *r["seconds"]]
            + [f"{s:.2f}" for s in r["speedup"]]
            + [f"{r['microseconds']:.1f}", " ".join(f"{score:.3f}" for score in r["r2"])]
            for r in rows
        ],
    )
    print()
    for activation in dict.fromkeys(r["activation"] for r in rows):
        own = [r["speedup"] for r in rows if r["activation"] == activation and r["is_long"]]
        for name, speedups in zip(names, zip(*own, strict=True), strict=False):
            middle, least = statistics.median(speedups), min(speedups)
            print(f"{activation}: skmlp / {name}, median {middle:.2f}, minimum {least:.2f}")


def print_share_of_limit(row, names, limit):
    """How near to the matrix product's own speed training comes."""
    row["matmul_limit"] = limit
    shares = [row["multiply_adds"] / s / limit for s in row["seconds"]]
    text = ", ".join(f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True))
    print(f"{row['shape']}, {row['dtype']}: of {2e-9 * limit:.0f} GFLOP/s: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shapes", type=int, nargs="+", default=range(len(SHAPES)), metavar="K")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    parser.add_argument("--json", help="file for the results")
    parser.add_argument("--activations", nargs="+", default=["relu", "tanh"])
    parser.add_argument("--without-skorch", action="store_true")
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    names = [name for name in NAMES if not (args.without_skorch and name == "skorch")]
    rows = [
        {**measure(SHAPES[k], dtype, activation, names, args.repeats), "is_long": k < N_LONG}
        for activation in args.activations
        for k in args.shapes
        for dtype in args.dtypes
    ]
    print_results(rows, names)
    print("\nShare of the matrix-multiply limit, one thread:")
    limits = {dtype: matmul_limit(dtype) for dtype in args.dtypes}
    for row in rows:
        print_share_of_limit(row, names, limits[row["dtype"]])
    print("\nClassifiers, ReLU:\n")
    table = [measure_classes(shape, d, args.repeats) for shape in CLASSES for d in args.dtypes]
    header = ["shape", "classes", "dtype", "epochs", "MLPClassifier, s", "skmlp, s"]
    print_table([*header, "/ MLPClassifier", "log loss of each"], table)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
