"""Features selected where columns are more than rows: LassoNet, LassoCV and skmlp.

Friedman's first function (500 rows, five features, noise of variance one) among 995 and 1,995
columns of noise, and, on 200 rows of 1,500 normal columns, the product of two of them and the
square of one, with noise of variance .09. All are standardised by the training rows; R2 is of 1000
other rows. LassoNet is used as in selection.py; skmlp is ``RegularizedMLPRegressorCV``, as it is
and with ``selection="1se"``, and ``stability_selection`` with its defaults, which predicts nothing.
Seconds are those of everything up to the model chosen, of one process in turn, on one thread.

    python benchmarks/wide.py                    # everything but what takes hours
    python benchmarks/wide.py --seeds 0 1 --data "995 noise" square --methods LassoCV "skmlp, 1se"
"""

import argparse
import statistics
import sys

import numpy as np
from _timing import ignore_convergence, one_thread, print_table, seconds
from selection import friedman, lasso_choice, lassonet_choice
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV, stability_selection

N_ROWS, N_COLUMNS, N_TEST, NOISE = 200, 1500, 1000, 0.3
MOST_FALSE = 2


def pure(function, n_true, seed):
    """X_train, X_test, y_train, y_test, standardised by the training rows, and the true columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS + N_TEST, N_COLUMNS))
    y = function(X) + NOISE * rng.normal(size=len(X))
    parts = []
    for values in (X, y[:, None]):
        scaler = StandardScaler().fit(values[:N_ROWS])
        parts += [scaler.transform(values[:N_ROWS]), scaler.transform(values[N_ROWS:])]
    return (*parts[:2], *map(np.ravel, parts[2:])), n_true


DATA = {
    "995 noise": lambda seed: (friedman(995, seed), 5),
    "1995 noise": lambda seed: (friedman(1995, seed), 5),
    "product": lambda seed: pure(lambda X: X[:, 0] * X[:, 1], 2, seed),
    "square": lambda seed: pure(lambda X: X[:, 0] ** 2, 1, seed),
}


def skmlp_choice(X, y, seed, selection="min"):
    """The default choice; ``seed`` has no part in it."""
    model = RegularizedMLPRegressorCV(selection=selection).fit(X, y)
    return model.get_support(), model.predict


def sparsest_choice(X, y, seed):
    """The sparsest network within one standard error of the best."""
    return skmlp_choice(X, y, seed, "1se")


def stable_choice(X, y, seed):
    """The features that halves agree on."""
    return stability_selection(None, X, y, random_state=seed).support, None


METHODS = {
    "LassoNet": lambda *args: lassonet_choice(*args)[:2],
    "LassoCV": lambda *args: lasso_choice(*args)[:2],
    "skmlp": skmlp_choice,
    "skmlp, 1se": sparsest_choice,
    "skmlp, stability": stable_choice,
}
BY_DEFAULT = ["LassoCV", "skmlp", "skmlp, 1se"]


def measure(data, name, seed):
    """One row of the table as a dict."""
    (X, X_test, y, y_test), n_true = DATA[data](seed)
    chosen = []
    took = seconds(lambda: chosen.extend(METHODS[name](X, y, seed)))
    support, predict = chosen
    found = int(support[:n_true].sum())
    row = {
        "data": data,
        "seed": seed,
        "method": name,
        "true": f"{found} of {n_true}",
        "false": int(support.sum()) - found,
        "R2": float("nan")
        if predict is None
        else float(r2_score(y_test, np.ravel(predict(X_test)))),
        "seconds": took,
    }
    print(f"... {list(row.values())}", file=sys.stderr, flush=True)
    return row


def summary(rows):
    """One row for the seeds of a method: the target, medians of true and false, mean R2."""
    found, n_true = np.array([row["true"].split(" of ") for row in rows], dtype=int).T
    false = np.array([row["false"] for row in rows])
    reached = (found >= n_true - (n_true == 5)) & (false <= MOST_FALSE)
    return {
        "data": rows[0]["data"],
        "method": rows[0]["method"],
        "target": f"{reached.sum()} of {len(rows)}",
        "exact": f"{((found == n_true) & (false == 0)).sum()} of {len(rows)}",
        "mean true": float(found.mean()),
        "mean false": float(false.mean()),
        "mean R2": float(np.mean([row["R2"] for row in rows])),
        "seconds": statistics.median(row["seconds"] for row in rows),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=range(100, 110), metavar="SEED")
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--methods", nargs="+", default=BY_DEFAULT, choices=METHODS)
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    (X, _, y, _), _ = DATA["square"](0)
    for name in args.methods:  # imports and first calls
        METHODS[name](X[:60, :10], y[:60], 0)
    groups = [
        [measure(data, name, seed) for seed in args.seeds]
        for data in args.data
        for name in args.methods
    ]
    rows = [row for group in groups for row in group]
    print_table(list(rows[0]), [list(row.values()) for row in rows])
    print(f"\nTarget: all true columns, or four of five, and at most {MOST_FALSE} others.\n")
    means = [summary(group) for group in groups]
    print_table(list(means[0]), [list(row.values()) for row in means])


if __name__ == "__main__":
    main()
