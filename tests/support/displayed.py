"""Data and networks that the tests of displays share."""

from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from skmlp import (
    RegularizedMLPRegressor,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(X)
LASSO = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)


def assert_apart(boxes):
    """No box meets another one."""
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[k + 1 :]) == 0
