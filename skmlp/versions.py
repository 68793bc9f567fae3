"""What a report of a fault should say of the machine and of what is installed there."""

import sys
from pathlib import Path

import scipy
import threadpoolctl
from sklearn import show_versions as show_scikit_learns


def show_versions():
    """Print versions for reports of faults: scikit-learn's list, then torch and the compiled loops.

    The hot loops of fits on the CPU are compiled where skmlp was installed with a C compiler.
    What is printed says whether they are, for which instructions, whether the environment variable
    ``SKMLP_KERNELS=0`` turns them off, and which BLAS of SciPy's multiplies their matrices.

    Examples
    --------
    >>> from skmlp import show_versions
    >>> show_versions()  # doctest: +SKIP
    """
    show_scikit_learns()
    print("\nskmlp:")
    for name, value in _ours().items():
        print(f"{name:>15}: {value}")


def _ours():
    """By name: versions of skmlp and torch, the compiled loops, SciPy's BLAS."""
    import torch

    from .engine.kernels import choice

    return {
        "version": sys.modules[__package__].__version__,
        "torch": torch.__version__,
        "compiled loops": choice.state(),
        "SciPy's BLAS": _scipys_blas(),
    }


def _scipys_blas():
    """The library that SciPy brought along and has loaded, otherwise what it was built with."""
    home = Path(scipy.__file__).parent
    for library in threadpoolctl.threadpool_info():
        path = Path(library["filepath"])
        if library["user_api"] == "blas" and {home, home.with_name("scipy.libs")} & {*path.parents}:
            kernel = f", {library['architecture']}" if "architecture" in library else ""
            return f"{library['internal_api']} {library['version']}{kernel}"
    built = scipy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built['version']}"
