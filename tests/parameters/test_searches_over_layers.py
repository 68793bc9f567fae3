"""Values by layer in scikit-learn's searches: they are stored as given, and make a difference."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
y = X @ [1.0, -1.0, 0.5, 0.0] + 0.3 * RNG.normal(size=60)
CV = KFold(3)
GRID = {
    "regularizedmlpregressor__l1_per_layer": [0.0, 0.05, [0.05, 0.1], (0.0, 0.1)],
    "regularizedmlpregressor__positive_weights": [False, True, [True, False]],
}


def pipeline():
    params = {"hidden_layer_sizes": (5,), "activation": "tanh", "solver": "lbfgs", "max_iter": 40}
    return make_pipeline(StandardScaler(), RegularizedMLPRegressor(**params, random_state=0))


def scores_by_hand(params):
    """The scores of folds of a pipeline made with the parameters, without a search."""
    scores = []
    for train, test in CV.split(X):
        model = clone(pipeline()).set_params(**params).fit(X[train], y[train])
        scores.append(model.score(X[test], y[test]))
    return scores


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Layers .* have no penalty")
def test_grid_search_over_penalties_and_signs_of_layers():
    search = GridSearchCV(pipeline(), GRID, cv=CV, error_score="raise").fit(X, y)
    found = np.column_stack([search.cv_results_[f"split{k}_test_score"] for k in range(3)])
    assert_array_equal(found, [scores_by_hand(params) for params in ParameterGrid(GRID)])
    assert len(np.unique(found[:, 0])) == 12
    best = search.best_estimator_[-1]
    assert (
        best.get_params().items()
        >= {name.split("__")[1]: value for name, value in search.best_params_.items()}.items()
    )
