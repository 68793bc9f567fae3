"""A fitted network as torch's; only this module of the room imports torch."""

import numpy as np
import torch
from torch import nn

from ..prediction import LAYER_NORM_EPSILON, LEAKY_SLOPE

SOFTPLUS_IS_LINEAR = 40.0  # above, to rounding in float64


class Exponential(nn.Module):
    """The inverse of a log link."""

    def forward(self, outputs):
        return torch.exp(outputs)


class RisingQuantiles(nn.Module):
    """Predictions (n, n_levels) in order, from the lowest and the logarithms of the gaps."""

    def forward(self, outputs):
        return torch.cat([outputs[:, :1], outputs[:, 1:].exp()], dim=1).cumsum(dim=1)


class OffsetNetwork(nn.Module):
    """A network whose outputs have an offset added before the link."""

    def __init__(self, outputs, link, on_lowest):
        super().__init__()
        self.outputs, self.link, self.on_lowest = outputs, link, on_lowest

    def forward(self, X, offset):
        """Predictions for X (n, n_features) and the offset, (n,) or (n, n_outputs)."""
        outputs = self.outputs(X)
        offset = offset.reshape(len(X), -1)
        if self.on_lowest:
            return self.link(torch.cat([outputs[:, :1] + offset, outputs[:, 1:]], dim=1))
        return self.link(outputs + offset)


ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(LEAKY_SLOPE),
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "softplus": lambda: nn.Softplus(threshold=SOFTPLUS_IS_LINEAR),
}

LINKS = {
    "identity": lambda: [],
    "exp": lambda: [Exponential()],
    "ordered": lambda: [RisingQuantiles()],
    "logistic": lambda: [nn.Sigmoid()],
    "softmax": lambda: [nn.Softmax(dim=1)],
}


def as_torch(network, dtype=None):
    """The network as an ``nn.Sequential``, or with an offset an ``OffsetNetwork``."""
    dtype = np.result_type(np.float32, *network.coefs) if dtype is None else dtype
    dtype = checked_dtype(dtype)
    network = network.with_output_for_each_class()
    layers, link = _layers(network, dtype), LINKS[network.out_activation]()
    if network.classes is None and network.n_columns == 1:
        link.append(nn.Flatten(0))
    if not network.has_offset:
        return nn.Sequential(*layers, *link).eval()
    is_ordered = network.out_activation == "ordered"
    return OffsetNetwork(nn.Sequential(*layers), nn.Sequential(*link), is_ordered).eval()


def checked_dtype(dtype):
    """torch's dtype of a name, a numpy or a torch dtype; ValueError for other than two floats."""
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else dtype
    for known in ("float32", "float64"):
        if isinstance(name, str | type | np.dtype) and name == np.dtype(known):
            return getattr(torch, known)
    raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}.")


def _layers(network, dtype):
    """What comes before the link."""
    layers, last = [], len(network.coefs) - 1
    for k, weights in enumerate(zip(network.coefs, network.intercepts, strict=True)):
        layers.append(_linear(*weights, dtype))
        if k < last:
            if network.layer_norm:
                layers.append(_layer_norm(*network.layer_norm[k], dtype))
            layers.append(ACTIVATIONS[network.activation]())
    return layers


def _linear(coef, intercept, dtype):
    """On the device 'meta' first: initial weights would be drawn from torch's own generator."""
    layer = nn.Linear(*coef.shape, device="meta")
    layer.weight, layer.bias = _parameter(coef.T, dtype), _parameter(intercept, dtype)
    return layer


def _layer_norm(gain, shift, dtype):
    layer = nn.LayerNorm(len(gain), eps=LAYER_NORM_EPSILON, device="meta")
    layer.weight, layer.bias = _parameter(gain, dtype), _parameter(shift, dtype)
    return layer


def _parameter(array, dtype):
    return nn.Parameter(torch.tensor(np.ascontiguousarray(array), dtype=dtype))
