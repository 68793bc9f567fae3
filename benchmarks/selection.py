"""Features selected on Friedman #1 among noise: LassoNet, LassoCV and skmlp.

y depends on five features (make_friedman1, noise of variance one); 20 or 100 more are noise. Each
method chooses its model from 500 rows, standardised; R2 is of 1000 others. LassoNet takes the
network of its path with the best R2 on 20 % of the 500 rows, which also stop its fits early; the
others cross-validate. Times of one process in turn, on one thread: "path" is one path alone
(LassoNet's on the 80 %, of about 370 strengths; the others' on all 500 rows, skmlp's of 20 with the
initial networks of its adaptive penalty), "all" is everything up to the model chosen.

    python benchmarks/selection.py                    # everything
    python benchmarks/selection.py --seeds 0 1 --noise 20 --methods LassoNet skmlp
"""

import argparse
import statistics
import sys

import numpy as np
from _timing import ignore_convergence, median_ratio, one_thread, print_table, seconds
from lassonet import LassoNetRegressor
from lassonet.utils import eval_on_path
from sklearn.datasets import make_friedman1
from sklearn.linear_model import LassoCV, lasso_path
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV, regularization_path

N_TRAIN, N_TEST, N_TRUE = 500, 1000, 5
N_STRENGTHS, EPS = 20, 1e-6


def friedman(n_noise, seed):
    """X_train, X_test, y_train, y_test, standardised by the training rows."""
    X, y = make_friedman1(N_TRAIN + N_TEST, N_TRUE + n_noise, noise=1.0, random_state=seed)
    parts = []
    for values in (X, y[:, None]):
        scaler = StandardScaler().fit(values[:N_TRAIN])
        parts += [scaler.transform(values[:N_TRAIN]), scaler.transform(values[N_TRAIN:])]
    return (*parts[:2], *map(np.ravel, parts[2:]))


def lassonet_choice(X, y, seed):
    """The network of LassoNet's path that validates best."""
    model = LassoNetRegressor(
        hidden_dims=(100,), M=10, verbose=0, device="cpu", random_state=seed, torch_seed=seed
    )
    X_fit, X_val, y_fit, y_val = train_test_split(X, y, test_size=0.2, random_state=seed)
    path = []

    def run_path():
        validation = {"X_val": X_val, "y_val": y_val}
        path.extend(model.path(X_fit, y_fit, **validation, return_state_dicts=True))

    def choose():
        model.load(path[np.argmax(eval_on_path(model, path, X_val, y_val))])

    path_seconds = seconds(run_path)
    all_seconds = path_seconds + seconds(choose)
    return model.model.input_mask().numpy(), model.predict, path_seconds, all_seconds


def lasso_choice(X, y, seed):
    """LassoCV with five folds; ``seed`` has no part in it."""
    model = LassoCV()
    path_seconds = seconds(lambda: lasso_path(X, y))
    all_seconds = seconds(lambda: model.fit(X, y))
    return model.coef_ != 0, model.predict, path_seconds, all_seconds


def skmlp_choice(X, y, seed, adaptive="auto"):
    """The default choice, as it is."""
    model = RegularizedMLPRegressorCV(n_strengths=N_STRENGTHS, eps=EPS, adaptive=adaptive)
    settings = {"n_strengths": N_STRENGTHS, "eps": EPS, "adaptive": adaptive, "relaxed": False}
    path_seconds = seconds(lambda: regularization_path(None, X, y, **settings))
    all_seconds = seconds(lambda: model.fit(X, y))
    return model.get_support(), model.predict, path_seconds, all_seconds


def plain_choice(X, y, seed):
    """The same without the adaptive penalty."""
    return skmlp_choice(X, y, seed, adaptive=False)


METHODS = {
    "LassoNet": lassonet_choice,
    "LassoCV": lasso_choice,
    "skmlp": skmlp_choice,
    "skmlp, not adaptive": plain_choice,
}


def measure(name, n_noise, seed):
    """One row of the table as a dict."""
    X, X_test, y, y_test = friedman(n_noise, seed)
    support, predict, path_seconds, all_seconds = METHODS[name](X, y, seed)
    selected, found = int(support.sum()), int(support[:N_TRUE].sum())
    row = {
        "noise": n_noise,
        "seed": seed,
        "method": name,
        "selected": selected,
        "true": found,
        "exact": "yes" if selected == found == N_TRUE else "no",
        "R2": float(r2_score(y_test, np.ravel(predict(X_test)))),
        "path, s": path_seconds,
        "all, s": all_seconds,
    }
    print(f"... {list(row.values())}", file=sys.stderr, flush=True)
    return row


def summary(rows):
    """One row for the seeds of a method: counts, mean R2, median seconds."""
    path_times, all_times = ([row[f"{part}, s"] for row in rows] for part in ("path", "all"))
    nearly = sum(row["true"] == N_TRUE and row["selected"] <= N_TRUE + 1 for row in rows)
    return {
        "noise": rows[0]["noise"],
        "method": rows[0]["method"],
        "all five, at most one more": f"{nearly} of {len(rows)}",
        "exactly the five": f"{sum(row['exact'] == 'yes' for row in rows)} of {len(rows)}",
        "mean R2": statistics.mean(row["R2"] for row in rows),
        "path, s": statistics.median(path_times),
        "all, s": statistics.median(all_times),
    }


def print_results(rows, n_noise, names):
    """The rows of all seeds, then of each method, then how much longer LassoNet takes."""
    print_table(list(rows[0]), [list(row.values()) for row in rows])
    print()
    groups = {
        (k, name): [row for row in rows if (row["noise"], row["method"]) == (k, name)]
        for k in n_noise
        for name in names
    }
    means = [summary(group) for group in groups.values()]
    print_table(list(means[0]), [list(row.values()) for row in means])
    print()
    for (k, name), group in groups.items():
        if name.startswith("skmlp") and "LassoNet" in names:
            path, every = (
                median_ratio([row[part] for row in groups[k, "LassoNet"]], [r[part] for r in group])
                for part in ("path, s", "all, s")
            )
            print(f"{k} noise features, LassoNet / {name}: path {path:.1f}, all {every:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5), metavar="SEED")
    parser.add_argument("--noise", type=int, nargs="+", default=[20, 100], metavar="FEATURES")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    X, _, y, _ = friedman(0, seed=0)
    for name in args.methods:  # imports and first calls
        METHODS[name](X[:60], y[:60], 0)
    rows = [
        measure(name, n_noise, seed)
        for n_noise in args.noise
        for seed in args.seeds
        for name in args.methods
    ]
    print_results(rows, args.noise, args.methods)


if __name__ == "__main__":
    main()
