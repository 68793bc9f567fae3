"""Normalisation between a hidden layer's product and its activation, with gain and shift.

    z_hat = (z - mean) / sqrt(variance + EPSILON),    output = gain z_hat + shift

over the rows of the batch, by their weights ('batch'), or over the units of a row ('layer').
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-5


class BatchNormalization:
    """Means over rows. ``share`` (M, B, 1): each row's share of the batch, summing to one."""

    def forward(self, z: Tensor, gain: Tensor, shift: Tensor, share: Tensor, out: Tensor) -> Tensor:
        """Normalise (M, B, u) into ``out``; ``z`` becomes z_hat."""
        self.share = share
        z.sub_((z * share).sum(1, keepdim=True))
        variance = (z.square().mul_(share)).sum(1, keepdim=True)
        self.inverse_std = variance.add_(EPSILON).rsqrt_()
        self.z_hat = z.mul_(self.inverse_std)
        return torch.addcmul(shift, self.z_hat, gain, out=out)

    def backward(self, delta: Tensor, gain: Tensor, d_gain: Tensor, d_shift: Tensor) -> Tensor:
        """The derivatives from ``delta`` (M, B, u), which becomes that of z."""
        product = delta * self.z_hat
        torch.sum(product, 1, keepdim=True, out=d_gain)
        torch.sum(delta, 1, keepdim=True, out=d_shift)
        carried = torch.mul(self.z_hat, d_gain, out=product).add_(d_shift).mul_(self.share)
        return delta.sub_(carried).mul_(gain * self.inverse_std)


class LayerNormalization:
    """Means over the units of a row."""

    def forward(self, z: Tensor, gain: Tensor, shift: Tensor, share: Tensor, out: Tensor) -> Tensor:
        """Normalise (M, B, u) into ``out``; ``z`` becomes z_hat."""
        z.sub_(z.mean(2, keepdim=True))
        variance = z.square().mean(2, keepdim=True)
        self.inverse_std = variance.add_(EPSILON).rsqrt_()
        self.z_hat = z.mul_(self.inverse_std)
        return torch.addcmul(shift, self.z_hat, gain, out=out)

    def backward(self, delta: Tensor, gain: Tensor, d_gain: Tensor, d_shift: Tensor) -> Tensor:
        """The derivatives from ``delta`` (M, B, u), which becomes that of z."""
        torch.sum(delta * self.z_hat, 1, keepdim=True, out=d_gain)
        torch.sum(delta, 1, keepdim=True, out=d_shift)
        delta.mul_(gain)
        along = (delta * self.z_hat).mean(2, keepdim=True)
        delta.sub_(delta.mean(2, keepdim=True)).sub_(self.z_hat * along)
        return delta.mul_(self.inverse_std)


NORMALIZATIONS = {"batch": BatchNormalization, "layer": LayerNormalization}
