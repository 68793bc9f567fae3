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

import importlib.util
from functools import partial

import numpy as np
from _comparison import Study, run
from collection import HALVES, load
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV


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


def judge(model, X, y):
    predicted = model.predict(X)
    return {"rmse": root_mean_squared_error(y, predicted), "r2": r2_score(y, predicted)}


STUDY = Study(
    load=load,
    halves=HALVES,
    methods=METHODS,
    more=tabular_networks(),
    splitter=partial(ShuffleSplit, test_size=0.1, random_state=0),
    n_splits=10,
    judge=judge,
    shown={"rmse": ("RMSE", ".4g"), "r2": ("R2", ".4f")},
    references=["ridge", "boosting", "search"],
    competitor="search",
)

if __name__ == "__main__":
    run(STUDY, __doc__.splitlines()[0])
