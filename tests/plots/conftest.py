"""What the tests of displays share: models to draw, and figures that are closed."""

import pytest
from support.displayed import lasso_by_cv, sparse_network, stable_by_halves


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pytest.importorskip("matplotlib.pyplot").close("all")


@pytest.fixture(scope="module")
def cv():
    return lasso_by_cv()


@pytest.fixture(scope="module")
def selector():
    return stable_by_halves()


@pytest.fixture(scope="module")
def sparse():
    return sparse_network()
