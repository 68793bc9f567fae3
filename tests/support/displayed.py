"""Data and networks that the tests of displays share."""

from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, StabilitySelector

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(X)
LASSO = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0)


def lasso_by_cv():
    return RegularizedMLPRegressorCV(LASSO, param="l1_per_layer", n_strengths=12).fit(X, y)


def stable_by_halves():
    return StabilitySelector(LASSO, n_subsamples=20, max_false=2.5, random_state=0).fit(X, y)


def sparse_network():
    mlp = RegularizedMLPRegressor(
        hidden_layer_sizes=4, activation="tanh", solver="lbfgs", l1_per_layer=0.03, random_state=0
    )
    return mlp.fit(X, y)


def assert_apart(boxes):
    """No box meets another one."""
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[k + 1 :]) == 0
