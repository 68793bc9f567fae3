"""Converters for skl2onnx; only this module imports it, once it has been imported elsewhere."""

from functools import partial

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx._parse import sklearn_parsers_map
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.algebra import onnx_ops
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.base import ClassifierMixin
from sklearn.model_selection import GridSearchCV

from ..prediction import LAYER_NORM_EPSILON, LEAKY_SLOPE
from .fitted_network import FittedNetwork

OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
}


def register(estimators):
    """Let skl2onnx convert estimators of these classes; a grid search is one as GridSearchCV is."""
    for kind in estimators:
        if issubclass(kind, GridSearchCV):
            for table in (sklearn_operator_name_map, sklearn_parsers_map):
                table[kind] = table[GridSearchCV]
            continue
        shapes, convert, options = _regressor_shapes, _convert_regressor, None
        if issubclass(kind, ClassifierMixin):
            shapes, convert, options = _classifier_shapes, _convert_classifier, OPTIONS
        update_registered_converter(kind, f"Skmlp{kind.__name__}", shapes, convert, options=options)


class Ops:
    """ONNX's operators of one opset, with constants of one dtype: ``ops.MatMul(a, b)``."""

    def __init__(self, opset, dtype):
        self.opset, self.dtype = opset, dtype

    def __getattr__(self, name):
        return partial(getattr(onnx_ops, f"Onnx{name}"), op_version=self.opset)

    def constant(self, values):
        """An array of at least one axis, in the dtype of the graph."""
        return np.atleast_1d(np.asarray(values, dtype=self.dtype))


def _gelu(ops, z):
    """onnxruntime has the error function in float32 alone."""
    scaled = ops.Mul(z, ops.constant(np.sqrt(0.5)))
    if ops.dtype == np.float32:
        erf = ops.Erf(scaled)
    else:
        erf = ops.Cast(ops.Erf(ops.Cast(scaled, to=TensorProto.FLOAT)), to=TensorProto.DOUBLE)
    return ops.Mul(ops.Mul(z, ops.constant(0.5)), ops.Add(erf, ops.constant(1)))


def _softplus(ops, z):
    small = ops.Exp(ops.Neg(ops.Abs(z)))
    return ops.Add(ops.Relu(z), ops.Log(ops.Add(small, ops.constant(1))))


# onnxruntime has its own leaky ReLU and softplus in float32 alone, in some opsets
ACTIVATIONS = {
    "identity": lambda ops, z: z,
    "logistic": lambda ops, z: ops.Sigmoid(z),
    "tanh": lambda ops, z: ops.Tanh(z),
    "relu": lambda ops, z: ops.Relu(z),
    "leaky_relu": lambda ops, z: ops.Max(z, ops.Mul(z, ops.constant(LEAKY_SLOPE))),
    "silu": lambda ops, z: ops.Mul(z, ops.Sigmoid(z)),
    "gelu": _gelu,
    "softplus": _softplus,
}


def _ordered(ops, z, n_levels):
    """The lowest, and the gaps added up."""
    lowest = ops.Gather(z, np.array([0]), axis=1)
    gaps = ops.Exp(ops.Gather(z, np.arange(1, n_levels), axis=1))
    return ops.CumSum(ops.Concat(lowest, gaps, axis=1), np.array(1))


LINKS = {
    "identity": lambda ops, z, n: z,
    "exp": lambda ops, z, n: ops.Exp(z),
    "ordered": _ordered,
    "logistic": lambda ops, z, n: ops.Sigmoid(z),
    "softmax": lambda ops, z, n: ops.Softmax(z, axis=1),
}


def _told(ops, X, network):
    """Predictions (n, n_outputs), or probabilities (n, n_classes)."""
    a, last = X, len(network.coefs) - 1
    for k, (coef, intercept) in enumerate(zip(network.coefs, network.intercepts, strict=True)):
        a = ops.Add(ops.MatMul(a, ops.constant(coef)), ops.constant(intercept))
        if k < last:
            if network.layer_norm:
                a = _normalized(ops, a, *network.layer_norm[k])
            a = ACTIVATIONS[network.activation](ops, a)
    return LINKS[network.out_activation](ops, a, network.n_columns)


def _normalized(ops, z, gain, shift):
    """Layer normalisation; means are products, since their own operator changed with opsets."""
    mean = ops.constant(np.full((len(gain), 1), 1 / len(gain)))
    z = ops.Sub(z, ops.MatMul(z, mean))
    variance = ops.MatMul(ops.Mul(z, z), mean)
    z = ops.Div(z, ops.Sqrt(ops.Add(variance, ops.constant(LAYER_NORM_EPSILON))))
    return ops.Add(ops.Mul(z, ops.constant(gain)), ops.constant(shift))


def _network(operator):
    """The network to convert; ValueError where it needs more than X."""
    network = FittedNetwork.of(operator.raw_operator._exported())
    if network.has_offset:
        raise ValueError(
            f"This {type(operator.raw_operator).__name__} was fitted with an offset, and a "
            "converted model takes X alone. to_torch() gives a module that takes both."
        )
    return network.with_output_for_each_class()


def _graph(operator, container):
    """The network, the operators, and what it tells of the operator's input."""
    network, (X,) = _network(operator), operator.inputs
    is_double = isinstance(X.type, DoubleTensorType)
    ops = Ops(container.target_opset, np.float64 if is_double else np.float32)
    if not isinstance(X.type, DoubleTensorType | FloatTensorType):
        X = ops.Cast(X, to=TensorProto.FLOAT)
    return network, ops, _told(ops, X, network)


def _add(ops, node, output, scope, container):
    ops.Identity(node, output_names=[output]).add_to(scope, container)


def _convert_regressor(scope, operator, container):
    _, ops, prediction = _graph(operator, container)
    _add(ops, prediction, operator.outputs[0], scope, container)


def _convert_classifier(scope, operator, container):
    network, ops, probability = _graph(operator, container)
    if network.is_multilabel:
        is_met = ops.Greater(probability, ops.constant(0.5))
        label = ops.Cast(is_met, to=TensorProto.INT64)
    else:
        place = ops.ArgMax(probability, axis=1, keepdims=0)
        label = ops.Gather(_labels(scope, operator), place, axis=0)
    for node, output in zip((label, probability), operator.outputs, strict=True):
        _add(ops, node, output, scope, container)


def _labels(scope, operator):
    """The classes in a type that ONNX has; ValueError for others."""
    classes = np.array(get_label_classes(scope, operator.raw_operator).tolist())
    if classes.dtype.kind in "US":
        return classes
    whole = classes.astype(np.int64) if classes.dtype.kind in "biuf" else None
    if whole is None or not (whole == classes).all():
        raise ValueError(f"Classes must be whole numbers or strings for ONNX, got {classes}.")
    return whole


def _regressor_shapes(operator):
    n_columns = _network(operator).n_columns
    operator.outputs[0].set_type(_float_type(operator, n_columns))


def _classifier_shapes(operator):
    network = _network(operator)
    shape = [operator.inputs[0].get_first_dimension()]
    if network.is_multilabel:
        shape.append(network.n_columns)
    labels = _labels(operator.scope_inst, operator)
    kind = StringTensorType if labels.dtype.kind in "US" else Int64TensorType
    operator.outputs[0].set_type(kind(shape))
    operator.outputs[1].set_type(_float_type(operator, network.n_columns))


def _float_type(operator, n_columns):
    """(n, n_columns) in the precision of the input, in float32 where that is of whole numbers."""
    X = operator.inputs[0]
    kind = DoubleTensorType if isinstance(X.type, DoubleTensorType) else FloatTensorType
    return kind([X.get_first_dimension(), n_columns])
