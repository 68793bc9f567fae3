"""The compiled exponential and activations over their whole range, in both dtypes."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal, assert_array_less
from scipy.special import ndtr
from support.engine_tasks import ACTIVATIONS as REFERENCE

from skmlp.engine.kernels import binding
from skmlp.engine.network.activations import ACTIVATIONS

compiled = pytest.importorskip("skmlp.engine.kernels.compiled")

RNG = np.random.default_rng(0)
KINDS = {"float32": "single", "float64": "double"}
DTYPES = pytest.mark.parametrize("dtype", KINDS)
NAMES = pytest.mark.parametrize("name", binding.ACTIVATIONS)
RELATIVE = pytest.mark.parametrize("name", ["tanh", "logistic", "softplus", "silu"])
SIZES = np.logspace(-40, 37, 1501)


def exp(x):
    out = np.empty_like(x)
    getattr(compiled, f"exp_{KINDS[str(x.dtype)]}")(x, out)
    return out


def activate(name, z):
    """(values, slopes) of an activation by the loops of the networks."""
    kept, slope, zeros = z.copy(), np.ones_like(z), np.zeros_like(z)
    a = np.empty_like(z) if name in binding.KEEPING_INPUT else kept
    row = binding.ACTIVATIONS.index(name)
    getattr(compiled, f"activation_{KINDS[str(z.dtype)]}")(row, kept, a, slope, zeros)
    return a, slope


def expected(name, z):
    """(values, slopes) in float64, at the very numbers z."""
    t = torch.tensor(z.astype(np.float64), requires_grad=True)
    values = REFERENCE[name](t)
    (slopes,) = torch.autograd.grad(values.sum(), t)
    values, slopes = values.detach().numpy(), slopes.numpy()
    if name == "gelu":  # torch's loses the lower tail
        values = z * ndtr(z.astype(np.float64))
    return values, slopes


def grid(dtype):
    near, far = np.linspace(-40, 40, 160_001), np.linspace(-800, 800, 40_001)
    return np.concatenate([near, far, SIZES, -SIZES, [0.0, -0.0]]).astype(dtype)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="needs a wider number")
@pytest.mark.parametrize("dtype, ends", [("float32", (-104.5, 89)), ("float64", (-746, 710))])
def test_exp_is_within_two_ulp(dtype, ends):
    x = np.concatenate([np.linspace(*ends, 1_000_001), RNG.normal(size=200_000), SIZES, -SIZES])
    x = x.astype(dtype)
    with np.errstate(over="ignore", under="ignore"):
        exact = np.exp(x.astype(np.longdouble))
        nearest = exact.astype(dtype)
    values, is_finite = exp(x), np.isfinite(nearest)
    assert_array_equal(values[~is_finite], np.inf)
    assert (nearest == 0).any()
    assert (~is_finite).any()
    ulp = np.spacing(nearest[is_finite]).astype(np.longdouble)
    assert (np.abs(values[is_finite] - exact[is_finite]) / ulp).max() < 2


@DTYPES
def test_exp_at_the_ends(dtype):
    limits = np.finfo(dtype)
    tiny = [limits.tiny, limits.smallest_subnormal, -limits.smallest_subnormal, 0.0, -0.0]
    x = np.array([np.nan, np.inf, -np.inf, limits.max, limits.min, *tiny], dtype=dtype)
    assert_array_equal(exp(x), np.array([np.nan, np.inf, 0, np.inf, 0, 1, 1, 1, 1, 1], dtype))
    largest, least = np.log([np.float64(limits.max), np.float64(limits.smallest_subnormal)])
    inside = np.array([np.nextafter(np.array(largest, dtype), 0), least * 0.9999], dtype=dtype)
    assert np.isfinite(exp(inside)).all()
    assert (exp(inside) > 0).all()


@DTYPES
@pytest.mark.parametrize("n", [1, 2, 7, 15, 16, 17, 33])
def test_exp_does_not_depend_on_the_place(dtype, n):
    """Of single numbers and of those that fill a vector, as far as rounding goes."""
    x = RNG.normal(size=n).astype(dtype) * 10
    alone = np.concatenate([exp(x[k : k + 1].copy()) for k in range(n)])
    assert (np.abs(exp(x) - alone) <= 2 * np.spacing(alone)).all()


@DTYPES
@NAMES
def test_activations_and_slopes_are_torchs(name, dtype):
    """The slope of silu has a difference s (1 - s) z, whose rounding grows with z."""
    z = grid(dtype)
    eps = np.finfo(dtype).eps
    (values, slopes), (true_values, true_slopes) = activate(name, z), expected(name, z)
    assert_array_less(np.abs(values - true_values) / np.maximum(1, np.abs(true_values)), 2.5 * eps)
    growth = np.clip(np.abs(z), 4, 80) if name == "silu" else 4
    assert_array_less(np.abs(slopes - true_slopes) / growth, eps)


@DTYPES
@RELATIVE
def test_small_values_are_right_in_their_digits(name, dtype):
    z = grid(dtype)
    z = z[(z > -60) & (np.abs(z) > np.finfo(dtype).tiny)]
    values, (true_values, _) = activate(name, z)[0], expected(name, z)
    eps = np.finfo(dtype).eps
    assert_array_less(np.abs(values - true_values) / np.abs(true_values), 4 * eps)


@DTYPES
def test_lower_tail_of_gelu_is_right_in_its_digits(dtype):
    """A rounding of z^2 is one of its size in the logarithm."""
    z = np.linspace(-12, -1, 50_001).astype(dtype)
    values, (true_values, _) = activate("gelu", z)[0], expected("gelu", z)
    relative = np.abs(values - true_values) / np.abs(true_values)
    assert_array_less(relative / np.maximum(8, z.astype(float) ** 2), np.finfo(dtype).eps)


@DTYPES
@NAMES
def test_huge_arguments_go_to_the_limits(name, dtype):
    """Not to a huge number times a small rest."""
    huge = np.array([0.99 * np.finfo(dtype).max, 1e30, 1e20, 1e10], dtype=dtype)
    z = np.concatenate([huge, -huge])
    (values, slopes), (true_values, true_slopes) = activate(name, z), expected(name, z)
    np.testing.assert_allclose(values, true_values, rtol=1e-6, atol=1e-25)
    np.testing.assert_allclose(slopes, true_slopes, rtol=1e-6, atol=1e-6)


@DTYPES
@NAMES
def test_what_is_no_number_is_seen(name, dtype):
    """NaN stays; at the infinities torch's loop of the same dtype decides."""
    z = np.array([np.nan, np.inf, -np.inf] * 9, dtype=dtype)
    values, slopes = activate(name, z)
    tensor, row = torch.tensor(z), ACTIVATIONS[name]
    kept = torch.tensor(z) if row.keeps_input else tensor
    true_values = row.forward(kept, torch.empty_like(kept) if row.keeps_input else kept)
    assert_array_equal(values, true_values.numpy())
    true_slopes = row.backward(torch.ones_like(kept), kept, torch.empty_like(kept)).numpy()
    is_number = ~np.isnan(z)
    assert_array_equal(slopes[is_number], true_slopes[is_number])


@DTYPES
@NAMES
def test_derivatives_of_biases_are_summed(name, dtype):
    z = RNG.normal(size=40).astype(dtype)
    slope, sums, kept = np.ones_like(z), np.zeros_like(z), z.copy()
    a = np.empty_like(z) if name in binding.KEEPING_INPUT else kept
    row = binding.ACTIVATIONS.index(name)
    getattr(compiled, f"activation_{KINDS[dtype]}")(row, kept, a, slope, sums)
    assert_array_equal(sums, slope)
    assert_array_equal(slope, activate(name, z)[1])
