"""What the compiled loops are handed: data as they are where they can be read, else copies."""

import numpy as np
import pytest

from skmlp.engine.kernels.binding import data_arrays
from skmlp.engine.task import Samples


def off_by_a_byte(array):
    buffer = np.zeros(array.nbytes + 1, dtype=np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


X = np.arange(24.0).reshape(8, 3)
Y = X[:, :1].copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_that_can_be_read_are_not_copied(dtype):
    samples = Samples(X.astype(dtype), Y.astype(dtype))
    read, is_double, y, *_ = data_arrays(samples, dtype)
    assert read is samples.X
    assert y is samples.y
    assert is_double == (dtype == "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "laid_out",
    [
        off_by_a_byte,
        np.asfortranarray,
        lambda array: np.repeat(array, 2, axis=0)[::2],
        lambda array: array.astype(array.dtype.newbyteorder()),
    ],
    ids=["unaligned", "columns", "strided", "byte order"],
)
def test_others_are_copied_row_by_row(laid_out, dtype):
    samples = Samples(laid_out(X.astype(dtype)), laid_out(Y.astype(dtype)))
    read, is_double, y, *_ = data_arrays(samples, "float64")
    for array, values in ((read, X), (y, Y)):
        assert array.flags.c_contiguous
        assert array.flags.aligned
        assert array.dtype.isnative
        assert np.array_equal(array, values)
    assert read.dtype == (np.float64 if is_double else np.float32)
