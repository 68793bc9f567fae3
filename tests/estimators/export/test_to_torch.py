"""Fitted networks as torch's modules: equal predictions in both precisions."""

import copy
import io

import numpy as np
import pytest
import torch
from exported_models import (
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
)
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from torch import nn

from skmlp import RegularizedMLPClassifier, RegularizedMLPClassifierCV, RegularizedMLPRegressor
from skmlp.estimators import prediction
from skmlp.estimators.export import as_torch

TOLERANCE = {"float32": {"rtol": 2e-5, "atol": 2e-5}, "float64": {"rtol": 1e-11}}
precisions = pytest.mark.parametrize("dtype", TOLERANCE)


def told(module, *arrays, dtype="float64"):
    """What a module gives for arrays."""
    with torch.inference_mode():
        return module(*(torch.tensor(a, dtype=getattr(torch, dtype)) for a in arrays)).numpy()


def assert_alike(module, expected, dtype):
    """The dtype, the shape, the numbers, and no training left on."""
    assert isinstance(module, nn.Sequential)
    assert not any(part.training for part in module.modules())
    assert {p.dtype for p in module.parameters()} == {getattr(torch, dtype)}
    result = told(module, NEW, dtype=dtype)
    assert result.dtype == dtype
    assert result.shape == expected.shape
    assert_allclose(result, expected, **TOLERANCE[dtype])


@precisions
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_predict_alike(name, dtype):
    """In float32 to its rounding: the reference predicts in float64."""
    model = regressor(name)
    tolerance = dtype if name != "float32" else "float32"
    module = model.to_torch(dtype)
    assert_allclose(told(module, NEW, dtype=dtype), model.predict(NEW), **TOLERANCE[tolerance])
    if name != "float32":
        assert_alike(module, model.predict(NEW), dtype)


@precisions
@pytest.mark.parametrize(
    "params", [{}, {"normalization": "layer"}, {"hidden_layer_sizes": ()}], ids=str
)
@pytest.mark.parametrize("name", TARGETS)
def test_classifiers_give_probabilities(name, params, dtype):
    model = classifier(name, **params)
    module = model.to_torch(dtype)
    assert_alike(module, model.predict_proba(NEW), dtype)
    logits = told(module[:-1], NEW, dtype=dtype)
    if len(model.classes_) == 2:  # the second less the first is the logarithm of the odds
        logits = logits[:, 1] - logits[:, 0]
    assert_allclose(logits, model.decision_function(NEW), **TOLERANCE[dtype])


@precisions
@pytest.mark.parametrize("name", ["y", "named"])
def test_networks_chosen_by_cross_validation(name, dtype):
    model = chosen(name)
    expected = model.predict(NEW) if name == "y" else model.predict_proba(NEW)
    assert_alike(model.to_torch(dtype), expected, dtype)


def test_a_single_class():
    model = quiet_fit(RegularizedMLPClassifier(**SMALL), np.full(60, "a"))
    assert_alike(model.to_torch(), model.predict_proba(NEW), "float64")


@pytest.mark.parametrize("activation", ["softplus", "gelu", "silu", "logistic"])
def test_activations_far_from_zero(activation):
    """torch's softplus is linear from 20, where it is not yet to rounding."""
    model = copy.deepcopy(regressor("tanh")).set_params(activation=activation)
    rows = NEW * np.geomspace(1, 200, len(NEW))[:, None]
    expected = model.predict(rows)
    assert_allclose(
        told(model.to_torch(), rows), expected, rtol=1e-14, atol=1e-14 * abs(expected).max()
    )


@pytest.mark.parametrize("given", ["float32", np.float32, np.dtype("float32"), torch.float32])
def test_dtypes(given):
    module = regressor("tanh").to_torch(given)
    assert next(module.parameters()).dtype == torch.float32
    assert next(regressor("float32").to_torch().parameters()).dtype == torch.float32
    assert next(regressor("tanh").to_torch().parameters()).dtype == torch.float64


@pytest.mark.parametrize("given", ["float16", "int64", "double precision", torch.bfloat16, 32, int])
def test_other_dtypes(given):
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64', got "):
        regressor("tanh").to_torch(given)


def test_a_model_that_is_not_fitted():
    with pytest.raises(NotFittedError, match="RegularizedMLPClassifierCV instance is not fitted"):
        RegularizedMLPClassifierCV().to_torch()


def test_tables_agree():
    assert as_torch.ACTIVATIONS.keys() == prediction.ACTIVATIONS.keys()
    assert as_torch.LINKS.keys() == prediction.OUTPUT_ACTIVATIONS.keys()
    assert {regressor(name).activation for name in REGRESSORS} == {*prediction.ACTIVATIONS}
    models = [*map(regressor, REGRESSORS), *map(classifier, TARGETS)]
    assert {model.out_activation_ for model in models} == {*prediction.OUTPUT_ACTIVATIONS}


# An offset

OFFSETS = {
    "log link": {},
    "identity": {"loss": "squared_error"},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
}


@pytest.mark.parametrize("name", OFFSETS)
def test_an_offset_is_an_input(name):
    model = with_offset(**OFFSETS[name])
    offset = np.linspace(-1, 1, len(NEW))
    module = model.to_torch()
    expected = model.predict(NEW, offset)
    for given in (offset, offset[:, None]):
        result = told(module, NEW, given)
        assert result.shape == expected.shape
        assert_allclose(result, expected, rtol=1e-11)
    assert not module.training


# As torch's own


def test_weights_are_copies_that_can_be_trained():
    """A step down autograd's gradient of the half squared error is one of ours."""
    step = {"solver": "sgd", "momentum": 0.0, "batch_size": 60, "alpha": 0.0, "normalize_y": False}
    target = X[:, 0] - X[:, 1]
    model = RegularizedMLPRegressor(**{**SMALL, **step}).partial_fit(X, target)
    before, module = copy.deepcopy(model.coefs_), model.to_torch()
    loss = 0.5 * nn.functional.mse_loss(module(torch.tensor(X)), torch.tensor(target))
    weights = [*module.parameters()]
    with torch.no_grad():
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight -= model.learning_rate_init * gradient
    for mine, mine_before in zip(model.coefs_, before, strict=True):
        assert_allclose(mine, mine_before, rtol=0)
    model.partial_fit(X, target)
    for mine, their in zip(model.coefs_, weights[::2], strict=True):
        assert_allclose(their.detach().numpy().T, mine, rtol=1e-10)


def test_torch_s_generator_is_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for name in ("tanh", "layer"):
        regressor(name).to_torch()
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_travel_as_a_state_dict():
    module, file = regressor("layer").to_torch(), io.BytesIO()
    expected = told(module, NEW)
    torch.save(module.state_dict(), file)
    for parameter in module.parameters():
        parameter.data.zero_()
    file.seek(0)
    module.load_state_dict(torch.load(file, weights_only=True))
    assert_allclose(told(module, NEW), expected, rtol=0)
