"""Compiled loops keep no memory, refuse arrays that they cannot use, and run in forked children."""

import gc
import os
import sys
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from programs import numbers_of
from support.engine_tasks import random_row, task_of

from skmlp.engine.descent.objective import CompiledObjective
from skmlp.engine.kernels.loops import Loops
from skmlp.engine.network.layout import Layout
from skmlp.engine.penalty.prox import penalty_numbers
from skmlp.engine.train import train

compiled = pytest.importorskip("skmlp.engine.kernels.compiled")
pytestmark = pytest.mark.filterwarnings("ignore:Layers")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
y = X[:, 0] * X[:, 1]
PARAMS = {"hidden_layer_sizes": (30, 20), "max_iter": 2, "batch_size": 100}
GROUPS = {"l1_per_layer": 0.01, "group_l1": 0.01, "alpha": 0.1}


def loops_of(**params):
    task = task_of(X, y, **{**PARAMS, **GROUPS, **params})
    layout = Layout(task.program)
    loops = Loops(task.program, layout, task.train, penalty_numbers(task, layout), "float64")
    return loops, random_row(layout, RNG)


@pytest.mark.parametrize("params", [{}, {"solver": "sgd"}, {"solver": "lbfgs"}, GROUPS])
def test_memory_does_not_grow_over_fits(params):
    """The buffers of one of these fits are larger than what 200 may leave."""
    task = task_of(X, y, **PARAMS, **params)
    for _ in range(10):
        train([task])
    gc.collect()
    tracemalloc.start()
    try:
        for n_fits in (20, 200):
            for _ in range(n_fits):
                train([task])
            gc.collect()
            if n_fits == 20:
                before = tracemalloc.get_traced_memory()[0]
        growth = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert growth < 50_000


def counts_of(*arrays):
    return [sys.getrefcount(array) for array in arrays]


def epochs_arguments(size):
    """The state, numbers and losses of a training that ends after an epoch."""
    theta, saved, first, second = np.zeros((4, size))
    numbers = np.array([1, 0.01, 0.9, 0, 0.999, 1e-8, 1, 1, 1, np.inf, 0, 10, 0, 0], dtype=float)
    order = np.arange(len(X))
    return [theta, saved, first, second, order, None], numbers, 100, np.empty(1)


def test_arrays_are_let_go():
    loops, row = loops_of()
    gradient = np.zeros_like(row)
    state, numbers, batch, losses = epochs_arguments(row.size)
    arrays = [row, gradient, numbers, losses, loops.program, *state[:5]]
    arrays += [array for array in (*loops._data, *loops._penalty) if isinstance(array, np.ndarray)]
    before = counts_of(*arrays)
    for _ in range(3):
        loops.objective(row, gradient)
        loops.outputs(row)
        numbers[-1] = 0
        assert loops.epochs(state, numbers, batch, losses) == 1
    assert counts_of(*arrays) == before


def spoilt(array, how):
    if how == "read-only":
        array = array.copy()
        array.flags.writeable = False
        return array
    return np.repeat(array, 2)[::2]


def refusal(function, *args):
    """Whether a call refuses an array; the error is forgotten, and with it its frames."""
    try:
        function(*args)
    except ValueError as error:
        return "read-only" in str(error) or "contiguous" in str(error)
    return False


@pytest.mark.parametrize("how", ["read-only", "strided"])
@pytest.mark.parametrize("place", range(5))
def test_a_state_that_cannot_be_written_is_refused(place, how):
    """And the other arrays are let go."""
    loops, row = loops_of()
    state, numbers, batch, losses = epochs_arguments(row.size)
    state[place] = spoilt(state[place], how)
    before = counts_of(*state[:5], numbers, losses, loops.program)
    for _ in range(3):
        assert refusal(loops.epochs, state, numbers, batch, losses)
    after = counts_of(*state[:5], numbers, losses, loops.program)
    assert after == before
    assert not any(array.any() for array in state[:4])


def test_a_gradient_that_cannot_be_written_is_refused():
    loops, row = loops_of()
    for how in ("read-only", "strided"):
        assert refusal(loops.objective, row, spoilt(np.zeros_like(row), how))


@pytest.mark.parametrize("name", ["epochs", "objective", "outputs", "exp", "activation"])
def test_calls_want_all_their_arguments(name):
    for kind in ("single", "double"):
        with pytest.raises(TypeError, match=r"\d arguments, got 1"):
            getattr(compiled, f"{name}_{kind}")(0)
    with pytest.raises(TypeError, match="10 arguments, got 0"):
        compiled.search()


def test_capsules_that_are_none_are_refused():
    with pytest.raises((ValueError, TypeError)):
        compiled.address(0)
    loops, row = loops_of()
    state, numbers, batch, losses = epochs_arguments(row.size)
    with pytest.raises((ValueError, TypeError)):
        loops.epochs([*state[:5], object()], numbers, batch, losses)


def test_a_point_that_may_not_be_written_is_read():
    loops, row = loops_of()
    expected = loops.objective(row.copy(), None), loops.outputs(row.copy())
    row.flags.writeable = False
    assert loops.objective(row, None) == expected[0]
    assert_array_equal(loops.outputs(row), expected[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, GROUPS])
def test_a_forked_child_trains_to_the_same_bits(params):
    """Also after the parent has trained on threads."""
    task = task_of(X, y, **PARAMS, **params)
    expected = numbers_of(train([task, task], 2)[0].weights)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writer, numbers_of(train([task])[0].weights).tobytes())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        received = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    assert_array_equal(np.frombuffer(received), expected)


def test_objectives_share_nothing():
    """Two of them may be evaluated in turn."""
    task = task_of(X, y, **PARAMS)
    layout = Layout(task.program)
    parts = [task], [penalty_numbers(task, layout)], layout
    row = random_row(layout, RNG)[None]
    first, second = CompiledObjective(*parts), CompiledObjective(*parts)
    expected = first.evaluate(row, True)
    second.evaluate(2 * row, True)
    for ours, theirs in zip(first.evaluate(row, True), expected, strict=True):
        assert_array_equal(ours, theirs)
