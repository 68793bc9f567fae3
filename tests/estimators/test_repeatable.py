"""One seed, the same bits everywhere; nothing global changes."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict
from support.engine_tasks import torch_threads
from support.small_fits import CONFIGURATIONS, X, configurations, regressor, state, y
from threadpoolctl import threadpool_info, threadpool_limits

import skmlp
from skmlp import RegularizedMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def torch_settings():
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "grad": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "random state": torch.get_rng_state().numpy().tobytes(),
    }


def diverge():
    model = regressor(solver="sgd", activation="identity", learning_rate_init=1e6, max_iter=200)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.fit(X, y)


@pytest.fixture
def two_threads():
    with torch_threads(2):
        yield


def run(script, *arguments):
    """What a fresh interpreter prints."""
    environment = {**os.environ, "PYTHONPATH": str(Path(skmlp.__file__).parents[1])}
    command = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


# Bits


@configurations
def test_same_seed_same_bits(params):
    model = regressor(**params).fit(X, y)
    expected = state(model)
    assert state(regressor(**params).fit(X, y)) == expected
    assert state(model.fit(X, y)) == expected
    assert state(clone(model).fit(X, y)) == expected
    assert state(regressor(**params, random_state=1).fit(X, y)) != expected


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_same_bits_in_joblib_workers(backend):
    for params in CONFIGURATIONS if backend == "threading" else [{}, {"solver": "lbfgs"}]:
        model = regressor(**params)
        expected = cross_val_predict(model, X, y, cv=4)
        with joblib.parallel_backend(backend, n_jobs=2):
            assert_array_equal(cross_val_predict(model, X, y, cv=4), expected)


def test_same_bits_with_any_number_of_threads(two_threads):
    wide = np.random.default_rng(0).normal(size=(300, 20))
    model = regressor(hidden_layer_sizes=(64,), batch_size=100, max_iter=3)
    expected = state(model.fit(wide, wide[:, 0]))
    torch.set_num_threads(1)
    assert state(model.fit(wide, wide[:, 0])) == expected


def test_concurrent_fits_equal_sequential_ones():
    models = [regressor(**params, random_state=i) for i in (0, 1) for params in CONFIGURATIONS]
    expected = [state(clone(model).fit(X, y)) for model in models]
    before = torch_settings()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda model: state(model.fit(X, y)), models)) == expected
        assert set(pool.map(lambda _: torch.get_num_threads(), range(8))) == {before["threads"]}
    assert torch_settings() == before


def test_large_and_small_fits_may_run_at_once(two_threads):
    """A large fit uses several threads, a small one a single thread: neither disturbs the other."""
    wide = np.random.default_rng(0).normal(size=(3000, 30))

    def predictions(i):
        if i % 2:
            model = regressor(hidden_layer_sizes=256, batch_size=3000, max_iter=2, random_state=i)
            return model.fit(wide, wide[:, 0]).predict(wide)
        return regressor(random_state=i).fit(X, y).predict(X)

    expected = [predictions(i) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(predictions, range(8)), expected, strict=True):
            assert_array_equal(one, other)
    assert torch.get_num_threads() == 2


def test_random_state_instance_advances():
    def two_fits():
        model = regressor(random_state=np.random.RandomState(0))
        return [model.fit(X, y).predict(X) for _ in range(2)]

    first, second = two_fits()
    assert not np.array_equal(first, second)
    assert_array_equal(two_fits(), [first, second])


# Global state


@pytest.mark.parametrize("random_state", [None, 0])
@configurations
def test_global_state_is_untouched(params, random_state, two_threads):
    model = regressor(**params, random_state=random_state)
    numpy_state, settings = pickle.dumps(np.random.get_state()), torch_settings()  # noqa: NPY002
    first = model.fit(X, y).predict(X)
    second = model.fit(X, y).predict(X)
    assert pickle.dumps(np.random.get_state()) == numpy_state  # noqa: NPY002
    assert torch_settings() == settings
    assert np.array_equal(first, second) == (random_state == 0)


def test_failing_fits_leave_the_settings(two_threads):
    settings = torch_settings()
    diverge()
    assert torch_settings() == settings
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: diverge(), range(8)))
    assert torch_settings() == settings


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fit_in_a_forked_child():
    """After fits in the parent, one with a thread and one large enough for several."""
    script = """
import os, signal
import numpy as np, torch
from skmlp import RegularizedMLPRegressor
torch.set_num_threads(2)
square = torch.ones(1500, 1500)
(square @ square).sum()  # starts torch's threads
for n, units in (100, 8), (4000, 256):
    X = np.random.default_rng(0).normal(size=(n, 30))
    sizes = {"hidden_layer_sizes": units, "batch_size": n, "max_iter": 2}
    model = RegularizedMLPRegressor(**sizes, random_state=0)
    expected = model.fit(X, X[:, 0]).predict(X)
    child = os.fork()
    if child == 0:
        signal.alarm(40)  # ends a child that hangs
        same = np.allclose(model.fit(X, X[:, 0]).predict(X), expected, rtol=1e-9)
        os._exit(0 if same else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(script).split() == ["0", "0"]


def test_import_and_predict_leave_torch_alone(tmp_path):
    models = [regressor(normalization=kind).fit(X, y) for kind in (None, "batch", "layer")]
    joblib.dump((models, X), tmp_path / "models.joblib")
    script = """
import sys, joblib, skmlp
skmlp.RegularizedMLPRegressor()
models, X = joblib.load(sys.argv[1])
[model.predict(X) for model in models]
print("torch" in sys.modules)
"""
    assert run(script, tmp_path / "models.joblib") == "False"


@pytest.mark.parametrize("solver, hidden", [("lbfgs", (20,)), ("lbfgs", ()), ("adam", (20,))])
def test_same_bits_whatever_the_blas_threads(solver, hidden):
    """Factorisations round differently on several threads, and searches amplify that."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 8, (60, 1))
    y = X[:, 0] ** 3 / (8 + X[:, 0] ** 3) + rng.normal(scale=0.15, size=60)
    X = np.hstack([X, rng.normal(size=(60, 40))])
    fits = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            model = RegularizedMLPRegressor(
                solver=solver,
                hidden_layer_sizes=hidden,
                activation="tanh",
                max_iter=500,
                l1_per_layer=0.01 if solver == "adam" else 0.0,
                random_state=0,
            )
            fits.append(model.fit(X, y))
            blas = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
            assert {lib["num_threads"] for lib in blas} == {min(threads, os.cpu_count())}
    for one, two in zip(fits[0].coefs_, fits[1].coefs_, strict=True):
        assert_array_equal(one, two)
