import pytest
from support.displayed import LASSO, X, y

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV


@pytest.fixture(autouse=True)
def _close_figures():
    plt = pytest.importorskip("matplotlib.pyplot")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cv():
    return RegularizedMLPRegressorCV(LASSO, param="l1_per_layer", n_strengths=12).fit(X, y)


@pytest.fixture(scope="module")
def sparse():
    mlp = RegularizedMLPRegressor(
        hidden_layer_sizes=4, activation="tanh", solver="lbfgs", l1_per_layer=0.03, random_state=0
    )
    return mlp.fit(X, y)
