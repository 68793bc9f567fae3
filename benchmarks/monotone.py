"""Functions that are monotone in some features: networks and boosting, with and without the signs.

Test RMSE on ten splits of 90 to 10 over that of HistGradientBoosting with ``monotonic_cst``, in the
geometric mean, and violations: of random pairs of rows up to 30 standard deviations away from the
data, the second of which has one marked feature raised, those whose predictions go the wrong way.
Each method chooses among four candidates by the same five folds of the training rows; the test rows
choose nothing. The signs were written down before any method was run.

    python benchmarks/monotone.py                                  # everything: ten minutes
    python benchmarks/monotone.py --data diamonds --splits 3
"""

import argparse
import time

import numpy as np
import pandas as pd
from _comparison import seeded
from _timing import ignore_convergence, one_thread, print_table
from collection import diamonds, table
from scipy.stats import gmean
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, batched_fits

REFERENCE, N_PAIRS = "boosting, monotone", 20_000


def simulated():
    """1,000 rows of a function that rises in a and b, falls in c and is free in five columns."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.uniform(-2, 2, (1000, 8)), columns=list("abcdefgh"))
    y = np.tanh(2 * X.a) + np.minimum(X.b, X.a) - np.exp(0.5 * X.c) * (1.2 + np.sin(X.d))
    y = y + np.cos(2 * X.e) * X.f
    return X, (y + 0.2 * random.normal(size=len(y))).to_numpy()


# HOUSES: nothing that a house has more of makes it cheaper; CREDIT: who may owe more owes more.
GRADES = dict.fromkeys(["carat", "cut", "color", "clarity"], 1)
HOUSES = ["lotsize", "bedrooms", "bathrms", "stories", "garagepl"]
HOUSES += [f"{name}_yes" for name in ("driveway", "recroom", "fullbase", "gashw", "airco")]
DATA = {
    "simulated": (simulated, {"a": 1, "b": 1, "c": -1}),
    "diamonds": (diamonds, GRADES),
    "housing": (lambda: table("housing"), dict.fromkeys([*HOUSES, "prefarea_yes"], 1)),
    "credit": (lambda: table("credit"), {"Limit": 1, "Rating": 1}),
}


def network(signs):
    """Two layers of tanh, alpha by folds."""
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(30, 30),
        activation="tanh",
        solver="lbfgs",
        max_iter=300,
        monotonic_cst=signs,
        random_state=0,
    )
    scaled = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
    return chosen(scaled, {"regularizedmlpregressor__alpha": [0.03, 0.3, 3, 30]})


def boosting(signs):
    """Learning rate and size of trees by folds."""
    model = HistGradientBoostingRegressor(monotonic_cst=signs, random_state=0)
    return chosen(model, {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [7, 31]})


def chosen(model, grid):
    folds = KFold(5, shuffle=True, random_state=0)
    return GridSearchCV(model, grid, cv=folds, scoring="neg_mean_squared_error")


def methods(signs):
    """Methods by name."""
    return {
        "network, free": network(None),
        "network, monotone": network(signs),
        "boosting, free": boosting(None),
        REFERENCE: boosting(signs),
    }


def violations(model, X, signs, random):
    """Share of pairs, far outside of the data too, that go against the sign of what is raised."""
    centre, spread = X.mean().to_numpy(), X.std().to_numpy()
    far = random.choice([1.0, 3.0, 10.0, 30.0], (N_PAIRS, 1))
    low = centre + spread * far * random.normal(size=(N_PAIRS, X.shape[1]))
    names = random.choice([*signs], N_PAIRS)
    places, high = X.columns.get_indexer(names), low.copy()
    step = random.exponential(size=N_PAIRS) * random.choice([0.01, 1.0, 100.0], N_PAIRS)
    high[np.arange(N_PAIRS), places] += spread[places] * step
    before, after = (model.predict(pd.DataFrame(rows, columns=X.columns)) for rows in (low, high))
    rounding = 1e-9 * np.abs(before).max()
    return np.mean(np.array([signs[name] for name in names]) * (after - before) < -rounding)


def measure(name, n_splits):
    """(RMSE, share of violations, seconds of CPU), each (n_splits, n_methods), by method."""
    load, signs = DATA[name]
    X, y = load()
    records = []
    splits = ShuffleSplit(n_splits, test_size=0.1, random_state=0).split(X)
    for number, (train, test) in enumerate(splits):
        random = np.random.default_rng(number)
        for method, model in methods(signs).items():
            start = time.process_time()
            with batched_fits(1):
                fitted = seeded(model, number).fit(X.iloc[train], y[train])
            spent = time.process_time() - start
            error = root_mean_squared_error(y[test], fitted.predict(X.iloc[test]))
            broken = violations(fitted, X.iloc[train], signs, random)
            records.append((number, method, error, broken, spent))
    return pd.DataFrame(records, columns=["split", "method", "rmse", "broken", "seconds"])


def rows_of(name, records):
    """One row of the report a method."""
    errors = records.pivot(index="split", columns="method", values="rmse")
    for method, own in records.groupby("method", sort=False):
        ratio = float(gmean(errors[method] / errors[REFERENCE]))
        means = own[["rmse", "broken", "seconds"]].mean()
        yield [name, method, means.rmse, ratio, f"{means.broken:.2%}", means.seconds]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=DATA, default=[*DATA])
    parser.add_argument("--splits", type=int, default=10)
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    rows = [row for name in args.data for row in rows_of(name, measure(name, args.splits))]
    header = ["table", "method", "RMSE", "over boosting, monotone", "pairs that go wrong"]
    print_table([*header, "seconds of CPU a search"], rows)


if __name__ == "__main__":
    main()
