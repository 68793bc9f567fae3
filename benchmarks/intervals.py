"""Prediction intervals at 90 %: coverage, interval scores and seconds, beside MAPIE's.

Twenty splits of 80 to 20 of the tables of ``collection.py`` of at most 1,500 rows that are no
simulations, in the order of the table, and twenty draws of simulations whose noise has a scale of
its own at every row. All learn standardised X, with medians where cells are missing.

    cv+         RegularizedMLPRegressorCV(keep_folds=True).predict_interval
    nested      the same with keep_folds="nested": the choice is made anew in each fold
    bands       the same of two quantiles, 5 and 95 %: conformalised, widths follow the noise
    mlp         MAPIE's CV+ around MLPRegressor, whose alpha a grid search has chosen on the rows
    boosting    MAPIE's cross-conformalised quantiles of HistGradientBoostingRegressor
    plain       RegularizedMLPRegressorCV() alone, for what intervals cost beside the fit

The interval score (Winkler 1972) is the width, and for each row outside 2 / .1 times how far. Its
mean is compared; seconds are those of the process, all methods in turn on one thread.

    python benchmarks/intervals.py                    # everything: hours
    python benchmarks/intervals.py --data diabetes fan --methods cv+ mlp --splits 3
    python benchmarks/intervals.py --save results.jsonl
    python benchmarks/intervals.py --load results.jsonl --methods      # what is known
"""

import argparse
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from _comparison import key_of, ratio, read
from _emulators import EMULATORS
from _timing import one_thread, print_table
from accuracy import search, standard_y
from collection import LOADERS, load
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV, default_network

COVERAGE, N_SPLITS, MOST_ROWS = 0.9, 20, 1500
LEVELS = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
SIMULATED_ROWS = 500, 1000  # to learn from, and to be covered
REFERENCES = ["mlp", "boosting"]


# Simulations


def fan(random, n):
    """A sine; noise whose scale grows tenfold along another column of five."""
    X = random.uniform(size=(n, 5))
    return X, np.sin(6 * X[:, 0]) + (0.1 + X[:, 1]) * random.normal(size=n)


def exponential(random, n):
    """Three of eight columns, with an interaction; a fourth moves the noise's scale by its exp."""
    X = random.normal(size=(n, 8))
    mean = np.tanh(2 * X[:, 0]) + X[:, 1] * X[:, 2]
    return X, mean + 0.5 * np.exp(X[:, 3]) * random.normal(size=n)


def counts(random, n):
    """The example of Romano, Patterson, Candes 2019: counts of a wave, noise, few outliers."""
    x = random.uniform(1, 5, n)
    y = random.poisson(np.sin(x) ** 2 + 0.1) + 0.03 * x * random.normal(size=n)
    return x[:, None], y + 25 * (random.uniform(size=n) < 0.01) * random.normal(size=n)


SIMULATIONS = {"fan": fan, "exponential": exponential, "counts": counts}
TABLES = [name for name in LOADERS if name not in EMULATORS]


def splits(data, n_splits):
    """(X, y, X of new rows, y of new rows) a split or draw."""
    if data in SIMULATIONS:
        n_train, n_test = SIMULATED_ROWS
        for number in range(n_splits):
            X, y = SIMULATIONS[data](np.random.RandomState(number), n_train + n_test)
            yield X[:n_train], y[:n_train], X[n_train:], y[n_train:]
        return
    X, y = load(data)
    for train, test in ShuffleSplit(n_splits, test_size=0.2, random_state=0).split(X):
        rows = np.sort(train)
        yield X[rows], y[rows], X[test], y[test]


# Methods: from (X, y, X of new rows, seed) to their lower and upper ends


def ours(estimator=None, **params):
    model = RegularizedMLPRegressorCV(estimator, **{"keep_folds": True} | params)
    return lambda X, y, X_new, _: clone(model).fit(X, y).predict_interval(X_new, COVERAGE)


def bands():
    network = default_network(loss="quantile", quantile=LEVELS, activation="tanh")
    return ours(network, alphas=True, n_strengths=8)


def plain(X, y, X_new, _):
    return RegularizedMLPRegressorCV().fit(X, y).predict(X_new)


def conformalised(regressor, X, y, X_new):
    return regressor.fit_conformalize(X, y).predict_interval(X_new)[1][:, :, 0]


def mlp(X, y, X_new, seed):
    from mapie.regression import CrossConformalRegressor

    searched = search().set_params(regressor__estimator__random_state=seed).fit(X, y)
    network = standard_y(clone(searched.regressor_.best_estimator_))
    folds = KFold(5, shuffle=True, random_state=seed)
    return conformalised(CrossConformalRegressor(network, COVERAGE, cv=folds), X, y, X_new)


def boosting(X, y, X_new, seed):
    from mapie.regression import CrossConformalizedQuantileRegressor

    trees = HistGradientBoostingRegressor(loss="quantile", quantile=0.5, random_state=seed)
    regressor = CrossConformalizedQuantileRegressor(
        trees, COVERAGE, random_state=seed, fit_central_estimator=False
    )
    return conformalised(regressor, X, y, X_new)


METHODS = {
    "plain": plain,
    "cv+": ours(),
    "nested": ours(keep_folds="nested"),
    "bands": bands(),
    "mlp": mlp,
    "boosting": boosting,
}


# Measuring


def interval_scores(interval, y):
    """Those of Winkler (1972) (n,)."""
    low, high = interval.T
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return high - low + 2 / (1 - COVERAGE) * outside


def measure(name, X, y, X_new, y_new, seed):
    """Share of the new rows that is covered, mean width and score, seconds of the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        interval = METHODS[name](X, y, X_new, seed)
        record = {"seconds": time.process_time() - start}
    if interval.ndim == 1:
        return record
    inside = (interval[:, 0] <= y_new) & (y_new <= interval[:, 1])
    record |= {"coverage": inside.mean(), "width": np.diff(interval).mean()}
    return record | {"winkler": interval_scores(interval, y_new).mean()}


def measure_all(data, methods, n_splits, known):
    """Records of the methods on one table or simulation, those that are not among ``known``."""
    for number, (X, y, X_new, y_new) in enumerate(splits(data, n_splits)):
        scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(X)
        for name in methods:
            if (data, number, name) not in known:
                record = measure(name, scale.transform(X), y, scale.transform(X_new), y_new, number)
                yield {"set": data, "split": number, "method": name, **record}


# Showing


def print_set(data, results):
    """The methods on one table or simulation."""
    scores = results.pivot(index="split", columns="method", values="winkler")
    print(f"\n{data}\n")
    rows = []
    for name, own in results.groupby("method", sort=False):
        means = [float(own[key].mean()) for key in ("coverage", "width", "winkler", "seconds")]
        rows.append(
            [name, len(own), *means, *(f"{ratio(scores, name, r)[0]:.3f}" for r in REFERENCES)]
        )
    header = ["method", "splits", "coverage", "width", "score", "s"]
    print_table([*header, *(f"score / {reference}" for reference in REFERENCES)], rows)


def mean_ratio(results, method, reference):
    """Geometric mean over tables of the ratio of mean scores, on the splits that both have."""
    ratios = []
    for _, own in results.groupby("set"):
        scores = own.pivot(index="split", columns="method", values="winkler")
        ratios.append(ratio(scores, method, reference)[0])
    return float(np.exp(np.nanmean(np.log(ratios)))) if np.isfinite(ratios).any() else np.nan


def print_summary(title, results):
    """Over several tables: coverages, and geometric means of ratios of scores."""
    print(f"\n{title}\n")
    rows = []
    for name, own in results.groupby("method", sort=False):
        coverage = own.groupby("set")["coverage"].mean()
        shares = [float(coverage.min()), float(coverage.mean()), float(coverage.max())]
        ratios = [f"{mean_ratio(results, name, reference):.3f}" for reference in REFERENCES]
        rows.append([name, own["set"].nunique(), *shares, *ratios, float(own["seconds"].mean())])
    ratios = [f"score / {reference}" for reference in REFERENCES]
    print_table(["method", "sets", "least coverage", "mean", "most", *ratios, "s"], rows)


def print_cost(results):
    """What intervals cost beside the fit alone, over all splits that have both."""
    seconds = results.pivot(index=["set", "split"], columns="method", values="seconds")
    for name in seconds.columns.intersection(["cv+", "nested"]):
        both = seconds[[name, "plain"]].dropna()
        print(f"\n{name}: {both[name].sum() / both['plain'].sum() - 1:+.1%} of the fit alone")


def print_loss(results):
    """The coverage lost where all folds choose together, over the splits that have both."""
    coverage = results.pivot(index=["set", "split"], columns="method", values="coverage")
    if {"cv+", "nested"} <= set(coverage):
        lost = (coverage["nested"] - coverage["cv+"]).dropna()
        error = lost.std() / np.sqrt(len(lost))
        print(f"\ncoverage of nested less that of cv+: {lost.mean():+.2%} ± {error:.2%}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choices = [*TABLES, *SIMULATIONS]
    parser.add_argument("--data", nargs="+", default=choices, choices=choices)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--splits", type=int, default=N_SPLITS)
    parser.add_argument("--load", nargs="+", default=[], help="results of earlier runs")
    parser.add_argument("--save", help="append each result to this file as it comes")
    return parser.parse_args()


def main():
    args = arguments()
    one_thread()
    known = read(args.load)
    small = [n for n in args.data if n in SIMULATIONS or len(load(n)[1]) <= MOST_ROWS]
    for data in small:
        for record in measure_all(data, args.methods, args.splits, known):
            print(
                "... {set}, split {split}, {method}".format(**record), file=sys.stderr, flush=True
            )
            known[key_of(record)] = record
            if args.save is not None:
                with open(args.save, "a") as file:
                    file.write(json.dumps(record) + "\n")
    results = pd.DataFrame([record for record in known.values() if record["set"] in small])
    for data, own in results.groupby("set", sort=False):
        print_set(data, own)
    is_simulated = results["set"].isin(list(SIMULATIONS))
    for title, rows in {"Tables": ~is_simulated, "Simulations": is_simulated}.items():
        print_summary(title, results[rows])
    print_cost(results)
    print_loss(results)


if __name__ == "__main__":
    main()
