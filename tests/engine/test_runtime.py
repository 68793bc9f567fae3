"""torch's settings are given back, whoever fits at the same time; devices are named in errors."""

import threading

import pytest
import torch
from support.engine_tasks import torch_threads
from threadpoolctl import threadpool_info, threadpool_limits

from skmlp.engine.runtime import (
    finest_dtype,
    one_thread,
    plain_torch,
    resolve_device,
)


@pytest.fixture
def three_threads():
    with torch_threads(3):
        yield


@pytest.mark.usefixtures("three_threads")
def test_threads_are_restored():
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    with pytest.raises(ZeroDivisionError), one_thread():
        _ = 1 / 0
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_nested_fits():
    with one_thread(), one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_users_setting_between_fits_is_kept():
    with one_thread():
        pass
    torch.set_num_threads(2)
    with one_thread():
        pass
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("three_threads")
def test_concurrent_fits():
    """Fits that overlap, in either order of leaving, have one thread each and restore three."""
    seen, entered, left = [], threading.Event(), threading.Event()

    def outlasting():
        with one_thread():
            seen.append(torch.get_num_threads())
            entered.set()
            left.wait(10)
            seen.append(torch.get_num_threads())

    other = threading.Thread(target=outlasting)
    with one_thread():
        other.start()
        assert entered.wait(10)
        seen.append(torch.get_num_threads())
    assert torch.get_num_threads() == 3
    left.set()
    other.join()
    assert seen == [1, 1, 1]
    assert torch.get_num_threads() == 3


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_has_one_thread_whichever_thread_fits():
    """threadpoolctl lets one thread set limits: an earlier fit elsewhere must not stay that one."""
    seen = []

    def fit():
        seen.append(blas_threads())
        with one_thread():
            seen.append(blas_threads())
        seen.append(blas_threads())

    with threadpool_limits(2, "blas"):
        fit()
        for _ in range(2):
            thread = threading.Thread(target=fit)
            thread.start()
            thread.join()
        fit()
    assert seen == [{2}, {1}, {2}] * 4


def test_plain_torch_records_nothing():
    leaf = torch.ones(2, requires_grad=True)
    with torch.enable_grad(), plain_torch():
        assert not (leaf * 2).requires_grad
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_devices():
    cpu = torch.device("cpu")
    assert resolve_device(None) == resolve_device("cpu") == cpu
    assert resolve_device("auto").type in {"cpu", "cuda", "mps"}
    assert finest_dtype(cpu) is torch.float64
    assert finest_dtype(torch.device("mps")) is torch.float32


@pytest.mark.parametrize("device", ["meta", "gpu", "", "cuda:99", "cpu:-2"])
def test_device_that_is_not_there(device):
    with pytest.raises(ValueError, match=f"device='{device}'"):
        resolve_device(device)
