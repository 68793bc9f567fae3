"""Which programs go through the compiled loops, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from programs import numbers_of
from scipy import sparse
from support.engine_tasks import ACTIVATIONS, task_of

from skmlp.engine import fitting
from skmlp.engine.descent.objective import CompiledObjective, StackObjective, objective_of
from skmlp.engine.kernels import binding, choice
from skmlp.engine.losses.base import Loss
from skmlp.engine.losses.table import CLASSIFICATION, REGRESSION
from skmlp.engine.network import activations
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.train import train

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
y = np.exp(0.3 * X[:, 0])
BASE = {"hidden_layer_sizes": (5,), "max_iter": 2, "alpha": 0.1}
SERVED = {
    **{activation: {"activation": activation} for activation in ACTIVATIONS},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "poisson": {"loss": "poisson"},
    "sgd": {"solver": "sgd", "learning_rate": "adaptive"},
    "lbfgs": {"solver": "lbfgs"},
    "penalties": {"l1_per_layer": 0.1, "group_l1": 0.1, "positive_weights": True},
    "early stopping": {"early_stopping": True},
    "no dropout": {"dropout": 0.0},
}
THROUGH_TORCH = {
    "dropout": {"dropout": 0.2},
    "dropout in one layer": {"hidden_layer_sizes": (5, 4), "dropout": (0.0, 0.2)},
    "batch normalisation": {"normalization": "batch"},
    "layer normalisation": {"normalization": "layer"},
    "too deep": {"hidden_layer_sizes": (2,) * binding.MOST_LAYERS},
}

pytestmark = pytest.mark.filterwarnings(
    "ignore:normalization=", "ignore:Layers", "ignore::sklearn.exceptions.ConvergenceWarning"
)
compiled = pytest.mark.skipif(binding.compiled is None, reason=f"no loops: {binding.REASON}")


@pytest.fixture
def ways(monkeypatch):
    """The ways that trainings of epochs take, in turn."""
    taken = []
    for name in ("Stack", "CompiledTraining"):
        way = getattr(fitting, name)

        def noted(*args, way=way):
            taken.append(way.__name__)
            return way(*args)

        monkeypatch.setattr(fitting, name, noted)
    return taken


def kind_of_objective(task):
    layout = Layout(task.program)
    return type(objective_of([task], [penalty_numbers(task, layout)], layout))


@compiled
@pytest.mark.parametrize("name", SERVED)
def test_served(name, ways):
    task = task_of(X, y, **{**BASE, **SERVED[name]})
    assert choice.serves(task)
    assert kind_of_objective(task) is CompiledObjective
    train([task])
    assert set(ways) <= {"CompiledTraining"}
    assert bool(ways) == (name != "lbfgs")


@pytest.mark.parametrize("name", THROUGH_TORCH)
def test_through_torch(name, ways):
    task = task_of(X, y, **{**BASE, **THROUGH_TORCH[name]})
    assert not choice.serves(task)
    assert kind_of_objective(task) is StackObjective
    assert train([task])[0].n_iter == 2
    assert ways == ["Stack"]


@compiled
def test_the_deepest_network_is_served():
    deepest = {"hidden_layer_sizes": (2,) * (binding.MOST_LAYERS - 1)}
    task = task_of(X, y, **{**BASE, **deepest})
    assert task.program.n_layers == binding.MOST_LAYERS
    assert choice.serves(task)
    assert train([task])[0].n_iter == 2


@pytest.mark.parametrize("part", ["train", "validation"])
def test_sparse_rows_go_through_torch(part):
    task = task_of(X, y, validation=(X, y), **BASE)
    samples = replace(getattr(task, part), X=sparse.csr_array(X))
    assert not choice.serves(replace(task, **{part: samples}))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_each_of_several_tasks_goes_its_own_way(solver, ways):
    """Dense and sparse rows of one program train to the bits that they have alone."""
    if binding.compiled is not None and solver == "adam":
        train([task_of(A, y, **BASE) for A in (sparse.csr_array(X), X)])
        assert sorted(ways) == ["CompiledTraining", "Stack"]
    tasks = [task_of(A, y, **BASE, solver=solver) for A in (sparse.csr_array(X), X) * 2]
    assert len({task.program for task in tasks}) == 1
    for together, task in zip(train(tasks), tasks, strict=True):
        alone = train([task])[0]
        assert together.objective == alone.objective
        assert_array_equal(numbers_of(together.weights), numbers_of(alone.weights))


class New(Loss):
    """A loss that the tables do not know."""

    name = "new"


@pytest.mark.parametrize(
    "change", [{"device": "cuda"}, {"device": "mps"}, {"activation": "new"}, {"loss": New()}]
)
def test_what_has_no_row_in_the_tables_goes_through_torch(change):
    task = task_of(X, y, **BASE)
    assert not choice.serves(replace(task, program=replace(task.program, **change)))


@pytest.mark.parametrize("value, is_off", [("0", True), ("1", False), ("", False)])
def test_environment_variable(value, is_off, monkeypatch, ways):
    monkeypatch.setenv(choice.VARIABLE, value)
    task = task_of(X, y, **BASE)
    assert choice.is_off() is is_off
    assert choice.serves(task) is (not is_off and binding.compiled is not None)
    assert choice.state().endswith("turned off by SKMLP_KERNELS=0") is (
        is_off and binding.compiled is not None
    )
    train([task])
    assert ways == ["CompiledTraining" if choice.serves(task) else "Stack"]


def test_without_the_extension(monkeypatch, ways):
    monkeypatch.setattr(binding, "compiled", None)
    monkeypatch.setattr(binding, "REASON", "no compiler")
    task = task_of(X, y, **BASE, solver="lbfgs", l1_per_layer=0.1)
    assert choice.state() == "none (no compiler): everything goes through torch"
    assert not choice.serves(task)
    assert kind_of_objective(task) is StackObjective
    assert np.isfinite(train([task])[0].objective)
    train([task_of(X, y, **BASE)])
    assert ways == ["Stack"]


@compiled
def test_state_names_the_instructions():
    assert choice.state() == f"compiled, {binding.compiled.INSTRUCTION_SET}"
    assert set(binding.ROUTINES) == {"float32", "float64"}


def test_tables_agree():
    """A row of torch's may be missing here, but not the other way round."""
    assert set(binding.ACTIVATIONS) <= set(activations.ACTIVATIONS)
    assert set(binding.LOSSES) <= {*REGRESSION, *CLASSIFICATION}
    rows = activations.ACTIVATIONS
    assert {name for name in binding.ACTIVATIONS if rows[name].keeps_input} == binding.KEEPING_INPUT


@compiled
def test_other_integers_of_the_blas_are_not_called(monkeypatch):
    """SciPy may be built with 64-bit integers in its matrix products."""

    class WideIntegers:
        @staticmethod
        def address(capsule):
            pointer, signature = binding_compiled.address(capsule)
            return pointer, signature.replace("int *", "long *")

    binding_compiled = binding.compiled
    monkeypatch.setattr(binding, "REASON", "")
    monkeypatch.setattr(binding, "compiled", WideIntegers)
    assert binding._routines() == {}
    assert binding.compiled is None
    assert "other integers" in choice.state()
