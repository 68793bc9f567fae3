"""Batches of rows: which, in which precision, and without copies of the data."""

import tracemalloc

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse

from skmlp.engine.network.rows import RowLoader, _copy_rows, batch_slices
from skmlp.engine.task import Samples

RNG = np.random.default_rng(0)
CPU = torch.device("cpu")
X = RNG.normal(size=(10, 4))
y = RNG.normal(size=(10, 2))
WEIGHT = RNG.uniform(0.5, 2, 10)


@pytest.mark.parametrize(
    "n_rows, size, join_single, sizes",
    [
        (10, 4, False, [4, 4, 2]),
        (9, 4, False, [4, 4, 1]),
        (9, 4, True, [4, 5]),
        (10, 4, True, [4, 4, 2]),
        (8, 4, True, [4, 4]),
        (5, 4, True, [5]),
        (3, 4, True, [3]),
        (1, 4, True, [1]),
        (1, 1, True, [1]),
        (3, 1, False, [1, 1, 1]),
        (4, 4, False, [4]),
    ],
)
def test_batch_slices(n_rows, size, join_single, sizes):
    slices = batch_slices(n_rows, size, join_single)
    assert [piece.stop - piece.start for piece in slices] == sizes
    assert_array_equal(np.concatenate([np.arange(n_rows)[s] for s in slices]), np.arange(n_rows))


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


KINDS = {
    "float64": X,
    "float32": X.astype("f4"),
    "read-only": read_only(X),
    "by columns": np.asfortranarray(X),
    "reversed": X[::-1].copy()[::-1],
    "sparse": sparse.csr_array(np.where(X > 0, X, 0)),
    "sparse float32": sparse.csr_array(np.where(X > 0, X, 0).astype("f4")),
}
ROWS = {
    "array": np.array([7, 0, 3]),
    "repeated": np.array([2, 2, 9]),
    "slice": slice(4, 7),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_chosen_rows(kind, rows, dtype):
    """Each model has its own data and its own rows."""
    data, index = KINDS[kind], ROWS[rows]
    dense = data.toarray() if sparse.issparse(data) else data
    loader = RowLoader([Samples(data, y), Samples(data, y + 1)], dtype, CPU)
    other = np.array([1, 1, 8])
    batch = loader.load([index, other], 3)
    expected = [torch.tensor(np.array(dense[rows]), dtype=dtype) for rows in (index, other)]
    assert torch.equal(batch.X[..., :-1], torch.stack(expected))
    assert (batch.X[..., -1] == 1).all()
    targets = [torch.tensor(y[index], dtype=dtype), torch.tensor(y[other] + 1, dtype=dtype)]
    assert torch.equal(batch.y, torch.stack(targets))
    assert batch.weight is None
    assert batch.n_rows == 3


def test_weights_have_mean_one_over_the_data():
    """A model without weights beside one with weights has ones."""
    loader = RowLoader([Samples(X, y, WEIGHT), Samples(X, y)], torch.float64, CPU)
    index = np.array([5, 2])
    batch = loader.load([index, index], 2)
    expected = WEIGHT[index] / WEIGHT.mean()
    np.testing.assert_allclose(batch.weight[:, :, 0], [expected, [1, 1]], rtol=1e-14)
    share = [WEIGHT[index] / WEIGHT[index].sum(), [0.5, 0.5]]
    np.testing.assert_allclose(batch.share[:, :, 0], share, rtol=1e-14)


@pytest.mark.parametrize("size", [3, 5, 10, 64])
@pytest.mark.parametrize("kind", ["float64", "sparse"])
def test_blocks_are_all_rows_in_order(kind, size):
    data = KINDS[kind]
    dense = data.toarray() if sparse.issparse(data) else data
    loader = RowLoader([Samples(data, y, WEIGHT)], torch.float64, CPU)
    for _ in range(2):
        blocks = [
            (b.X[0, :, :-1].numpy().copy(), b.y[0].numpy().copy()) for b in loader.blocks(size)
        ]
        assert len(blocks) == -(-10 // size)
        assert_array_equal(np.concatenate([block for block, _ in blocks]), dense)
        assert_array_equal(np.concatenate([block for _, block in blocks]), y)


def test_buffers_are_used_again():
    loader = RowLoader([Samples(X, y)], torch.float64, CPU)
    first = loader.load([slice(0, 4)], 4)
    second = loader.load([slice(4, 8)], 4)
    assert first.X.data_ptr() == second.X.data_ptr()
    assert_array_equal(second.X[0, :, :-1], X[4:8])


def test_models_are_apart_in_memory():
    """A gap lies between the models, so that no kernel runs across two of them."""
    batch = RowLoader([Samples(X, y)] * 3, torch.float64, CPU).load([slice(0, 3)] * 3, 3)
    for part in (batch.X, batch.y):
        rows, columns = part.shape[1:]
        assert part.stride()[1:] == (columns, 1)
        assert part.stride(0) > rows * columns
        assert part.stride(0) * part.element_size() % 64 == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_copy_of_the_data(dtype):
    """An epoch of batches takes memory of a batch, also where the precision differs."""
    n_rows, size = 20_000, 100
    big = Samples(RNG.normal(size=(n_rows, 50)), np.zeros((n_rows, 1)))
    order = RNG.permutation(n_rows)
    tracemalloc.start()
    loader = RowLoader([big], dtype, CPU)
    assert loader._sources[0]["X"] is big.X
    for piece in batch_slices(n_rows, size):
        loader.load([order[piece]], size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * size * 50 * 8


@pytest.mark.parametrize("index", ROWS.values(), ids=ROWS)
def test_rows_of_data_that_live_on_a_device(index):
    """The path of other devices than the CPU, on tensors of the CPU."""
    target = torch.zeros(3, 4, dtype=torch.float64)
    _copy_rows(torch.tensor(X), index, target)
    assert_array_equal(target, X[index])
    _copy_rows(sparse.csr_array(X), index, target.zero_())
    assert_array_equal(target, X[index])
