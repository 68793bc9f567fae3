"""Linear models of other losses are scikit-learn's, SciPy's and glmnet's, supports included."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)
from support.linear_models import linear
from support.reference_data import COUNTS

from skmlp import regularization_path

pytestmark = pytest.mark.filterwarnings("error")

REFERENCES = json.loads(
    (Path(__file__).parents[2] / "data" / "glmnet_poisson_references.json").read_text()
)
PROBLEMS = [(data, problem) for data in COUNTS for problem in REFERENCES[data]]
FINE = {"tol": 1e-10, "max_iter": 20000}
ACCURACY = 1e-6  # of the largest coefficient


def glmnet_problem(data, problem):
    """(X, y, weight, parameters, offset) of a problem on file."""
    X, y, offset = COUNTS[data]()
    n_samples, n_features = X.shape
    weight = np.resize([1, 2, 0.5, 1], n_samples)
    factor = np.resize([1, 0.5, 2, 0, 3], n_features)
    params = {"positive_weights": problem == "nonneg", **FINE}
    if problem == "factor":
        params["penalty_factor"] = factor * n_features / factor.sum()
    return (
        sparse.csr_array(X) if data == "sparse" else X,
        y,
        weight if problem in ("weight", "both", "nonneg") else None,
        params,
        None if problem in ("plain", "weight") else offset,
    )


def test_the_problems_on_file():
    assert set(COUNTS) == set(REFERENCES) - {"_about"}
    assert sum(len(REFERENCES[data][problem]["fits"]) for data, problem in PROBLEMS) == 80


@pytest.mark.parametrize("data, problem", PROBLEMS)
def test_counts_have_the_path_of_glmnet(data, problem):
    X, y, weight, params, offset = glmnet_problem(data, problem)
    ratio = 0.5 if problem == "elastic_net" else 1.0
    total = len(y) if weight is None else weight.sum()
    for fit in REFERENCES[data][problem]["fits"]:
        l1, l2 = fit["lambda"] * ratio, fit["lambda"] * (1 - ratio)
        model = linear(l1, l2, total, loss="poisson", **params).fit(X, y, weight, offset=offset)
        coef = np.zeros(X.shape[1])
        coef[fit["features"]] = fit["coef"]
        largest = np.abs(coef).max()
        assert_allclose(model.coefs_[0][:, 0], coef, rtol=0, atol=ACCURACY * largest)
        assert_array_equal(model.get_support(), coef != 0)
        assert model.intercepts_[0][0] == pytest.approx(fit["intercept"], abs=ACCURACY * largest)
        assert model.optimality_ < 1e-9


@pytest.mark.parametrize("data, problem", [p for p in PROBLEMS if p[1] != "nonneg"])
def test_paths_of_counts_end_at_glmnet_s_lambda_max(data, problem):
    X, y, weight, params, offset = glmnet_problem(data, problem)
    ratio = 0.5 if problem == "elastic_net" else 1.0
    path = regularization_path(
        linear(loss="poisson", **params), X, y, param="l1_per_layer", n_strengths=2, relaxed=False,
        l1_ratio=ratio, adaptive=False, sample_weight=weight, offset=offset,
    )  # fmt: skip
    assert path.strengths[-1] == pytest.approx(REFERENCES[data][problem]["lambda_max"], rel=1e-9)


# scikit-learn's

RNG = np.random.default_rng(0)
N, P = 200, 5
X = RNG.normal(size=(N, P)) * [1.0, 0.3, 3.0, 1.0, 1.0]
RATE = np.exp(0.4 * X[:, 0] - 0.2 * X[:, 2] + 0.5)
WEIGHT = RNG.uniform(0.2, 3, N)
RESPONSES = {
    0: np.log(RATE) + RNG.normal(size=N),
    1: RNG.poisson(RATE).astype(float),
    1.5: RNG.poisson(RATE) * RNG.gamma(2.0, 0.5, N),
    1.9: RNG.poisson(3 * RATE) * RNG.gamma(2.0, 0.5, N),
    2: RATE * RNG.gamma(2.0, 0.5, N),
    3: RATE * RNG.wald(1.0, 3.0, N),
}


def assert_same(model, theirs):
    largest = np.abs(theirs.coef_).max()
    assert_allclose(model.coefs_[0][:, 0], theirs.coef_, rtol=0, atol=ACCURACY * largest)
    assert model.intercepts_[0][0] == pytest.approx(theirs.intercept_, abs=ACCURACY * largest)
    assert_array_equal(model.get_support(), theirs.coef_ != 0)


def fitted_by_scikit_learn(power, l2, rows, weight):
    """Newton's steps from where its L-BFGS ends, at rounding of the loss; Ridge without a link."""
    if power == 0:
        total = N if weight is None else weight.sum()
        solver = "sparse_cg" if sparse.issparse(rows) else "auto"
        return Ridge(l2 * total, solver=solver, tol=1e-12).fit(rows, RESPONSES[0], weight)
    model = TweedieRegressor(power=power, alpha=l2, tol=1e-7, max_iter=5000, warm_start=True)
    model.fit(rows, RESPONSES[power], sample_weight=weight)
    model.set_params(solver="newton-cholesky", tol=1e-11)
    return model.fit(rows, RESPONSES[power], sample_weight=weight)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("l2", [0.0, 0.05, 2.0])
@pytest.mark.parametrize("power", RESPONSES)
def test_tweedie_models_are_scikit_learn_s(power, l2, weight, make):
    """Of power 0 the identity link is both programs' choice."""
    theirs = fitted_by_scikit_learn(power, l2, make(X), weight)
    total = N if weight is None else weight.sum()
    model = linear(0.0, l2, total, loss="tweedie", power=power, **FINE)
    assert_same(model.fit(make(X), RESPONSES[power], sample_weight=weight), theirs)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_poisson_and_gamma_are_scikit_learn_s(l2):
    for loss, program, power in [("poisson", PoissonRegressor, 1), ("gamma", GammaRegressor, 2)]:
        theirs = program(alpha=l2, solver="newton-cholesky", tol=1e-11, max_iter=5000)
        theirs.fit(X, RESPONSES[power])
        assert_same(linear(0.0, l2, N, loss=loss, **FINE).fit(X, RESPONSES[power]), theirs)


@pytest.mark.parametrize("l2", [0.0, 0.05])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("delta", [0.3, 1.35])
def test_huber_is_the_minimiser_that_scipy_finds(delta, weight, l2):
    share = np.full(N, 1 / N) if weight is None else weight / weight.sum()
    y = RESPONSES[0] + 10 * (RNG.uniform(size=N) < 0.1)

    def objective(row):
        residual = X @ row[1:] + row[0] - y
        slope = np.clip(residual, -delta, delta)
        value = share @ (slope * (residual - slope / 2)) + l2 / 2 * row[1:] @ row[1:]
        gradient = X.T @ (share * slope) + l2 * row[1:]
        return value, np.r_[share @ slope, gradient]

    options = {"gtol": 1e-12, "maxiter": 5000}
    found = minimize(objective, np.zeros(1 + P), jac=True, method="BFGS", options=options)
    model = linear(0.0, l2, 1.0 / (1 / N if weight is None else 1 / weight.sum()), loss="huber")
    model.set_params(huber_delta=delta, **FINE).fit(X, y, sample_weight=weight)
    assert model.objective_ == pytest.approx(found.fun, rel=1e-9)
    largest = np.abs(found.x).max()
    assert_allclose(model.coefs_[0][:, 0], found.x[1:], rtol=0, atol=ACCURACY * largest)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("epsilon", [1.1, 1.35, 2.0])
def test_huber_regressor_is_ours_at_the_scale_that_it_finds(epsilon):
    """It minimises n sigma + (2 / sigma) sum huber(r, epsilon sigma) + alpha w^2 over sigma too.

    Its search ends early: SciPy goes on from there, to the minimum of that.
    """
    y = RESPONSES[0] + 10 * (RNG.uniform(size=N) < 0.1)
    theirs = HuberRegressor(epsilon=epsilon, alpha=0.5, tol=1e-9, max_iter=5000).fit(X, y)

    def objective(row):
        sigma = np.exp(row[0])
        residual = X @ row[2:] + row[1] - y
        slope = np.clip(residual, -epsilon * sigma, epsilon * sigma)
        loss, penalty = (slope * (residual - slope / 2)).sum(), 0.5 * row[2:] @ row[2:]
        outside = (np.abs(residual) > epsilon * sigma) @ np.abs(residual)
        far = (np.abs(residual) > epsilon * sigma).sum() * epsilon * sigma
        along = N * sigma - 2 / sigma * loss + 2 * epsilon * (outside - far)
        gradient = 2 / sigma * np.r_[slope.sum(), X.T @ slope] + np.r_[0, row[2:]]
        return N * sigma + 2 / sigma * loss + penalty, np.r_[along, gradient]

    start = np.r_[np.log(theirs.scale_), theirs.intercept_, theirs.coef_]
    options = {"gtol": 1e-9, "maxiter": 5000}
    row = minimize(objective, start, jac=True, method="BFGS", options=options).x
    assert_allclose(row, start, rtol=0, atol=1e-3)
    sigma = np.exp(row[0])
    intercept, *coef = _at_scale(sigma, row[1:], y, epsilon * sigma)
    model = linear(loss="huber", huber_delta=epsilon * sigma, alpha=0.5 * sigma, **FINE).fit(X, y)
    largest = np.abs(coef).max()
    assert_allclose(model.coefs_[0][:, 0], coef, rtol=0, atol=ACCURACY * largest)
    assert model.intercepts_[0][0] == pytest.approx(intercept, abs=ACCURACY * largest)


def _at_scale(sigma, row, y, delta):
    """The minimum (1 + p,) at a scale from a row nearby: quadratic while the same rows are far."""
    Z, ridge = np.c_[np.ones(N), X], 0.5 * sigma * np.diag(np.r_[0.0, np.ones(X.shape[1])])
    for _ in range(20):
        residual = Z @ row - y
        near = np.abs(residual) <= delta
        pull = Z[near].T @ y[near] - delta * Z[~near].T @ np.sign(residual[~near])
        row = np.linalg.solve(Z[near].T @ Z[near] + ridge, pull)
    return row
