"""Squares and products that are looked at before networks on wide data: the formula, by hand."""

import tracemalloc
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import LinearRegression
from support.engine_tasks import task_of

from skmlp.engine.paths import interactions
from skmlp.engine.paths.interactions import Products, products_that_tell, remainder
from skmlp.engine.train import train

RNG = np.random.default_rng(0)
N, P = 50, 23
X = RNG.normal(size=(N, P)) * RNG.uniform(0.1, 10, P) + RNG.normal(size=P)
X[:, 4] = RNG.integers(0, 2, N)  # the square of a dummy says what the dummy says
X[:, 9] = 3.0
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "l1_per_layer": 0.1}


def linear_task(X, y, weight=None, **params):
    return task_of(X, y, weight, **{**LINEAR, **params})


def by_hand(rest, columns):
    """Pairs in the order of what they fit of the rest: squares beside their columns, products."""
    Z = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)
    squares, products = {}, {}
    for j in columns:
        square = Z[:, j] ** 2
        square = square - LinearRegression().fit(Z[:, [j]], square).predict(Z[:, [j]])
        if square @ square > 1e-6:
            squares[j, j] = np.square(square @ rest).sum() / (square @ square)
    for i, j in combinations(columns, 2):
        product = Z[:, i] * Z[:, j]
        products[i, j] = np.square(product @ rest).sum() / (product @ product)
    return [sorted(scores, key=scores.get, reverse=True)[:10] for scores in (squares, products)]


@pytest.mark.parametrize("block", [5, 1024])
@pytest.mark.parametrize("as_matrix", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_products_are_those_that_fit_best(n_outputs, as_matrix, block, monkeypatch):
    """Neither constant nor excluded columns have any, nor has the square of a dummy."""
    monkeypatch.setattr(interactions, "BLOCK_COLUMNS", block)
    factor = np.where(np.arange(P) == 2, np.inf, 1.0)
    rest = RNG.normal(size=(N, n_outputs))
    rest -= rest.mean(0)
    task = linear_task(as_matrix(X), rest[:, 0], penalty_factor=factor)
    squares, products = by_hand(rest, [j for j in range(P) if j not in (2, 9)])
    found = [tuple(pair) for pair in products_that_tell(task, rest).tolist()]
    assert set(found[:10]) == set(squares)
    assert found[10:] == products


def test_blocks_of_long_columns_are_narrow(monkeypatch):
    """What is scored together is bounded in memory, and the scores are those of any block."""
    tall = sparse.random(600, 500, density=0.05, random_state=0, format="csr")
    task, rest = linear_task(tall, RNG.normal(size=600)), RNG.normal(size=(600, 1))
    whole = products_that_tell(task, rest)
    monkeypatch.setattr(interactions, "BLOCK_NUMBERS", 2**14)
    tracemalloc.start()
    pairs = products_that_tell(task, rest)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert_array_equal(pairs, whole)
    assert peak < 1.2e6  # the columns have 2.4 MB


def test_of_too_many_pairs_those_with_the_largest_effects(monkeypatch):
    """One of the features with the largest effects, or squares, is in each pair."""
    rest = X[:, [3]] - X[:, 3].mean() + 1e-3 * RNG.normal(size=(N, 1))
    rest -= rest.mean(0)
    task = linear_task(X, rest[:, 0])
    monkeypatch.setattr(interactions, "N_SQUARES", 1)
    monkeypatch.setattr(interactions, "MOST_OPERATIONS", 1.0)
    assert not interactions.looks_at_all_products(task)
    square, *products = products_that_tell(task, rest).tolist()
    assert len(products) == 10
    assert all({3, square[0]} & set(pair) for pair in products)
    assert all(i != j for i, j in products)


@pytest.mark.parametrize("name", ["squared_error", "poisson"])
def test_remainder_is_minus_the_slope_of_the_loss(name):
    """y minus the prediction, times the weights, about its mean, in whatever directions."""
    y = RNG.poisson(2.0, size=(N, 2)).astype(float)
    weight = RNG.uniform(0.5, 2, N)
    task = linear_task(X, y, weight, loss=name)
    (solution,) = train([task])
    weights, share = solution.weights, weight / weight.mean()
    output = X @ weights.coefs[0] + weights.intercepts[0]
    mean = np.exp(output) if name == "poisson" else output
    slope = (y - mean) * share[:, None]
    expected, found = slope - slope.mean(0), remainder(task, weights)
    unit = np.sum(expected**2) / np.sum(found**2)  # outputs may be averaged
    assert_allclose(unit * (found @ found.T), expected @ expected.T, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("as_matrix", [np.asarray, sparse.csr_array])
def test_products_are_further_columns_in_a_unit_between_those_of_their_features(as_matrix):
    pairs = np.array([[0, 1], [3, 3]])
    task = linear_task(as_matrix(X), X[:, 0])
    Z, std = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1), X.std(0)
    products = Products.of(task.train, pairs)
    wide = products.beside(task.train.X)
    assert sparse.issparse(wide) == sparse.issparse(task.train.X)
    wide = wide.toarray() if sparse.issparse(wide) else wide
    assert_array_equal(wide[:, :P], X)
    assert_allclose(wide[:, P], Z[:, 0] * Z[:, 1] * np.sqrt(std[0] * std[1]), atol=1e-5)
    assert_allclose(wide[:, P + 1], Z[:, 3] ** 2 * std[3], rtol=1e-4, atol=1e-5)
    support = np.zeros(P + 2, dtype=bool)
    support[[7, P]] = True
    assert_array_equal(products.features(support), [0, 1, 7])


def test_the_factor_of_a_product_lies_between_those_of_its_features():
    factor = np.ones(P)
    factor[:2] = 2.0, 8.0
    task = linear_task(X, X[:, 0], penalty_factor=factor)
    products = Products.of(task.train, np.array([[0, 1], [1, 5]]))
    widened = products.in_linear(replace(task, validation=None))
    assert_allclose(widened.penalty_factor, [*factor, 4.0, np.sqrt(8.0)])
    assert widened.program.layer_sizes == (P + 2, 1)
