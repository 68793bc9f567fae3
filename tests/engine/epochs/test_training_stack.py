"""Training a stack equals training each of its models alone, bit for bit."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.engine_tasks import ACTIVATIONS, task_of

from skmlp.engine import fitting
from skmlp.engine.epochs import training_stack as engine_stack
from skmlp.engine.train import train

pytestmark = [
    pytest.mark.filterwarnings("ignore:Layers 0", "ignore:normalization="),
    pytest.mark.usefixtures("through_torch"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(53, 7))
y = np.tanh(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=53)
DTYPES = ["float32", "float64"]
BASE = {"hidden_layer_sizes": (9, 5), "batch_size": 20, "max_iter": 8, "n_iter_no_change": np.inf}


def tasks_of(dtype, common, models, **data):
    """One task a model: a seed of its own, the common parameters and its own."""
    data = {"X": X.astype(dtype), "y": y.astype(dtype), **data}
    return [
        task_of(**data, **{**BASE, "random_state": seed, **common, **own})
        for seed, own in enumerate(models)
    ]


def assert_same_bits(together, alone):
    """Every number of two solutions is the same."""
    a, b = asdict(together), asdict(alone)
    for name, value in a.items():
        if name in ("weights", "unfolded", "idle_units"):
            for ours, expected in zip(value or (), b[name] or (), strict=True):
                for array, other in zip(ours, expected, strict=True):
                    assert_array_equal(array, other, err_msg=name)
        elif name == "optimizer":
            assert value.keys() == b[name].keys()
            for key, state in value.items():
                assert_array_equal(state, b[name][key], err_msg=key)
        else:
            assert_array_equal(value, b[name], err_msg=name)


def check_stack(tasks):
    """Trains tasks together and alone; the solutions."""
    assert len({task.program for task in tasks}) == 1
    together = train(tasks)
    for solution, task in zip(together, tasks, strict=True):
        assert_same_bits(solution, train([task])[0])
    return together


ALIKE = ({}, {}, {})
NETWORKS = {
    "plain": {"hidden_layer_sizes": (33,)},
    "deep": {"hidden_layer_sizes": (50, 25), "alpha": 0.1},
    "one unit": {"hidden_layer_sizes": (1,)},
    "batch": {"normalization": "batch"},
    "layer": {"normalization": "layer"},
    "dropout": {"dropout": (0.3, 0.0)},
    "l1": {"l1_per_layer": 0.003},
    "groups": {"group_l1": 0.003, "l1_per_layer": 0.001},
    "feature groups": {"group_l1": 0.003, "alpha": 0.1, "feature_groups": [[0, 4, 5], [2, 3]]},
    "groups, sgd": {"group_l1": 0.01, "alpha": 0.1, "solver": "sgd"},
    "groups, lbfgs": {"group_l1": 0.01, "alpha": 0.1, "solver": "lbfgs"},
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_models_alike(activation, kind, dtype):
    check_stack(tasks_of(dtype, {"activation": activation, **NETWORKS[kind]}, ALIKE))


L1 = [{"l1_per_layer": l1} for l1 in (0.0, 0.003, 0.3)]
DIFFERING = {
    "l1": ({}, L1),
    "alpha": ({}, [{"alpha": alpha} for alpha in (0.0, 1.0, (0.0, 1.0, 5.0))]),
    "penalty factor": (
        {"l1_per_layer": 0.01},
        [{"penalty_factor": f} for f in (None, np.arange(7.0), [np.inf] * 3 + [1.0] * 4)],
    ),
    "group_l1": ({"alpha": 1.0}, [{"group_l1": g} for g in (0.001, 0.01, 0.3)]),
    "group_l1, lbfgs": (
        {"solver": "lbfgs", "alpha": 1.0, "max_iter": 50},
        [{"group_l1": g} for g in (0.001, 0.03, 0.3)],
    ),
    "positive": ({}, [{"positive_weights": p} for p in (False, True, [True, False, True])]),
    "adam's rate": ({}, [{"learning_rate_init": r} for r in (1e-3, 3e-3, 0.01)]),
    "sgd's rate": ({"solver": "sgd"}, [{"learning_rate_init": r} for r in (1e-3, 3e-3, 0.01)]),
    "max_iter": ({}, [{"max_iter": n} for n in (3, 8, 5)]),
    "max_iter with l1": ({"l1_per_layer": 0.01}, [{"max_iter": n} for n in (11, 8, 20, 5)]),
    "sgd's closing": (
        {"l1_per_layer": 0.01, "solver": "sgd", "learning_rate_init": 0.01},
        [{"max_iter": n} for n in (11, 8, 20, 5)],
    ),
    "adaptive": (
        {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "max_iter": 30},
        [{"tol": tol} for tol in (0.5, 0.1, 1e-4)],
    ),
    "invscaling": (
        {"solver": "sgd", "learning_rate": "invscaling"},
        [{"learning_rate_init": r} for r in (0.1, 0.3)],
    ),
    "tol": ({"n_iter_no_change": 1, "max_iter": 40}, [{"tol": t} for t in (0.5, 0.05, 1e-4)]),
    "everything": (
        {"n_iter_no_change": 2, "max_iter": 30, "normalization": "layer", "dropout": 0.1},
        [
            {"tol": t, "learning_rate_init": r, **l1}
            for t, r, l1 in zip((0.3, 0.03, 1e-4), (0.01, 0.03, 1e-3), L1, strict=True)
        ],
    ),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", DIFFERING)
def test_models_that_differ(name, dtype):
    common, models = DIFFERING[name]
    check_stack(tasks_of(dtype, common, models))


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_early_stopping(dtype, normalization):
    """Each model stops at an epoch of its own, and falls back on its own best weights."""
    common = {
        "early_stopping": True,
        "validation": (X[:20].astype(dtype) + 1, y[:20]),
        "normalization": normalization,
        "learning_rate_init": 0.03,
        "n_iter_no_change": 2,
        "max_iter": 40,
    }
    solutions = check_stack(tasks_of(dtype, common, [{}, {}, {}, {"l1_per_layer": 0.01}]))
    assert len({solution.n_iter for solution in solutions}) > 1


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_models_with_data_of_their_own(n_outputs, loss):
    """As in cross-validation: other rows, other weights, several outputs."""
    tasks = []
    for fold in range(3):
        rows = np.delete(np.arange(53), np.arange(fold, 51, 3))
        target = np.exp(y[rows, None] * np.arange(1, 1 + n_outputs) / 3)
        weight = RNG.uniform(0.5, 2, len(rows))
        target = target[:, 0] if n_outputs == 1 else target
        tasks.append(task_of(X[rows], target, weight, **BASE, loss=loss, l1_per_layer=0.01))
    check_stack(tasks)


@pytest.mark.parametrize("n_models", [2, 5, 9])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_models(dtype, n_models):
    for activation in ("tanh", "gelu"):
        check_stack(tasks_of(dtype, {"activation": activation}, [{}] * n_models))


@pytest.mark.parametrize("hidden", [(), (100,), (128, 64)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_larger_data(dtype, hidden):
    data = {"X": RNG.normal(size=(400, 10)).astype(dtype), "y": RNG.normal(size=400)}
    params = {"hidden_layer_sizes": hidden, "batch_size": 128, "max_iter": 3}
    check_stack(tasks_of(dtype, params, ALIKE, **data))


def test_incremental_epochs_go_on_together():
    """A second epoch from the solver's states of the first."""
    first = [replace(task, incremental=True) for task in tasks_of("float64", {}, ALIKE)]
    second = [
        replace(task, start=solution.weights, optimizer=solution.optimizer)
        for task, solution in zip(first, train(first), strict=True)
    ]
    check_stack(second)


def test_finished_models_leave(monkeypatch):
    """No epoch is computed for a model that has stopped."""
    sizes = []
    run_epoch = engine_stack.Stack.run_epoch

    def counted(self):
        sizes.append(len(self.tasks))
        run_epoch(self)

    monkeypatch.setattr(fitting.Stack, "run_epoch", counted)
    solutions = train(tasks_of("float64", {}, [{"max_iter": n} for n in (2, 5, 3)]))
    assert [solution.n_iter for solution in solutions] == [2, 5, 3]
    assert sizes == [3, 3, 2, 1, 1]


def test_other_programs_train_beside():
    """Tasks of several programs come back in their order."""
    kinds = [{"activation": "tanh"}, {"solver": "lbfgs"}, {"hidden_layer_sizes": ()}, {}]
    kinds += [
        {"activation": "tanh", "random_state": 5},
        {"hidden_layer_sizes": (), "solver": "lbfgs"},
    ]
    tasks = tasks_of("float64", {}, kinds)
    for solution, task in zip(train(tasks), tasks, strict=True):
        assert_same_bits(solution, train([task])[0])
