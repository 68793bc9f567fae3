"""Whole searches: fits trained together in ``batched_fits`` against fits one by one.

200 fits (40 candidates x 5 folds) on the diabetes data, each run to its last epoch, by GridSearchCV
with MLPRegressor, skorch and skmlp on two processes, and by skmlp in batched fits, on two threads
and on two processes; all in this process, in turn. Then how the cost grows with the number of fits,
rows and units, the memory it takes, other searches, and two dask workers.

    python benchmarks/search.py                        # everything
    python benchmarks/search.py --parts shapes --repeats 5 --without-skorch
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
from contextlib import nullcontext

import numpy as np
import psutil
from _timing import ignore_convergence, in_turn, median_ratio, print_table, seconds
from fit import LEARNING_RATE, estimators, regression_data
from sklearn.datasets import load_diabetes
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import BatchedGridSearchCV, RegularizedMLPRegressor, batched_fits

HIDDEN = [(32,), (100,), (50, 25)]
DTYPES = ["float64", "float32"]
BATCH_SIZE, EPOCHS = 200, 100
N_JOBS = 2


def strengths(n_candidates):
    """A grid of L2 strengths and learning rates, in the names of scikit-learn and skmlp."""
    alphas = np.logspace(-4, 2, max(1, n_candidates // 5))
    return {"alpha": alphas, "learning_rate_init": LEARNING_RATE * np.array([1, 2, 5, 10, 20])}


def diabetes(dtype):
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X).astype(dtype), ((y - y.mean()) / y.std()).astype(dtype)


def network(hidden, epochs=EPOCHS):
    """Ours, run to its last epoch."""
    settings = {"max_iter": epochs, "n_iter_no_change": np.inf, "random_state": 0}
    return RegularizedMLPRegressor(hidden_layer_sizes=hidden, **settings)


def skorch_grid(n_candidates):
    alpha, rate = strengths(n_candidates).values()
    return {"optimizer__weight_decay": alpha / BATCH_SIZE, "lr": rate}


def search(estimator, grid, X, y, block=None, **params):
    """A function that runs a search, in a block of its own where one is given."""

    def run():
        with block() if block else nullcontext():
            return GridSearchCV(estimator, grid, cv=5, refit=False, **params).fit(X, y)

    return run


def on_processes():
    return batched_fits(backend="loky", n_jobs=N_JOBS)


def contestants(hidden, dtype, n_candidates):
    """Name and search of each, on the same two cores."""
    X, y = diabetes(dtype)
    theirs, skorch, ours = estimators(X, hidden, EPOCHS, BATCH_SIZE, "relu")
    grid = strengths(n_candidates)
    return {
        "MLPRegressor": search(theirs, grid, X, y, n_jobs=N_JOBS),
        "skorch": search(skorch, skorch_grid(n_candidates), X, y[:, None], n_jobs=N_JOBS),
        "skmlp": search(ours, grid, X, y, n_jobs=N_JOBS),
        "batched": search(ours, grid, X, y, lambda: batched_fits(N_JOBS)),
        "batched, loky": search(ours, grid, X, y, on_processes),
    }


def measure_shapes(repeats, with_skorch=True):
    """The main table: 200 fits of three shapes in two precisions."""
    rows, ratios = [], {}
    names = ["MLPRegressor", "skorch", "skmlp"] if with_skorch else ["MLPRegressor", "skmlp"]
    for dtype in DTYPES:
        for hidden in HIDDEN:
            few, runs = contestants(hidden, dtype, 5), contestants(hidden, dtype, 40)
            slow, skorch = {}, runs.pop("skorch")
            if with_skorch:
                slow = {"skorch": in_turn([few["skorch"], skorch], 1)[1] * repeats}
            in_turn([few[name] for name in runs], 1)  # imports, workers
            times = slow | dict(zip(runs, in_turn(list(runs.values()), repeats), strict=True))
            row = [f"{'-'.join(map(str, hidden))} {dtype}"]
            row += [statistics.median(t) for t in times.values()]
            for ours in ("batched", "batched, loky"):
                for name in names:
                    ratio = median_ratio(times[name], times[ours])
                    ratios.setdefault((ours, name), []).append(ratio)
                    row.append(f"{ratio:.1f}")
            rows.append(row)
            print(f"... {row}", file=sys.stderr, flush=True)
    print_table(["hidden", *(f"{n}, s" for n in times), *(f"{b}/{a}" for a, b in ratios)], rows)
    for (ours, name), values in ratios.items():
        middle, least = statistics.median(values), min(values)
        print(f"{ours} is {middle:.1f} times as fast as {name} in the median, {least:.1f} at least")


GROWTH = [  # rows, features, units, fits, epochs
    *((442, 10, 32, n_fits, 100) for n_fits in (10, 100, 1000)),
    *((n_rows, 20, 32, 50, 10) for n_rows in (500, 5000, 50_000)),
    *((500, 10, n_units, 50, 50) for n_units in (16, 64, 128, 256, 512)),
]


def measure_growth(repeats):
    """Plain and batched search as one number grows."""
    rows = []
    for n_rows, n_features, n_units, n_fits, epochs in GROWTH:
        X, y = regression_data(n_rows, n_features, "float64")
        ours = network((n_units,), epochs)
        grid = {"alpha": np.logspace(-4, 2, n_fits // 5)}
        plain = search(ours, grid, X, y, n_jobs=N_JOBS)
        blocks = [lambda: batched_fits(N_JOBS), on_processes]
        runs = [plain, *(search(ours, grid, X, y, block) for block in blocks)]
        in_turn([search(ours, {"alpha": [1]}, X, y, n_jobs=N_JOBS), *runs[1:]], 1)  # worker pools
        times = in_turn(runs, repeats)
        own = [f"{1000 * statistics.median(t) / n_fits:.1f}" for t in times]
        gains = [f"{median_ratio(times[0], t):.2f}" for t in times[1:]]
        rows.append([n_fits, n_rows, n_units, epochs, *own, *gains])
        print(f"... {rows[-1]}", file=sys.stderr, flush=True)
    names = ["plain", "batched", "batched, loky"]
    header = ["fits", "rows", "units", "epochs", *(f"{name}, ms a fit" for name in names)]
    print_table([*header, *(f"plain / {name}" for name in names[1:])], rows)


class PeakMemory:
    """A context whose ``megabytes`` are how much more memory was resident in it at the most."""

    def __enter__(self):
        process = psutil.Process()
        start = process.memory_info().rss
        self.megabytes, self._stop = 0.0, threading.Event()

        def watch():
            while not self._stop.wait(0.002):
                now = (process.memory_info().rss - start) / 1e6
                self.megabytes = max(self.megabytes, now)

        self._thread = threading.Thread(target=watch)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()


def search_alone(n_rows, n_fits, batched):
    """Print the megabytes that a search adds to the data, in this process."""
    X, y = regression_data(n_rows, 20, "float64")
    ours = network((32,), 2)
    block = (lambda: batched_fits(N_JOBS)) if batched else None
    search(ours, {"alpha": [1, 2]}, X[:200], y[:200], block)()
    with PeakMemory() as peak:
        search(ours, {"alpha": np.logspace(-4, 2, n_fits // 5)}, X, y, block)()
    print(peak.megabytes)


def measure_memory(repeats):
    """What a search adds to the peak of a fresh process, one by one and batched."""
    rows = []
    for n_rows, n_fits in [(442, 10), (442, 100), (442, 1000), (50_000, 100)]:
        added = []
        for batched in (0, 1):
            command = [sys.executable, __file__, "--alone", *map(str, (n_rows, n_fits, batched))]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            added.append(float(done.stdout))
        rows.append([n_fits, f"{n_rows} x 20", n_rows * 20 * 8e-6, *added])
    print_table(["fits", "data", "data, MB", "one by one adds, MB", "batched adds, MB"], rows)


def measure_searches(repeats):
    """Pipelines, L1, lbfgs and successive halving; and that the results are the same."""
    X, y = diabetes("float64")
    name = "regularizedmlpregressor__"
    by_l2 = {name + key: value for key, value in strengths(40).items()}
    by_alpha = {name + "alpha": np.logspace(-2, 2, 40)}
    by_l1 = {name + "l1_per_layer": np.logspace(-4, -1, 40)}
    adam, lbfgs = network((32,)), network((32,)).set_params(solver="lbfgs")
    kinds = {
        "grid, L2": (GridSearchCV, adam, by_l2),
        "grid, L1": (GridSearchCV, adam, by_l1),
        "grid, L2, lbfgs": (GridSearchCV, lbfgs, by_alpha),
        "halving, L2": (HalvingGridSearchCV, adam, by_l2),
    }
    theirs, *_ = estimators(X, (32,), EPOCHS, BATCH_SIZE, "relu")
    by_l2_of_theirs = {key.replace("regularized", ""): value for key, value in by_l2.items()}
    pipeline = make_pipeline(StandardScaler(), theirs)
    (reference,) = in_turn([search(pipeline, by_l2_of_theirs, X, y, n_jobs=N_JOBS)], repeats)
    print(f"MLPRegressor, grid, L2, n_jobs={N_JOBS}: {statistics.median(reference):.3g} s")
    rows = []
    for label, (kind, model, grid) in kinds.items():
        ours = make_pipeline(StandardScaler(), model)
        params = {"cv": 5, "refit": False}
        if kind is HalvingGridSearchCV:
            params |= {"random_state": 0, "min_resources": 100}
        results = {}

        def run(block, results=results, kind=kind, ours=ours, grid=grid, params=params):
            with block():
                n_jobs = N_JOBS if block is nullcontext else None
                results[block] = kind(ours, grid, n_jobs=n_jobs, **params).fit(X, y)

        blocks = [nullcontext, batched_fits, on_processes]
        times = in_turn([lambda block=block, run=run: run(block) for block in blocks], repeats)
        scores = [results[block].cv_results_["mean_test_score"] for block in blocks]
        equal = all(np.array_equal(scores[0], other) for other in scores[1:])
        gains = [f"{median_ratio(times[0], t):.1f}" for t in times[1:]]
        gains.append(f"{median_ratio(reference, times[1]):.1f}")
        rows.append([label, *(statistics.median(t) for t in times), *gains, equal])
    header = ["search", "plain, s", "batched, s", "batched, loky, s", "plain / batched"]
    print_table([*header, "plain / loky", "MLPRegressor's L2 / batched", "equal scores"], rows)


def measure_dask(repeats):
    """The same search on two dask workers: fit by fit, and in groups."""
    from dask.distributed import Client, LocalCluster
    from joblib import parallel_config

    X, y = diabetes("float64")
    ours, grid = network((32,)), strengths(40)

    def plain():
        with parallel_config("dask"):
            return GridSearchCV(ours, grid, cv=5, refit=False).fit(X, y)

    def groups():
        return BatchedGridSearchCV(ours, grid, cv=5, refit=False, backend="dask").fit(X, y)

    cluster = LocalCluster(N_JOBS, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster):
        seconds(groups)
        times = in_turn([plain, groups], repeats)
        results = [run().cv_results_["mean_test_score"] for run in (plain, groups)]
    one_by_one, grouped = map(statistics.median, times)
    print(f"200 fits on two workers: {one_by_one:.2f} s one by one, {grouped:.2f} s in groups")
    print(f"equal scores: {np.array_equal(*results)}")


PARTS = {
    "shapes": measure_shapes,
    "growth": measure_growth,
    "memory": measure_memory,
    "searches": measure_searches,
    "dask": measure_dask,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--without-skorch", action="store_true")
    parser.add_argument("--alone", nargs=3, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    ignore_convergence()
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the workers
    if args.alone:
        search_alone(*args.alone)
        return
    for part in args.parts:
        print(f"\n{part}: {PARTS[part].__doc__}\n")
        options = {"with_skorch": not args.without_skorch} if part == "shapes" else {}
        PARTS[part](args.repeats, **options)


if __name__ == "__main__":
    main()
