"""Prediction from published weights, with numpy alone."""

import numpy as np
from scipy.special import expit, ndtr
from sklearn.utils.extmath import safe_sparse_dot

from ..engine.losses.classes import softmax
from ..engine.losses.ordered import ordered
from ..training_data.offsets import on_outputs

LEAKY_SLOPE = 0.01
LAYER_NORM_EPSILON = 1e-5

ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: expit(z, out=z),
    "tanh": lambda z: np.tanh(z, out=z),
    "relu": lambda z: np.maximum(z, 0, out=z),
    "leaky_relu": lambda z: np.maximum(z, LEAKY_SLOPE * z, out=z),
    "silu": lambda z: np.multiply(z, expit(z), out=z),
    "gelu": lambda z: np.multiply(z, ndtr(z), out=z),
    "softplus": lambda z: np.logaddexp(0, z, out=z),
}

OUTPUT_ACTIVATIONS = {
    "identity": lambda z: z,
    "exp": lambda z: np.exp(z, out=z),
    "ordered": lambda z: ordered(np, z),
    "logistic": lambda z: expit(z, out=z),
    "softmax": lambda z: softmax(np, z),
}


def forward(X, coefs, intercepts, activation, out_activation, layer_norm=None, offset=None):
    """Predictions (n_samples, n_outputs) of a multi-layer perceptron.

    ``layer_norm`` is None or (gains, shifts), one array a hidden layer; ``offset`` None or (n, 1)
    or (n, n_outputs).
    """
    a = X
    last = len(coefs) - 1
    for k, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        a = safe_sparse_dot(a, coef)
        a += intercept
        if k < last:
            if layer_norm is not None:
                normalize_units(a, layer_norm[0][k], layer_norm[1][k])
            a = ACTIVATIONS[activation](a)
    if offset is not None:
        a += on_outputs(offset, out_activation, a.shape[1])
    return OUTPUT_ACTIVATIONS[out_activation](a)


def linear_outputs(X, coefs, intercepts):
    """Outputs (n_samples, n_models, n_outputs) of linear models, on the features that any uses.

    Shape
        coefs: one (n_features, n_outputs) a model; intercepts: one (n_outputs,).
    """
    coefs = np.stack(coefs, axis=1)
    used = np.flatnonzero(coefs.any(axis=(1, 2)))
    if used.size < len(coefs):
        X, coefs = X[:, used], coefs[used]
    _, n_models, n_outputs = coefs.shape
    outputs = safe_sparse_dot(X, coefs.reshape(len(coefs), n_models * n_outputs))
    return outputs.reshape(-1, n_models, n_outputs) + np.stack(intercepts)


def normalize_units(z, gain, shift):
    """Layer normalisation of the rows of z, in place."""
    z -= z.mean(axis=1, keepdims=True)
    z /= np.sqrt(np.square(z).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
    z *= gain
    z += shift
