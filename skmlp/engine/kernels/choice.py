"""Which way a program goes: through torch, or through the compiled loops.

torch is complete and serves devices; the loops are a second way for the programs that are run most.
A new activation or loss goes through torch until it has a row in the tables of ``compiled.c`` and
in those of ``binding``.
"""

from __future__ import annotations

import os

from scipy import sparse

from ..task import Task
from . import binding

VARIABLE = "SKMLP_KERNELS"  # "0" turns the compiled loops off


def state() -> str:
    """Whether the loops are compiled and used, and for which instructions."""
    if binding.compiled is None:
        return f"none ({binding.REASON}): everything goes through torch"
    state = f"compiled, {binding.compiled.INSTRUCTION_SET}"
    return f"{state}, turned off by {VARIABLE}={os.environ[VARIABLE]}" if is_off() else state


def is_off() -> bool:
    """Whether the user has turned them off."""
    return os.environ.get(VARIABLE, "1") == "0"


def is_on() -> bool:
    """Whether there are compiled loops to go through."""
    return binding.compiled is not None and not is_off()


def serves(task: Task) -> bool:
    """Whether a task's loops are compiled."""
    program = task.program
    return (
        is_on()
        and program.device == "cpu"
        and program.activation in binding.ACTIVATIONS
        and binding.knows(program.loss)
        and program.normalization is None
        and not any(program.dropout)
        and program.n_layers <= binding.MOST_LAYERS
        and not any(sparse.issparse(s.X) for s in (task.train, task.validation) if s is not None)
    )
