"""The end of a path: exact for linear models of every loss, and as the units of the data ask."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LinearRegression
from support.engine_tasks import task_of

from skmlp import RegularizedMLPRegressor, regularization_path
from skmlp.engine.descent.objective import objective_of
from skmlp.engine.epochs.validation_loss import training_outputs
from skmlp.engine.losses.table import loss_of
from skmlp.engine.network.layout import Layout
from skmlp.engine.paths.moving_penalty import Scheme, constant
from skmlp.engine.paths.path_end import end_of_network, null_moments, unpenalised
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.train import train

pytestmark = pytest.mark.filterwarnings("ignore:Layers")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6)) * [1.0, 2.0, 0.5, 1.0, 3.0, 1.0] + 1.0
SIGNAL = np.column_stack([0.5 * X[:, 0] - 0.3 * X[:, 1] + 0.4 * X[:, 2], 0.2 * X[:, 3]])
TARGETS = {
    "squared_error": SIGNAL + RNG.normal(size=(120, 2)),
    "poisson": RNG.poisson(np.exp(SIGNAL)).astype(float),
    "gamma": RNG.gamma(3.0, np.exp(SIGNAL)),
    "tweedie": RNG.poisson(np.exp(SIGNAL)) * RNG.uniform(0.5, 2, (120, 1)),
    "huber": SIGNAL + RNG.standard_t(2, size=(120, 2)),
}
LOSSES = [*TARGETS]
WEIGHT = RNG.uniform(0.2, 3, 120)
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "tol": 1e-9}
LINEAR |= {"max_iter": 5000, "max_fun": 20000}


@pytest.mark.parametrize("name", LOSSES)
def test_null_moments_are_the_gradient_of_the_constant_model(name):
    """Of the weighted mean loss with respect to a coefficient, X centred, by finite differences."""
    y, share = TARGETS[name], WEIGHT / WEIGHT.sum()
    task = task_of(X, y, WEIGHT, **LINEAR, loss=name)
    loss = loss_of(name)
    constant = loss.constant(y, WEIGHT[:, None] / WEIGHT.mean())
    centred = X - share @ X

    def value(column, output, step):
        f = constant[output] + step * centred[:, column]
        return share @ loss.value_and_derivative(np, f, y[:, output])[0]

    expected = [
        [(value(j, q, -1e-5) - value(j, q, 1e-5)) / 2e-5 for q in range(2)] for j in range(6)
    ]
    assert_allclose(null_moments(task)[0], expected, rtol=1e-6, atol=1e-9)


def exact_end(y, loss, weight):
    """The largest gradient at the best model on the first feature alone."""
    share, of_row = weight / weight.sum(), loss_of(loss).value_and_derivative

    def linear(b):
        return b[0] + b[1] * X[:, 0]

    def value(b):
        each, slope = of_row(np, linear(b), y)
        return share @ each, np.array([share @ slope, share @ (slope * X[:, 0])])

    b = minimize(value, [0.0, 0.0], jac=True, tol=1e-13).x
    return np.abs(X[:, 1:].T @ (share * of_row(np, linear(b), y)[1])).max()


@pytest.mark.parametrize("as_matrix", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("loss", LOSSES)
def test_end_beside_a_feature_without_penalty(loss, solver, as_matrix):
    """Where the gradient at the model on that feature is met, through the link of the loss."""
    y = TARGETS[loss][:, 0]
    model = RegularizedMLPRegressor(
        loss, (), solver=solver, alpha=0.0, normalize_y=False, penalty_factor=[0, 1, 1, 1, 1, 1]
    )
    model.set_params(max_iter=5, random_state=0)
    path = regularization_path(
        model, as_matrix(X), y, n_strengths=2, relaxed=False, sample_weight=WEIGHT
    )
    assert path.strengths[-1] == pytest.approx(exact_end(y, loss, WEIGHT), rel=1e-6)


def test_end_with_early_stopping_is_that_of_the_rows_trained_on():
    model = RegularizedMLPRegressor(
        hidden_layer_sizes=(), alpha=0, early_stopping=True, random_state=0, max_iter=3
    )
    model.set_params(penalty_factor=[0, 1, 1, 1, 1, 1], normalize_y=False)
    y = TARGETS["squared_error"][:, 0]
    task = task_of(X, y, **model.get_params())
    rows = task.train.rows
    assert 0 < len(rows) < len(y)
    fit = LinearRegression().fit(X[rows][:, :1], y[rows])
    residual = y[rows] - fit.predict(X[rows][:, :1])
    expected = np.abs(X[rows][:, 1:].T @ residual).max() / len(rows)
    path = regularization_path(model, X, y, n_strengths=2, relaxed=False)
    assert path.strengths[-1] == pytest.approx(expected, rel=1e-8)


CASES = {
    "plain": {},
    "factors": {"penalty_factor": [1.0, 3.0, 0.5, np.inf, 1.0, 2.0]},
    "free feature": {"penalty_factor": [1.0, 0.0, 1.0, 1.0, 1.0, 1.0]},
    "groups": {"feature_groups": [[0, 2, 3], [1, 4]], "penalty_factor": [1, 2, 1, np.inf, 2, 1]},
    "L1 beside": {"l1_per_layer": 0.05},
    "L1 beside groups": {"l1_per_layer": 0.05, "feature_groups": [[0, 2, 3], [1, 4]]},
    "positive": {"positive_weights": True},
}


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", LOSSES)
def test_linear_fits_lose_their_last_feature_at_the_end(loss, case, n_outputs):
    """A thousandth below the end some feature is left, a thousandth above none is."""
    y = TARGETS[loss][:, :n_outputs]
    y = y[:, 0] if n_outputs == 1 else y
    task = task_of(X, y, WEIGHT, **LINEAR, loss=loss, group_l1=1.0, **CASES[case])
    free = unpenalised(task)
    offset = None if free is None else training_outputs(free, train([free])[0].weights)
    end = Scheme("group_l1").largest(task, offset)
    moving = np.ones(6, dtype=bool) if free is None else task.penalty_factor > 0
    below, above = train([replace(task, group_l1=share * end) for share in (0.999, 1.001)])
    assert below.weights.coefs[0][moving].any()
    assert not above.weights.coefs[0][moving].any()


NETWORK = {"activation": "tanh", "solver": "lbfgs", "random_state": 0}


@pytest.mark.parametrize("hidden", [5, (5, 4)])
@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
@pytest.mark.parametrize("unit", [1e-9, 0.1, 1e6])
def test_end_follows_the_units_of_X(unit, param, hidden):
    """X in other units is the same problem with the first layer's L1 times, L2 times the square."""
    y, n_layers = TARGETS["squared_error"][:, 0], 1 + np.size(hidden)

    def end(unit):
        l2 = [20.0 * unit**2] + [20.0] * (n_layers - 1)
        factor = [1.0, 2.0, 1.0, 1.0, 0.5, np.inf]
        task = task_of(
            X * unit, y, **NETWORK, hidden_layer_sizes=hidden, alpha=l2, group_l1=1.0,
            penalty_factor=factor, feature_groups=[[0, 2], [1]],
        )  # fmt: skip
        if param == "l1_per_layer":
            task = replace(task, alpha=(0.0,) * n_layers, penalty_factor=np.multiply(factor, unit))
        adaptive = np.array([1.0, 5.0, 1.0, 2.0, 9.0, 1.0])
        return Scheme(param).largest(replace(task, adaptive_factor=adaptive))

    assert end(unit) == pytest.approx(end(1.0) * (unit if param == "group_l1" else 1), rel=1e-6)


def test_l2_of_the_end_is_free_of_the_adaptive_factor_and_of_the_groups_size():
    """Both act on the group penalty alone: twice of it halves the strength, whatever the L2."""
    y = TARGETS["squared_error"][:, 0]
    params = {**NETWORK, "hidden_layer_sizes": 5, "alpha": 20.0, "group_l1": 1.0}
    task = task_of(X[:, :1], y, **params)
    end = Scheme("group_l1").largest(task)
    adapted = replace(task, adaptive_factor=np.array([2.0]))
    assert Scheme("group_l1").largest(adapted) == pytest.approx(end / 2, rel=1e-9)
    noise = RNG.normal(size=(120, 3))
    noise -= LinearRegression().fit(y[:, None], noise).predict(y[:, None])
    together = task_of(np.c_[X[:, :1], noise], y, **params, feature_groups=[[0, 1, 2, 3]])
    assert Scheme("group_l1").largest(together) == pytest.approx(end / 2, rel=1e-9)


@pytest.mark.parametrize("hidden", [(), 5])
def test_excluded_columns_do_not_enter_the_end(hidden):
    y = TARGETS["squared_error"]
    params = {**NETWORK, "hidden_layer_sizes": hidden, "alpha": 20.0, "group_l1": 1.0}
    groups = {"feature_groups": [[0, 1, 2, 3]]}
    factor = [1.0, 1.0, np.inf, np.inf, 1.0, 1.0]
    task = task_of(X, y, **params, **groups, penalty_factor=factor)
    kept = task_of(X[:, [0, 1, 4, 5]], y, **params, feature_groups=[[0, 1]])
    ends = [Scheme("group_l1").largest(each) for each in (task, kept)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-12)


@pytest.mark.parametrize("unit", [1e-3, 50.0])
def test_end_of_poisson_networks_follows_the_units_of_y(unit):
    """y in other units has the loss, and with it all strengths, times the unit."""

    def end(unit):
        y = unit * TARGETS["poisson"][:, 0]
        params = {**NETWORK, "hidden_layer_sizes": 5, "alpha": 20.0 * unit, "group_l1": 1.0}
        return Scheme("group_l1").largest(task_of(X, y, **params, loss="poisson"))

    assert end(unit) == pytest.approx(unit * end(1.0), rel=1e-9)


@pytest.mark.parametrize("param", ["group_l1", "l1_per_layer"])
def test_end_is_the_last_of_the_ends_of_each_feature_alone(param):
    """However many there are, in whatever order; columns that are equal end together."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(40, 30)) * rng.uniform(0.1, 10, 30)
    wide[:, 7] = wide[:, 3]
    y = wide[:, :10] @ (rng.normal(size=10) / wide.std(0)[:10]) + rng.normal(size=40)
    factor = rng.uniform(0.5, 2, 30)
    params = {**NETWORK, "hidden_layer_sizes": 5, "alpha": 3.0, "group_l1": 1.0}

    def end(columns):
        task = task_of(wide[:, columns], y, **params, penalty_factor=factor[columns])
        return Scheme(param).largest(task)

    order = rng.permutation(30)
    expected = max(end([column]) for column in range(30))
    assert end(np.arange(30)) == pytest.approx(expected, rel=1e-12)
    assert end(order) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("param, l1_ratio", [("group_l1", 1.0), ("l1_per_layer", 0.6)])
def test_a_networks_own_end_is_where_zeros_are_as_good(param, l1_ratio):
    """There its objective is that of the constant model, whatever acts beside the strength."""
    task = task_of(X, TARGETS["squared_error"], WEIGHT, **NETWORK, hidden_layer_sizes=5, alpha=1.0)
    task = replace(task, adaptive_factor=np.arange(1.0, 7.0))
    scheme = Scheme(param, l1_ratio)
    (solution,) = train([scheme.at(task, 1e-3)])
    weights = solution.weights
    weights.coefs[0][3] = 0.0
    moved = scheme.at(task, end_of_network(scheme, task, weights))
    layout = Layout(task.program)
    own = objective_of([moved], [penalty_numbers(moved, layout)], layout)
    ((value, _),) = own.certificates(layout.pack(weights)[None])
    assert value == pytest.approx(constant(moved).objective, rel=1e-9)
