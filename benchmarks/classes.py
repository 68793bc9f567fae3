"""Classes on public tables: RegularizedMLPClassifierCV as it is, and other classifiers.

Log loss and error on the test rows of five stratified splits of 80 to 20 of twenty tables that
scikit-learn and R packages ship, each with every method in a pipeline that imputes medians and
standardises X. The tables are in two halves, drawn before any method was run on any of them: a
choice is developed on one and reported on the other. "logistic" and "search" choose by log loss,
as the others do. Times are of one process in turn, on one thread, for ``fit`` alone.

    python benchmarks/classes.py                     # everything: hours
    python benchmarks/classes.py --half A --methods logistic search boosting --save others.jsonl
    python benchmarks/classes.py --half A --methods skmlp --load others.jsonl
    python benchmarks/classes.py --data wine penguins --splits 3
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from _comparison import Study, run
from collection import draw_halves, predictors, rows_of
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier

from skmlp import RegularizedMLPClassifierCV

MOST_ROWS = 2000


class Table(NamedTuple):
    """A table of R: the column of classes, and the columns that are left out."""

    package: str
    name: str
    classes: str
    drop: tuple = ()


TWO_CLASSES = {
    # 1,470 employees: who left
    "attrition": Table("modeldata", "attrition", "Attrition"),
    # 189 births: of low weight; without the weight
    "birthwt": Table("MASS", "birthwt", "low", ("bwt",)),
    # 2,000 of 5,822 households: who has a caravan insured, one in 17
    "caravan": Table("ISLR", "Caravan", "Purchase"),
    # 2,000 of 2,019 cells under a microscope: well segmented; without whether for training
    "cells": Table("modeldata", "cells", "class", ("case",)),
    # 2,000 of 5,000 customers of a telephone company: who left
    "churn": Table("modeldata", "mlc_churn", "churn"),
    # 2,000 of 4,454 loans, some cells missing: good or bad
    "credit": Table("modeldata", "credit_data", "Status"),
    # 1,319 applications for a credit card: granted; without what was spent with it
    "creditcard": Table("AER", "CreditCard", "card", ("share", "expenditure")),
    # 2,000 of 2,380 mortgages: denied
    "hmda": Table("AER", "HMDA", "deny"),
    # 1,070 purchases: of which of two juices
    "oj": Table("ISLR", "OJ", "Purchase"),
    # 332 women: diabetes
    "pima": Table("MASS", "Pima.te", "type"),
    # 1,250 days: whether an index rises; without by how much
    "smarket": Table("ISLR", "Smarket", "Direction", ("Today",)),
    # 872 women: who works
    "swisslabor": Table("AER", "SwissLabor", "participation"),
    # 1,309 passengers, some ages missing: who survived
    "titanic": Table("carData", "TitanicSurvival", "survived"),
}
MORE_CLASSES = {
    # 214 pieces of glass: of six kinds
    "glass": Table("MASS", "fgl", "type"),
    # 344 penguins of three species, some cells missing
    "penguins": Table("palmerpenguins", "penguins", "species"),
    # 909 voters: for one of three candidates
    "vote": Table("pscl", "vote92", "vote"),
    # 2,000 of 2,412 purchases: of one of four brands; without the household
    "yogurt": Table("Ecdat", "Yogurt", "choice", ("id",)),
}


def table(package, name, classes, drop):
    """X (n, p), where NaN is missing, and the classes (n,), of the rows where these are known."""
    data = rows_of(package, name, classes, MOST_ROWS)
    return predictors(data, [classes, *drop]).to_numpy(float), data[classes].to_numpy()


def digits():
    """600 of 1,797 handwritten digits."""
    X, y = load_digits(return_X_y=True)
    rows = np.sort(np.random.RandomState(0).permutation(len(y))[:600])
    return X[rows], y[rows]


LOADERS = {
    **{name: partial(table, *own) for name, own in (TWO_CLASSES | MORE_CLASSES).items()},
    "breast_cancer": partial(load_breast_cancer, return_X_y=True),
    "wine": partial(load_wine, return_X_y=True),
    "digits": digits,
}
HALVES = draw_halves(16, {*TWO_CLASSES, "breast_cancer"}, {*MORE_CLASSES, "wine", "digits"})


def load(name):
    """X and y of a table."""
    return LOADERS[name]()


def logistic():
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return LogisticRegressionCV(
        cv=folds,
        scoring="neg_log_loss",
        l1_ratios=(0,),
        max_iter=1000,
        use_legacy_attributes=False,
    )


def search():
    """What a careful user of scikit-learn writes: alpha by shuffled folds, and their log loss."""
    network = MLPClassifier(hidden_layer_sizes=50, solver="lbfgs", max_iter=500, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return GridSearchCV(network, {"alpha": [0.01, 1, 10]}, cv=folds, scoring="neg_log_loss")


METHODS = {
    "logistic": logistic(),
    "boosting": HistGradientBoostingClassifier(random_state=0),
    "search": search(),
    "skmlp": RegularizedMLPClassifierCV(),
}


def judge(model, X, y):
    probability = model.predict_proba(X)
    return {
        "log_loss": log_loss(y, probability, labels=model.classes_),
        "error": np.mean(model.predict(X) != y),
    }


STUDY = Study(
    load=load,
    halves=HALVES,
    methods=METHODS,
    more={},
    splitter=partial(StratifiedShuffleSplit, test_size=0.2, random_state=0),
    n_splits=5,
    judge=judge,
    shown={"log_loss": ("log loss", ".4g"), "error": ("error", ".4f")},
    references=["logistic", "boosting", "search"],
    competitor="search",
)

if __name__ == "__main__":
    run(STUDY, __doc__.splitlines()[0])
