"""Pickles need no torch, say which version made them, and hold nothing that skops does not know."""

import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from exported_models import (
    NEW,
    SMALL,
    TARGETS,
    X,
    chosen,
    classifier,
    quiet_fit,
    regressor,
    with_offset,
    y,
)
from numpy.testing import assert_array_equal
from sklearn.exceptions import InconsistentVersionWarning

import skmlp
from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor
from skmlp.estimators.export.pickled_state import InconsistentSkmlpVersionWarning

# Those of networks inside of others come beside the one that is looked for
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")

# Without torch

SCRIPT = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("no torch")

sys.meta_path.insert(0, NoTorch())
import joblib, numpy as np, skmlp
print("skl2onnx" in sys.modules, "onnx" in sys.modules)
models, rows, expected = joblib.load(sys.argv[1])
for model, values in zip(models, expected, strict=True):
    np.testing.assert_array_equal(model.predict(rows), values)
    getattr(model, "predict_proba", model.predict)(rows)
    model.score(rows, values if hasattr(model, "classes_") else values.reshape(40, -1)[:, 0])
print(type(models[0].to_sklearn()).__name__)
try:
    models[0].to_torch()
except ImportError as error:
    print(error)
"""


def test_unpickling_and_prediction_need_no_torch(tmp_path):
    models = [regressor(name) for name in ("tanh", "layer", "quantiles", "poisson")]
    models += [classifier("named"), classifier("several labels"), chosen("y"), chosen("named")]
    expected = [model.predict(NEW) for model in models]
    joblib.dump((models, NEW, expected), tmp_path / "models.joblib")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "models.joblib")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["False False", "MLPRegressor", "no torch"]


# Versions

MODELS = {
    "regressor": lambda: regressor("tanh"),
    "classifier": lambda: classifier("named"),
    "regressor cv": lambda: chosen("y"),
    "classifier cv": lambda: chosen("named"),
}
kinds = pytest.mark.parametrize("name", MODELS)


@kinds
def test_the_same_version_says_nothing(name):
    data = pickle.dumps(MODELS[name]())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twin = pickle.loads(data)
    assert_array_equal(twin.predict(NEW), MODELS[name]().predict(NEW))
    assert vars(twin).keys() == vars(MODELS[name]()).keys()


@kinds
def test_another_version_of_skmlp_warns(name, monkeypatch):
    model = MODELS[name]()
    data = pickle.dumps(model)
    monkeypatch.setattr(skmlp, "__version__", "7.5")
    message = rf"{type(model).__name__} of skmlp 0\.1\.0 when using skmlp 7\.5"
    with pytest.warns(InconsistentVersionWarning, match=message) as record:
        twin = pickle.loads(data)
    assert_array_equal(twin.predict(NEW), model.predict(NEW))
    warning = next(w.message for w in record if type(model).__name__ in str(w.message))
    assert type(warning) is InconsistentSkmlpVersionWarning
    assert warning.original_skmlp_version == "0.1.0"
    assert warning.current_skmlp_version == "7.5"
    assert vars(twin).keys() == vars(model).keys()


@kinds
def test_another_version_of_scikit_learn_warns(name, monkeypatch):
    model = MODELS[name]()
    data = pickle.dumps(model)
    monkeypatch.setattr(sklearn, "__version__", "9.9")
    message = f"estimator {type(model).__name__} from version .* when using version 9.9"
    with pytest.warns(InconsistentVersionWarning, match=message):
        twin = pickle.loads(data)
    assert_array_equal(twin.predict(NEW), model.predict(NEW))


def test_state_of_a_version_with_fewer_parameters():
    """Its predictions, its representation and its exports are there, and it can be fitted."""
    model = quiet_fit(RegularizedMLPRegressor(**SMALL), y)
    state = model.__getstate__()
    for name in ("_skmlp_version", "_sklearn_version", "monotonic_cst", "_fitted_with_offset"):
        state.pop(name)
    twin = RegularizedMLPRegressor.__new__(RegularizedMLPRegressor)
    with pytest.warns(InconsistentSkmlpVersionWarning, match=r"of skmlp 0\.1\.0 or before when"):
        twin.__setstate__(state)
    assert "monotonic_cst" not in state
    assert repr(twin) == repr(model)
    for predict in (twin.predict, twin.to_sklearn().predict):
        assert_array_equal(predict(NEW), model.predict(NEW))
    assert_array_equal(quiet_fit(twin, y).predict(NEW), model.predict(NEW))


def test_state_of_a_version_with_more():
    model = regressor("tanh")
    state = model.__getstate__() | {"_skmlp_version": "8.0", "new_parameter": 3, "new_": 4}
    twin = RegularizedMLPRegressor.__new__(RegularizedMLPRegressor)
    with pytest.warns(InconsistentSkmlpVersionWarning, match=r"of skmlp 8\.0 when"):
        twin.__setstate__(state)
    assert_array_equal(twin.predict(NEW), model.predict(NEW))
    assert twin.get_params() == model.get_params()


def test_an_unfitted_estimator():
    twin = pickle.loads(pickle.dumps(RegularizedMLPClassifier(alpha=3.0)))
    assert twin.get_params() == RegularizedMLPClassifier(alpha=3.0).get_params()


# skops

DIFFERENT = ("identity", "batch", "layer", "linear", "gamma", "quantiles", "float32")
SKOPS = {
    **{name: lambda name=name: regressor(name) for name in DIFFERENT},
    **{name: lambda name=name: classifier(name) for name in TARGETS},
    "balanced": lambda: classifier("named", class_weight="balanced"),
    "offset": with_offset,
    "cv of y": lambda: chosen("y"),
    "cv of classes": lambda: chosen("several labels"),
}


@pytest.mark.filterwarnings("ignore:The model was fitted with an offset")
@pytest.mark.parametrize("name", SKOPS)
def test_skops_finds_no_type_but_ours(name):
    io = pytest.importorskip("skops.io")
    model = SKOPS[name]()
    data = io.dumps(model)
    types = io.get_untrusted_types(data=data)
    assert f"{type(model).__module__}.{type(model).__name__}" in types
    assert [kind for kind in types if not kind.startswith("skmlp.")] == []
    twin = io.loads(data, trusted=types)
    assert_array_equal(twin.predict(X), model.predict(X))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_skops_of_a_network_in_training(solver):
    io = pytest.importorskip("skops.io")
    params = {**SMALL, "solver": solver, "random_state": np.random.RandomState(0)}
    model = RegularizedMLPRegressor(**params).partial_fit(X, y)
    data = io.dumps(model)
    types = io.get_untrusted_types(data=data)
    assert [kind for kind in types if not kind.startswith("skmlp.")] == []
    twin = io.loads(data, trusted=types)
    for one in (model, twin):
        one.set_params(shuffle=False).partial_fit(X, y)
    assert_array_equal(twin.predict(X), model.predict(X))


def test_skops_trusts_all_of_what_to_sklearn_gives():
    io = pytest.importorskip("skops.io")
    data = io.dumps(regressor("tanh").to_sklearn())
    assert io.get_untrusted_types(data=data) == []
    assert_array_equal(io.loads(data).predict(NEW), regressor("tanh").to_sklearn().predict(NEW))


def test_skops_keeps_the_version(monkeypatch):
    io = pytest.importorskip("skops.io")
    data = io.dumps(regressor("tanh"))
    monkeypatch.setattr(skmlp, "__version__", "7.5")
    with pytest.warns(InconsistentSkmlpVersionWarning, match=r"of skmlp 0\.1\.0 when using"):
        io.loads(data, trusted=io.get_untrusted_types(data=data))
