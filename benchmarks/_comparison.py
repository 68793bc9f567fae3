"""What comparisons of methods on many tables share: splits, records, ratios, and what is printed.

The splits of a table are the same for all methods, each of which is in a pipeline that imputes
medians and standardises X. Training rows stay in the order of the table, and the number of the
split is the seed of the method. A record is a dict, a line of JSON in the files that are kept.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _timing import one_thread, print_table, seconds
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class Study(NamedTuple):
    """Which methods are compared on which tables, and by what.

    ``load(name)`` gives X and y, ``halves`` are the names of the tables. ``judge(model, X, y)``
    gives the measures, of which the first is compared; ``shown`` are their titles and formats.
    Only ``methods`` run where none are named, ``more`` where they are. Of the ``references`` the
    ``competitor`` is the one that the worst tables are sought for.
    """

    load: Callable
    halves: dict[str, list[str]]
    methods: dict
    more: dict
    splitter: Callable
    n_splits: int
    judge: Callable
    shown: dict[str, tuple[str, str]]
    references: list[str]
    competitor: str

    @property
    def tables(self):
        return sorted(name for names in self.halves.values() for name in names)

    @property
    def compared(self):
        return next(iter(self.shown))

    @property
    def title(self):
        return self.shown[self.compared][0]


# Measuring


def seeded(method, seed):
    """A clone of ``method`` with every ``random_state`` set; splitters keep theirs."""
    names = [name for name in method.get_params() if name.split("__")[-1] == "random_state"]
    return clone(method).set_params(**dict.fromkeys(names, seed))


def measure_fit(study, method, X, y, train, test):
    """The measures on the test rows, seconds of ``fit`` and its number of convergence warnings."""
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), method)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        time = seconds(lambda: model.fit(X[train], y[train]))
    others = [w for w in caught if not issubclass(w.category, ConvergenceWarning)]
    for w in others:
        warnings.showwarning(w.message, w.category, w.filename, w.lineno)
    measures = study.judge(model, X[test], y[test])
    return {**measures, "seconds": time, "warnings": len(caught) - len(others)}


def measure(study, data, methods, n_splits, known):
    """Records of the methods on the splits of one table, those that are not among ``known``."""
    X, y = study.load(data)
    choices = study.methods | study.more
    splits = study.splitter(n_splits).split(X, y)
    for number, (train, test) in enumerate(splits):
        for name in methods:
            if (data, number, name) in known:
                continue
            method = seeded(choices[name], number)
            # sorted: training rows in the order of the table, as they would be handed over
            record = measure_fit(study, method, X, y, np.sort(train), test)
            yield {"set": data, "split": number, "method": name, **record}


def key_of(record):
    return record["set"], record["split"], record["method"]


def read(paths):
    """Records by set, split and method, from JSON lines; later ones take the place of earlier."""
    lines = [line for path in paths for line in Path(path).read_text().splitlines()]
    return {key_of(record): record for record in map(json.loads, lines)}


def report(study, record, path):
    """Show a new record, and append it to the file."""
    text = "... {set}, split {split}, {method}: {title} {value:.4g}, {seconds:.2f} s"
    value = record[study.compared]
    print(text.format(**record, title=study.title, value=value), file=sys.stderr, flush=True)
    if path is not None:
        with open(path, "a") as file:
            file.write(json.dumps(record) + "\n")


# Ratios


def ratio(values, method, reference):
    """Ratio of the means, and the standard error of the paired differences in the same units.

    ``values`` has a row a split and a column a method; splits that one of them lacks are left out.
    The training rows of the splits overlap, so the standard error is on the small side.
    """
    if not {method, reference} <= set(values):
        return np.nan, np.nan
    ours, other = values[[method, reference]].dropna().to_numpy().T
    if not len(ours):
        return np.nan, np.nan
    shares = (ours - other) / other.mean()
    error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else np.nan
    return 1 + shares.mean(), error


def all_ratios(study, results):
    """A row a table and method: its ratio to each reference."""
    rows = []
    for data, own in results.groupby("set", sort=False):
        values = own.pivot(index="split", columns="method", values=study.compared)
        for name in own["method"].unique():
            row = {reference: ratio(values, name, reference)[0] for reference in study.references}
            rows.append({"set": data, "method": name, **row})
    return pd.DataFrame(rows)


def worst(study, ratios):
    """The table on which a method is furthest behind the competitor."""
    known = ratios.dropna(subset=study.competitor)
    if known.empty:
        return ""
    row = known.loc[known[study.competitor].idxmax()]
    return f"{show(row[study.competitor])} ({row['set']})"


# Printing


def show(value, error=None):
    if np.isnan(value):
        return ""
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"


def print_set(study, data, results):
    """The methods on one table."""
    X, _ = study.load(data)
    print(f"\n{data}: {len(X)} rows, {X.shape[1]} columns\n")
    values = results.pivot(index="split", columns="method", values=study.compared)
    rows = []
    for name, own in results.groupby("method", sort=False):
        means = [format(own[column].mean(), form) for column, (_, form) in study.shown.items()]
        ratios = [show(*ratio(values, name, r)) if r != name else "" for r in study.references]
        numbers = [own["seconds"].mean(), int(own["warnings"].sum())]
        rows.append([name, len(own), *means, *numbers, *ratios])
    titles = [title for title, _ in study.shown.values()]
    header = ["method", "splits", *titles, "s a fit", "warnings"]
    print_table([*header, *(f"/ {reference}" for reference in study.references)], rows)


def print_half(study, title, ratios):
    """Over the tables of a half: geometric means of the ratios, and the worst of them."""
    print(f"\n{title}, geometric means of {study.title}:\n")
    rows = []
    for name, own in ratios.groupby("method", sort=False):
        means = [show(np.exp(np.log(own[reference]).mean())) for reference in study.references]
        rows.append([name, len(own), *means, worst(study, own)])
    columns = [f"/ {reference}" for reference in study.references]
    print_table(["method", "tables", *columns, f"worst / {study.competitor}"], rows)


def print_results(study, results):
    """Each table, then the halves and all."""
    for data, own in results.groupby("set", sort=False):
        print_set(study, data, own)
    ratios = all_ratios(study, results)
    for half, names in study.halves.items():
        own = ratios[ratios["set"].isin(names)]
        if not own.empty:
            print_half(study, f"Half {half}", own)
    print_half(study, "All", ratios)


# The program


def arguments(study, title):
    choices = study.methods | study.more
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--half", choices=study.halves, help="only the tables of this half")
    parser.add_argument("--data", nargs="+", default=study.tables, choices=study.tables)
    parser.add_argument("--methods", nargs="+", default=list(study.methods), choices=choices)
    parser.add_argument("--splits", type=int, default=study.n_splits)
    parser.add_argument("--load", nargs="+", default=[], help="results of earlier runs")
    parser.add_argument("--save", help="append each result to this file as it comes")
    return parser.parse_args()


def run(study, title):
    """Measure what the command line asks for, and print it."""
    args = arguments(study, title)
    one_thread()
    tables = [name for name in args.data if args.half is None or name in study.halves[args.half]]
    tables.sort(key=lambda name: len(study.load(name)[1]))
    known = read(args.load)
    for data in tables:
        for record in measure(study, data, args.methods, args.splits, known):
            report(study, record, args.save)
            known[key_of(record)] = record
    shown = [known[key] for data in tables for key in known if key[0] == data]
    print_results(study, pd.DataFrame(shown))
