"""Compiled epochs are torch's: same numbers, order of rows, record and end."""

from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from programs import numbers_of, random_task
from support.engine_tasks import ACTIVATIONS, task_of

from skmlp import RegularizedMLPRegressor
from skmlp.engine import fitting
from skmlp.engine.epochs import compiled_training
from skmlp.engine.epochs.compiled_training import CompiledTraining
from skmlp.engine.kernels import loops
from skmlp.engine.kernels.choice import serves
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.runtime import Draws
from skmlp.engine.task import Status
from skmlp.engine.train import train

pytest.importorskip("skmlp.engine.kernels.compiled")
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Layers", "ignore:The function", "ignore:.*onverge", "ignore:Got"
    ),
    pytest.mark.usefixtures("epochs_alone"),
]

RNG = np.random.default_rng(0)
N_ROWS = 90
X = RNG.normal(size=(N_ROWS, 5))
y = np.tanh(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=N_ROWS)
X_VAL = RNG.normal(size=(40, 5))
Y_VAL = np.tanh(X_VAL[:, 0]) + X_VAL[:, 1] * X_VAL[:, 2] + 0.3 * RNG.normal(size=40)
FULL = {"batch_size": 100, "n_iter_no_change": np.inf}


@pytest.fixture
def epochs_alone(monkeypatch):
    """Without the deterministic steps after the epochs, which amplify rounding on their way."""
    monkeypatch.setattr(fitting, "_settles", lambda task, outcome: False)


@contextmanager
def kernels(is_on):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKMLP_KERNELS", str(int(is_on)))
        yield


def both_ways(task):
    """The solutions of the compiled loops and of torch."""
    solutions = []
    for is_on in (True, False):
        with kernels(is_on):
            assert serves(task) is is_on
            solutions += train([task])
    return solutions


def distance(ours, theirs):
    """The largest difference of parameters, over the largest of them."""
    a, b = numbers_of(ours.weights), numbers_of(theirs.weights)
    return np.abs(a - b).max() / np.abs(b).max()


def assert_same_record(ours, theirs, tolerance=1e-11):
    assert (ours.n_iter, ours.status) == (theirs.n_iter, theirs.status)
    assert ours.message == theirs.message
    for name in ("loss_curve", "validation_losses", "validation_scores", "validation_score"):
        ours_, theirs_ = getattr(ours, name), getattr(theirs, name)
        assert (ours_ is None) == (theirs_ is None)
        if ours_ is not None:
            assert_allclose(ours_, theirs_, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("seed", range(150))
def test_fifty_epochs_of_random_programs(seed):
    """Adam divides gradients by their size: epsilon is one that does not amplify rounding."""
    ours, theirs = both_ways(random_task(seed, max_iter=50, epsilon=1e-3, **FULL))
    assert distance(ours, theirs) < 1e-12
    assert_same_record(ours, theirs)


@pytest.mark.parametrize("seed", range(200, 230))
def test_differences_are_those_of_rounding(seed):
    """At the default epsilon too: no more than those of targets that are rounded elsewhere."""
    task = random_task(seed, max_iter=50, **FULL)
    ours, theirs = both_ways(task)
    signs = np.random.default_rng(seed).choice([-1, 1], task.train.y.shape)
    samples = replace(task.train, y=task.train.y * (1 + 2e-16 * signs))
    with kernels(False):
        response = distance(train([replace(task, train=samples)])[0], theirs)
    assert distance(ours, theirs) < max(1e-12, 30 * response)


@pytest.mark.parametrize("seed", range(300, 400))
def test_mini_batches_are_the_same_rows(seed):
    ours, theirs = both_ways(random_task(seed, max_iter=5, batch_size=8))
    assert distance(ours, theirs) < 1e-10
    assert_same_record(ours, theirs, 1e-10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_single_precision(activation):
    data = X.astype("float32"), y.astype("float32")
    params = {"activation": activation, "hidden_layer_sizes": (9, 4), "l1_per_layer": 0.001}
    ours, theirs = both_ways(task_of(*data, **params, batch_size=20, max_iter=5))
    assert distance(ours, theirs) < 1e-4
    assert_same_record(ours, theirs, 1e-4)
    assert {array.dtype for array in ours.weights.coefs} == {np.dtype("float32")}


def training_of(task):
    """The epochs of a task, from a row of ones, with all of its seed's draws ahead."""
    layout = Layout(task.program)
    penalty = penalty_numbers(task, layout)
    return CompiledTraining(task, penalty, layout, np.full(layout.size, 0.1), Draws.of(task.seed))


@pytest.mark.parametrize("n_rows", [2, 3, 63, 64, 65, 1000, 70_000])
def test_rows_are_shuffled_as_numpy_does(n_rows):
    data = np.linspace(-1, 1, n_rows)
    params = {"hidden_layer_sizes": (), "batch_size": max(1, n_rows // 3), "max_iter": 3}
    training = training_of(task_of(data[:, None], data, random_state=5, **params))
    expected, rng = np.arange(n_rows), np.random.RandomState(training.task.seed)
    training.run_epochs()
    for _ in range(training.progress.n_epochs):
        rng.shuffle(expected)
    assert training.progress.n_epochs == 3
    assert_array_equal(training._order, expected)


@pytest.mark.parametrize("params", [{"shuffle": False, "batch_size": 20}, {"batch_size": N_ROWS}])
def test_rows_stay_where_nothing_is_to_be_shuffled(params):
    task = task_of(X, y, hidden_layer_sizes=(3,), max_iter=3, **params)
    training = training_of(task)
    training.run_epochs()
    assert_array_equal(training._order, np.arange(N_ROWS))
    assert distance(*both_ways(task)) < 1e-12


RULES = {
    "loss": {},
    "scaled loss": {"tol": 1e-2},
    "closing": {"l1_per_layer": 0.01},
    "closing, groups": {"group_l1": 0.02, "alpha": 0.1},
    "early stopping": {"early_stopping": True},
    "early stopping, closing": {"early_stopping": True, "l1_per_layer": 0.01},
    "to the end": {"n_iter_no_change": np.inf},
}
SOLVERS = {
    "adam": {"epsilon": 1e-3, "learning_rate_init": 0.02},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5},
    "plain": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    "heavy ball": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.1},
}


@pytest.mark.parametrize("batch_size", [30, 200])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("rule", RULES)
def test_trainings_end_alike(rule, solver, batch_size):
    params = {"hidden_layer_sizes": (6,), "n_iter_no_change": 3, "tol": 1e-3, "max_iter": 80}
    params |= {"activation": "tanh", "batch_size": batch_size, **SOLVERS[solver], **RULES[rule]}
    ours, theirs = both_ways(task_of(X, y, **params))
    assert_same_record(ours, theirs, 1e-9)
    assert distance(ours, theirs) < 1e-9


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_validation_rows(loss, early_stopping):
    targets = (np.exp(0.5 * y), np.exp(0.5 * Y_VAL)) if loss == "poisson" else (y, Y_VAL)
    params = {"early_stopping": early_stopping, "loss": loss, "max_iter": 30, "tol": 0}
    task = task_of(X, targets[0], validation=(X_VAL, targets[1]), activation="silu", **params)
    ours, theirs = both_ways(task)
    assert len(ours.validation_losses) == ours.n_iter
    assert_same_record(ours, theirs, 1e-9)
    assert distance(ours, theirs) < 1e-9


def test_verbose_trainings_print_alike(capsys):
    task = task_of(X, y, hidden_layer_sizes=(4,), max_iter=8, verbose=True, alpha=1.0)
    printed = []
    for is_on in (True, False):
        with kernels(is_on):
            train([task])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert printed[0].count("Iteration") == 8


@pytest.mark.parametrize("most", [1, 7])
def test_bits_do_not_depend_on_how_many_epochs_a_call_makes(most, monkeypatch):
    params = {"hidden_layer_sizes": (5,), "batch_size": 32, "n_iter_no_change": 2, "tol": 1e-2}
    task = task_of(X, y, max_iter=60, **params)
    whole = train([task])[0]
    monkeypatch.setattr(compiled_training, "MOST_EPOCHS", most)
    pieces = train([task])[0]
    assert_array_equal(numbers_of(pieces.weights), numbers_of(whole.weights))
    assert pieces.loss_curve == whole.loss_curve
    assert pieces.status is whole.status


@pytest.mark.parametrize("n_threads", [1, 3])
def test_bits_do_not_depend_on_who_trains_beside(n_threads):
    params = {"hidden_layer_sizes": (7, 3), "batch_size": 16, "max_iter": 12}
    tasks = [task_of(X, y, random_state=k, alpha=0.1 * k, **params) for k in range(5)]
    for solution, task in zip(train(tasks, n_threads), tasks, strict=True):
        alone = train([task])[0]
        assert_array_equal(numbers_of(solution.weights), numbers_of(alone.weights))
        assert solution.loss_curve == alone.loss_curve
        assert solution.objective == alone.objective


@pytest.mark.parametrize("rate", [1e3, 1e200])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_trainings_diverge_alike(activation, rate):
    """The record ends with the loss that is no number, and the weights are those of that epoch."""
    params = {"activation": activation, "solver": "sgd", "momentum": 0.0, "batch_size": N_ROWS}
    params |= {"hidden_layer_sizes": (4,), "learning_rate_init": rate, "max_iter": 60}
    ours, theirs = both_ways(task_of(X, y, n_iter_no_change=np.inf, **params))
    assert (ours.status, ours.n_iter) == (theirs.status, theirs.n_iter)
    assert ours.is_usable == theirs.is_usable
    assert ours.status is Status.DIVERGED
    assert not np.isfinite(ours.loss_curve[-1])
    assert np.isfinite(ours.loss_curve[:-1]).all()


def test_a_training_does_not_touch_its_data():
    data = X.copy(), y.copy(), np.ones(N_ROWS)
    for array in data:
        array.flags.writeable = False
    task = task_of(*data, hidden_layer_sizes=(4,), max_iter=3, batch_size=32)
    for array in (task.train.X, task.train.y):
        array.flags.writeable = False
    ours, theirs = both_ways(task)
    assert distance(ours, theirs) < 1e-12
    assert_array_equal(data[0], X)


def test_states_of_solvers_are_handed_over_and_back():
    """An epoch each, in turn by the compiled loops and by torch."""
    params = {"hidden_layer_sizes": (6,), "batch_size": 32, "activation": "tanh", "max_iter": 6}
    for solver in SOLVERS.values():
        models = {
            ways: RegularizedMLPRegressor(random_state=0, shuffle=False, **{**params, **solver})
            for ways in ((True, False), (False, True), (True, True), (False, False))
        }
        for ways, model in models.items():
            for epoch in range(6):
                with kernels(ways[epoch % 2]):
                    model.partial_fit(X, y)
        for a, b in pairwise(models.values()):
            assert_allclose(a.predict(X), b.predict(X), rtol=1e-10, atol=1e-11)
            assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-11)


@pytest.mark.parametrize("solver", ["adam", "sgd", "adaptive", "plain"])
def test_partial_fits_are_the_epochs_of_one_fit(solver):
    params = {"hidden_layer_sizes": (6,), "batch_size": 32, "shuffle": False, "random_state": 0}
    params |= {**SOLVERS[solver], "n_iter_no_change": 1000, "max_iter": 9}
    whole = RegularizedMLPRegressor(**params).fit(X, y)
    pieces = RegularizedMLPRegressor(**params)
    for _ in range(9):
        pieces.partial_fit(X, y)
    assert_array_equal(pieces.predict(X), whole.predict(X))
    assert pieces.loss_curve_ == whole.loss_curve_


def test_solvers_hand_back_what_torch_does():
    """The names and numbers of their states."""
    for solver in SOLVERS.values():
        task = task_of(X, y, hidden_layer_sizes=(6,), max_iter=4, batch_size=30, **solver)
        ours, theirs = (asdict(solution)["optimizer"] for solution in both_ways(task))
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            assert_allclose(ours[name], value, rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("hidden", [(), (1,), (6,), (7, 3)])
@pytest.mark.parametrize("batch_size", [100, 300])
def test_large_batches_are_passed_through_in_blocks(batch_size, hidden, loss, monkeypatch):
    """Of 64 rows here, the last one shorter."""
    monkeypatch.setattr(loops, "BATCH_NUMBERS", 1)
    rows = np.random.default_rng(0).normal(size=(300, 5))
    params = {"hidden_layer_sizes": hidden, "loss": loss, "activation": "tanh", "epsilon": 1e-3}
    weight = np.linspace(1, 2, 300)
    y_of_rows = np.exp(0.3 * rows[:, 0])
    task = task_of(rows, y_of_rows, weight, batch_size=batch_size, max_iter=10, **params)
    ours, theirs = both_ways(task)
    assert distance(ours, theirs) < 1e-11
    assert_same_record(ours, theirs)
