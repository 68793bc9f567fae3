"""Accuracy on public tables: RegularizedMLPRegressorCV as it is, and other regressors.

Test RMSE on ten splits of 90 to 10 of the tables of ``collection.py``, the same for all methods,
each in a pipeline that imputes medians and standardises X; the networks of scikit-learn have y
standardised as well. Training rows stay in the order of the table, and the number of the split is
the seed of the method. Times are of one process in turn, on one thread, for ``fit`` alone. RMSE is
in the units that y is learned in: salaries and prices as logarithms.

    python benchmarks/accuracy.py                     # everything: hours
    python benchmarks/accuracy.py --data diabetes hitters --methods skmlp search --splits 3
    python benchmarks/accuracy.py --methods ridge boosting search --save others.jsonl
    python benchmarks/accuracy.py --half A --methods skmlp --load others.jsonl --save ours.jsonl

Results that are loaded are shown, and are not measured again. TabM and RealMLP are methods where
pytabkit is installed.
"""

import argparse
import importlib.util
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _timing import one_thread, print_table, seconds
from collection import HALVES, LOADERS, load
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV

REFERENCES, COMPETITOR = ["ridge", "boosting", "search"], "search"


def standard_y(model):
    """A regressor that learns y standardised."""
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def search():
    """What a careful user of scikit-learn writes: alpha by shuffled folds, whatever the order."""
    network = MLPRegressor(hidden_layer_sizes=50, solver="lbfgs", max_iter=500, random_state=0)
    folds = KFold(5, shuffle=True, random_state=0)
    return standard_y(GridSearchCV(network, {"alpha": [0.01, 1, 10]}, cv=folds))


def tabular_networks():
    """Networks of pytabkit with their tuned defaults; none where it is not installed."""
    if importlib.util.find_spec("pytabkit") is None:
        return {}
    from pytabkit import RealMLP_TD_Regressor, TabM_D_Regressor

    options = {"device": "cpu", "n_threads": 1, "random_state": 0}
    return {"tabm": TabM_D_Regressor(**options), "realmlp": RealMLP_TD_Regressor(**options)}


METHODS = {
    "ridge": RidgeCV(alphas=np.logspace(-3, 5, 30)),
    "lasso": LassoCV(),
    "boosting": HistGradientBoostingRegressor(random_state=0),
    "mlp": standard_y(MLPRegressor(random_state=0)),
    "search": search(),
    "skmlp": RegularizedMLPRegressorCV(),
}
CHOICES = {**METHODS, **tabular_networks()}


def seeded(method, seed):
    """A clone of ``method`` with every ``random_state`` set; splitters keep theirs."""
    names = [name for name in method.get_params() if name.split("__")[-1] == "random_state"]
    return clone(method).set_params(**dict.fromkeys(names, seed))


def measure_fit(method, X, y, train, test):
    """Test RMSE and R2, seconds of ``fit`` and its number of convergence warnings."""
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), method)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        time = seconds(lambda: model.fit(X[train], y[train]))
    predicted = model.predict(X[test])
    others = [w for w in caught if not issubclass(w.category, ConvergenceWarning)]
    for w in others:
        warnings.showwarning(w.message, w.category, w.filename, w.lineno)
    rmse, r2 = root_mean_squared_error(y[test], predicted), r2_score(y[test], predicted)
    return {"rmse": rmse, "r2": r2, "seconds": time, "warnings": len(caught) - len(others)}


def measure(data, methods, n_splits, known):
    """Records of the methods on the splits of one table, those that are not among ``known``."""
    X, y = load(data)
    splits = ShuffleSplit(n_splits, test_size=0.1, random_state=0).split(X)
    for number, (train, test) in enumerate(splits):
        for name in methods:
            if (data, number, name) in known:
                continue
            method = seeded(CHOICES[name], number)
            # sorted: training rows in the order of the table, as they would be handed over
            record = measure_fit(method, X, y, np.sort(train), test)
            yield {"set": data, "split": number, "method": name, **record}


def key_of(record):
    return record["set"], record["split"], record["method"]


def read(paths):
    """Records by set, split and method, from JSON lines; later ones take the place of earlier."""
    lines = [line for path in paths for line in Path(path).read_text().splitlines()]
    return {key_of(record): record for record in map(json.loads, lines)}


def report(record, path):
    """Show a new record, and append it to the file."""
    text = "... {set}, split {split}, {method}: RMSE {rmse:.4g}, {seconds:.2f} s"
    print(text.format(**record), file=sys.stderr, flush=True)
    if path is not None:
        with open(path, "a") as file:
            file.write(json.dumps(record) + "\n")


def ratio(rmse, method, reference):
    """Ratio of mean RMSE, and the standard error of the paired differences in the same units.

    ``rmse`` has a row a split and a column a method; splits that one of them lacks are left out.
    The training rows of the splits overlap, so the standard error is on the small side.
    """
    if not {method, reference} <= set(rmse):
        return np.nan, np.nan
    ours, other = rmse[[method, reference]].dropna().to_numpy().T
    if not len(ours):
        return np.nan, np.nan
    shares = (ours - other) / other.mean()
    error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else np.nan
    return 1 + shares.mean(), error


def show(value, error=None):
    if np.isnan(value):
        return ""
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"


def print_set(data, results):
    """The methods on one table."""
    X, _ = load(data)
    print(f"\n{data}: {len(X)} rows, {X.shape[1]} columns\n")
    rmse = results.pivot(index="split", columns="method", values="rmse")
    rows = []
    for name, own in results.groupby("method", sort=False):
        means = [f"{own['rmse'].mean():.4g}", f"{own['r2'].mean():.4f}", own["seconds"].mean()]
        ratios = [show(*ratio(rmse, name, r)) if r != name else "" for r in REFERENCES]
        rows.append([name, len(own), *means, int(own["warnings"].sum()), *ratios])
    header = ["method", "splits", "RMSE", "R2", "s a fit", "warnings"]
    print_table([*header, *(f"/ {reference}" for reference in REFERENCES)], rows)


def all_ratios(results):
    """A row a table and method: its ratio to each reference."""
    rows = []
    for data, own in results.groupby("set", sort=False):
        rmse = own.pivot(index="split", columns="method", values="rmse")
        for name in own["method"].unique():
            row = {reference: ratio(rmse, name, reference)[0] for reference in REFERENCES}
            rows.append({"set": data, "method": name, **row})
    return pd.DataFrame(rows)


def worst(ratios):
    """The table on which a method is furthest behind the competitor."""
    known = ratios.dropna(subset=COMPETITOR)
    if known.empty:
        return ""
    row = known.loc[known[COMPETITOR].idxmax()]
    return f"{show(row[COMPETITOR])} ({row['set']})"


def print_half(title, ratios):
    """Over the tables of a half: geometric means of the ratios, and the worst of them."""
    print(f"\n{title}, geometric means of RMSE:\n")
    rows = []
    for name, own in ratios.groupby("method", sort=False):
        means = [show(np.exp(np.log(own[reference]).mean())) for reference in REFERENCES]
        rows.append([name, len(own), *means, worst(own)])
    columns = [f"/ {reference}" for reference in REFERENCES]
    print_table(["method", "tables", *columns, f"worst / {COMPETITOR}"], rows)


def print_results(results):
    """Each table, then the halves and all."""
    for data, own in results.groupby("set", sort=False):
        print_set(data, own)
    ratios = all_ratios(results)
    for half, names in HALVES.items():
        own = ratios[ratios["set"].isin(names)]
        if not own.empty:
            print_half(f"Half {half}", own)
    print_half("All", ratios)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=HALVES, help="only the tables of this half")
    parser.add_argument("--data", nargs="+", default=list(LOADERS), choices=LOADERS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=CHOICES)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--load", nargs="+", default=[], help="results of earlier runs")
    parser.add_argument("--save", help="append each result to this file as it comes")
    return parser.parse_args()


def main():
    args = arguments()
    one_thread()
    tables = [name for name in args.data if args.half is None or name in HALVES[args.half]]
    tables.sort(key=lambda name: len(load(name)[1]))
    known = read(args.load)
    for data in tables:
        for record in measure(data, args.methods, args.splits, known):
            report(record, args.save)
            known[key_of(record)] = record
    shown = [known[key] for data in tables for key in known if key[0] == data]
    print_results(pd.DataFrame(shown))


if __name__ == "__main__":
    main()
