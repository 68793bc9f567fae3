"""Networks converted by skl2onnx, held to onnxruntime."""

import copy
import importlib
import warnings

import numpy as np
import pytest
from exported_models import (
    CODES,
    NEW,
    REGRESSORS,
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
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import StackingRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import BatchedGridSearchCV, RegularizedMLPClassifier, RegularizedMLPRegressor
from skmlp.estimators import prediction

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")
as_onnx = importlib.import_module("skmlp.estimators.export.as_onnx")

TOLERANCE = {np.float32: {"rtol": 1e-5, "atol": 1e-5}, np.float64: {"rtol": 1e-7, "atol": 1e-9}}
precisions = pytest.mark.parametrize("dtype", TOLERANCE)


def told(model, rows, **options):
    """What onnxruntime gives for rows, by the names of outputs, and the shapes that were said."""
    graph = skl2onnx.to_onnx(model, rows[:1], **options)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    outputs = session.get_outputs()
    values = session.run(None, {session.get_inputs()[0].name: rows})
    for output, value in zip(outputs, values, strict=True):
        if isinstance(value, np.ndarray):
            assert [*value.shape[1:]] == output.shape[1:]
    return dict(zip([output.name for output in outputs], values, strict=True))


def assert_alike(model, expected, dtype, **options):
    """Predictions of a regressor, in a column for each output."""
    (result,) = told(model, NEW.astype(dtype), **options).values()
    assert result.dtype == dtype
    assert_allclose(result, expected.reshape(len(NEW), -1), **TOLERANCE[dtype])


@precisions
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_predict_alike(name, dtype):
    assert_alike(regressor(name), regressor(name).predict(NEW), dtype)


@pytest.mark.parametrize("opset", [12, 15, 18])
@pytest.mark.parametrize("name", ["layer", "gelu", "quantiles"])
def test_older_opsets(name, opset):
    assert_alike(regressor(name), regressor(name).predict(NEW), np.float32, target_opset=opset)


def test_whole_numbers():
    rows = np.round(NEW).astype(np.int64)
    (result,) = told(regressor("tanh"), rows).values()
    assert_allclose(result[:, 0], regressor("tanh").predict(rows), rtol=1e-5)


def test_a_pipeline_converts_whole():
    columns = X * [1, 10, 100, 1000] + [5, 0, -3, 0]
    model = make_pipeline(StandardScaler(), RegularizedMLPRegressor(**SMALL))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(columns, y)
    rows = columns[:20].astype(np.float32)
    (result,) = told(model, rows).values()
    assert_allclose(result[:, 0], model.predict(rows), rtol=1e-5)


@pytest.mark.parametrize(
    "params, dtype",
    [
        ({}, np.float64),
        ({"normalization": "layer"}, np.float32),
        ({"hidden_layer_sizes": ()}, np.float32),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", TARGETS)
def test_classifiers_label_alike(name, params, dtype):
    model = classifier(name, **params)
    result = told(model, NEW.astype(dtype), options={"zipmap": False})
    assert [*result] == ["label", "probabilities"]
    assert_array_equal(result["label"], model.predict(NEW))
    assert_allclose(result["probabilities"], model.predict_proba(NEW), **TOLERANCE[dtype])


@precisions
@pytest.mark.parametrize("name", ["y", "named", "several labels"])
def test_networks_chosen_by_cross_validation(name, dtype):
    model = chosen(name)
    if name == "y":
        assert_alike(model, model.predict(NEW), dtype)
    else:
        result = told(model, NEW.astype(dtype), options={id(model): {"zipmap": False}})
        assert_array_equal(result["label"], model.predict(NEW))
        assert_allclose(result["probabilities"], model.predict_proba(NEW), **TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["binary", "numbered", "named", "several labels"])
def test_dictionaries_of_probabilities(name):
    """What skl2onnx makes of classifiers unless told otherwise, in a Pipeline too."""
    model = make_pipeline(StandardScaler().fit(X), classifier(name))
    result = told(model, NEW.astype(np.float32))
    assert [*result] == ["output_label", "output_probability"]
    assert_array_equal(result["output_label"], model.predict(NEW))
    classes = model.classes_.tolist()
    by_class = [[row[kind] for kind in classes] for row in result["output_probability"]]
    assert_allclose(by_class, model.predict_proba(NEW), rtol=1e-5, atol=1e-5)


def test_a_column_for_each_class():
    model = classifier("named")
    result = told(model, NEW.astype(np.float32), options={"zipmap": "columns"})
    assert [*result] == ["output_label", "sblue", "sgreen", "sred"]
    columns = np.stack([*result.values()][1:], axis=1)
    assert_allclose(columns, model.predict_proba(NEW), rtol=1e-5, atol=1e-5)


def test_places_of_classes_and_their_names():
    """skl2onnx's options nocl and output_class_labels."""
    model = classifier("named")
    options = {"zipmap": False, "nocl": True}
    places = told(model, NEW.astype(np.float32), options=options)["label"]
    assert_array_equal(model.classes_[places], model.predict(NEW))
    options = {"zipmap": False, "output_class_labels": True}
    result = told(model, NEW.astype(np.float32), options=options)
    assert [*result["class_labels"]] == [*model.classes_]


LARGE = {"floats": (TARGETS["numbered"] + 0.0, {10, 15}), "large": (10**12 * CODES, {0, 10**12})}


@pytest.mark.parametrize("name", LARGE)
def test_numbers_of_classes(name):
    target, expected = LARGE[name]
    model = quiet_fit(RegularizedMLPClassifier(**SMALL), target)
    label = told(model, NEW.astype(np.float32), options={"zipmap": False})["label"]
    assert_array_equal(label, model.predict(NEW))
    assert {*label.tolist()} >= expected


def test_classes_that_onnx_does_not_have():
    model = copy.deepcopy(classifier("numbered"))
    model.classes_ = np.array([0.5, 1.0])
    with pytest.raises(ValueError, match=r"whole numbers or strings for ONNX, got \[0.5 1"):
        skl2onnx.to_onnx(model, NEW[:1], options={"zipmap": False})


@pytest.mark.parametrize("kind", [GridSearchCV, BatchedGridSearchCV])
@pytest.mark.parametrize("name", ["y", "named"])
def test_the_best_of_a_search(name, kind):
    is_y = name == "y"
    model = RegularizedMLPRegressor(**SMALL) if is_y else RegularizedMLPClassifier(**SMALL)
    search = kind(model, {"alpha": [0.1, 1.0]}, cv=2)
    quiet_fit(search, y if is_y else TARGETS[name])
    if is_y:
        assert_alike(search, search.predict(NEW), np.float32)
    else:
        result = told(search, NEW.astype(np.float32), options={id(search): {"zipmap": False}})
        assert_array_equal(result["label"], search.predict(NEW))


def test_stacked():
    model = StackingRegressor([("a", RegularizedMLPRegressor(**SMALL))], Ridge(), cv=2)
    quiet_fit(model, y)
    assert_alike(model, model.predict(NEW), np.float32)


def test_tables_agree():
    assert as_onnx.ACTIVATIONS.keys() == prediction.ACTIVATIONS.keys()
    assert as_onnx.LINKS.keys() == prediction.OUTPUT_ACTIVATIONS.keys()


def test_what_cannot_be_converted():
    with pytest.raises(ValueError, match="fitted with an offset, and a converted model takes X"):
        skl2onnx.to_onnx(with_offset(), NEW[:1])
    with pytest.raises(NotFittedError, match="RegularizedMLPRegressor instance is not fitted"):
        skl2onnx.to_onnx(RegularizedMLPRegressor(), NEW[:1])
