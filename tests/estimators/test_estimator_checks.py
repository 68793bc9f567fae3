"""scikit-learn's own checks of an estimator, with no expected failures."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 60, "learning_rate_init": 0.03}
# With L1 the closing line searches amplify rounding, which only their minimum forgets: the check of
# sample weights allows 1e-7.
TO_THE_MINIMUM = {"max_iter": 150, "tol": 1e-6, "learning_rate_init": 0.1, "activation": "tanh"}
CONFIGURATIONS = [
    {},
    {"solver": "sgd"},
    {"solver": "lbfgs", "max_iter": 30},
    {"l1_per_layer": 1e-2, **TO_THE_MINIMUM},
    {"l1_per_layer": (1e-2, 1e-3), "solver": "lbfgs", "max_iter": 30},
    {"positive_weights": True},
    {"positive_weights": (True, False), "l1_per_layer": 1e-2, **TO_THE_MINIMUM},
    {"normalization": "batch"},
    {"normalization": "layer"},
    {"early_stopping": True, "validation_fraction": 0.3},
    {"hidden_layer_sizes": ()},
]


EXACT = {"hidden_layer_sizes": (), "solver": "lbfgs", "l1_per_layer": 1e-2}
OF_CLASSES = [  # those in which classes have code of their own, and a few others
    {},
    {"solver": "lbfgs", "max_iter": 30},
    {"l1_per_layer": 1e-2, **TO_THE_MINIMUM},
    {"positive_weights": True},
    {"normalization": "batch"},
    {"early_stopping": True, "validation_fraction": 0.3},
    {"class_weight": "balanced"},
    {**EXACT, "tol": 1e-9, "max_iter": 1000},
]


@parametrize_with_checks(
    [RegularizedMLPRegressor(**{**SMALL, **changes}) for changes in [*CONFIGURATIONS, EXACT]]
    + [RegularizedMLPClassifier(**{**SMALL, **changes}) for changes in OF_CLASSES]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
