"""torch in other people's programs: threads, devices, forks and ambient settings."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np
import threadpoolctl
import torch

_lock = threading.Lock()
_active = 0
_users_threads = 1
_users_blas = None


def _in_forked_child() -> None:
    """The parent's threads do not exist in a forked child: OpenMP and held locks would hang."""
    global _active, _lock
    _active = 0
    _lock = threading.Lock()
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)


@cache
def _blas() -> threadpoolctl.ThreadpoolController:
    """The BLAS libraries of numpy and scipy."""
    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def _take_blas() -> None:
    """Let this thread set limits: threadpoolctl 3.7 and later ignore all but the first that did."""
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(controller, "clear_controlling_thread"):
        controller.clear_controlling_thread(force=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and for BLAS, and what the user had on exit.

    Matrix products and factorisations round differently on one thread and on several, so more would
    make a fit's bits depend on the machine's and the workers' limits. Parallelism is between fits.

    These settings are shared by the threads of a process: what the user had is remembered by the
    first fit that enters; torch's is given back by every fit, BLAS's by the last that leaves.
    """
    global _active, _users_threads, _users_blas
    with _lock:
        if _active == 0:
            _users_threads = torch.get_num_threads()
            _take_blas()
            _users_blas = _blas().limit(limits=1)
        _active += 1
        users = _users_threads
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            torch.set_num_threads(users)
            if _active == 0:
                _take_blas()
                _users_blas.restore_original_limits()
                _take_blas()


@contextmanager
def plain_torch() -> Iterator[None]:
    """Nothing is recorded for autograd and numpy does not complain, whatever the caller's modes.

    Default dtypes and devices are not touched: every tensor here is made with its own. A loss that
    is not finite is met where it is looked for.
    """
    with torch.inference_mode(), np.errstate(all="ignore"):
        yield


@contextmanager
def users_torch() -> Iterator[None]:
    """Within a fit, autograd as users have it: what they are called back for is their own."""
    with torch.inference_mode(False):
        yield


@contextmanager
def one_fit() -> Iterator[None]:
    """What every computation of the engine runs in: one thread, and torch's plain mode."""
    with one_thread(), plain_torch():
        yield


class _NoSeed:
    """In place of the entropy that numpy gathers for a generator, which is seeded afterwards."""

    def generate_state(self, n_words: int, dtype=np.uint32) -> list[int]:
        return [1] * n_words  # numpy reads the words of a list sooner than those of an array


np.random.bit_generator.ISeedSequence.register(_NoSeed)


class Draws(NamedTuple):
    """``numpy.random.RandomState(seed)``, and the generator of its bits."""

    state: np.random.RandomState
    bits: np.random.MT19937

    @classmethod
    def of(cls, seed: int) -> Draws:
        bits = np.random.MT19937(_NoSeed())
        state = np.random.RandomState(bits)
        state.seed(seed)
        return cls(state, bits)


_thread = threading.local()


def cancelled_by(event: threading.Event) -> None:
    """Let ``event`` end the training in this thread, which no Ctrl-C reaches."""
    _thread.cancelled = event


def raise_if_cancelled() -> None:
    """KeyboardInterrupt where the training in this thread is to end."""
    event = getattr(_thread, "cancelled", None)
    if event is not None and event.is_set():
        raise KeyboardInterrupt


def resolve_device(device: str | None) -> torch.device:
    """The torch device of a ``device`` parameter; ValueError where it is not to be had."""
    if device is None:
        return torch.device("cpu")
    name = str(device)
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        resolved = torch.device(name)
        torch.empty(1, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        message = str(error).splitlines()[0]
        raise ValueError(f"device={device!r} is not available here: {message}") from error
    if resolved.type == "meta":
        raise ValueError(f"device={device!r} holds no numbers; use 'cpu', 'cuda', 'mps' or 'auto'.")
    return resolved


def finest_dtype(device: torch.device) -> torch.dtype:
    """float64, or float32 where the device has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
