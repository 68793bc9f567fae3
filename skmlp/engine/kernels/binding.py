"""What the compiled loops are called with: arrays of one dtype, in the order that they expect."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import NamedTuple

import numpy as np
from scipy.linalg import cython_blas, cython_lapack

from ..losses.base import Loss
from ..network.layout import Layout
from ..penalty.prox import PenaltyNumbers
from ..task import Program, Samples


def _compiled() -> tuple[ModuleType | None, str]:
    """The extension, or None and why there is none."""
    if find_spec(".compiled", __package__) is None:
        return None, "skmlp was installed without a C compiler that could build them"
    try:
        return import_module(".compiled", __package__), ""
    except ImportError as error:
        return None, str(error)


compiled, REASON = _compiled()

# in the order of their tables in C
ACTIVATIONS = (
    "identity",
    "relu",
    "leaky_relu",
    "tanh",
    "logistic",
    "softplus",
    "silu",
    "gelu",
)
KEEPING_INPUT = frozenset({"softplus", "silu", "gelu"})
LOSSES = {  # by name, and the number that each has
    "squared_error": None,
    "poisson": None,
    "absolute_error": None,
    "huber": "delta",
    "quantile": "level",
    "gamma": None,
    "tweedie": "power",
    "log_loss": None,
    "multinomial": None,
}
MOST_LAYERS = 64


class Routine(NamedTuple):
    """The functions of one dtype, and the matrix product that they take."""

    gemm: int
    epochs: object
    objective: object
    outputs: object
    search: object  # in float64, whatever the dtype


def _routines() -> dict[str, Routine]:
    """By name of the dtype; empty where there are none, or SciPy's BLAS has other integers."""
    global compiled, REASON
    routines = {}
    if compiled is None:
        return routines
    for dtype, letter, kind in (("float32", "s", "single"), ("float64", "d", "double")):
        gemm, signature = compiled.address(cython_blas.__pyx_capi__[f"{letter}gemm"])
        if not signature.startswith("void (char *, char *, int *, int *, int *,"):
            compiled, REASON = None, "SciPy's BLAS counts in other integers than int"
            return {}
        functions = [getattr(compiled, f"{f}_{kind}") for f in ("epochs", "objective", "outputs")]
        routines[dtype] = Routine(gemm, *functions, compiled.search)
    return routines


ROUTINES = _routines()
POTRF = compiled.address(cython_lapack.__pyx_capi__["dpotrf"])[0] if ROUTINES else 0


def knows(loss: Loss) -> bool:
    """Whether a loss has a row in the tables."""
    return loss.name in LOSSES and (not LOSSES[loss.name] or hasattr(loss, LOSSES[loss.name]))


def program_numbers(program: Program, layout: Layout) -> np.ndarray:
    """A network as the integers that the loops read."""
    loss = program.loss
    number = LOSSES[loss.name] and getattr(loss, LOSSES[loss.name])
    starts = [[0, *(field.start for field in fields)] for fields in layout.groups[:2]]
    return np.array(
        [
            program.n_layers,
            ACTIVATIONS.index(program.activation),
            program.activation in KEEPING_INPUT,
            [*LOSSES].index(loss.name),
            int(np.float64(number or 0.0).view(np.int64)),
            layout.size,
            layout.n_weights,
            *program.layer_sizes,
            *starts[0],
            *starts[1],
        ],
        dtype=np.int64,
    )


def _in_memory(array: np.ndarray, dtype: np.dtype | str | type) -> np.ndarray:
    """The array itself, or a copy, row by row and with every number at an aligned address."""
    return np.require(array, dtype, ["C", "A"])


def data_arrays(samples: Samples, dtype: str, standardised=(None, None)) -> tuple:
    """Rows as the loops read them, X as it is; ``standardised``: centres and factors of columns."""
    X, rows = samples.X, samples.rows
    X = _in_memory(X, X.dtype if X.dtype in (np.float32, np.float64) else np.float64)
    weight = None
    if samples.weight is not None:
        weight = samples.relative_weight().ravel().astype(dtype)
    return (
        X,
        int(X.dtype == np.float64),
        _in_memory(samples.y, dtype),
        weight,
        None if rows is None else _in_memory(rows, np.int64),
        *standardised,
        samples.n_rows,
        None if samples.offset is None else _in_memory(samples.offset, dtype),
    )


def penalty_arrays(penalty: PenaltyNumbers, dtype: str) -> tuple:
    """A penalty as the loops read it, None where nothing acts."""

    def acting(numbers: np.ndarray, inert: float) -> np.ndarray | None:
        return None if (numbers == inert).all() else np.ascontiguousarray(numbers, dtype=dtype)

    numbers = [
        acting(penalty.l1, 0.0),
        acting(penalty.l2, 0.0),
        acting(penalty.lower, -np.inf),
        acting(penalty.upper, np.inf),
    ]
    groups = penalty.groups
    if groups is None:
        return (*numbers, None, None, None, None, 0)
    return (
        *numbers,
        np.ascontiguousarray(groups.members, dtype=np.int64),
        groups.strength.astype(dtype),
        np.bincount(groups.members) * groups.n_units,
        np.empty(groups.strength.size),
        groups.strength.size,
    )
