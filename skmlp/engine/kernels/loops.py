"""The compiled loops of one network on its data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..network.layout import Layout
from ..network.perceptron import BLOCK_NUMBERS, block_rows
from ..penalty.prox import PenaltyNumbers
from ..runtime import raise_if_cancelled
from ..task import Program, Samples
from . import binding

BATCH_NUMBERS = 2**20  # of larger batches, for interrupts and memory


class Loops:
    """A network's passes over its rows in one dtype, in memory that is allocated once.

    ``standardised`` are the centres and factors (n_features,) of the columns of X, float64, where
    they are taken as (x - centre) factor.
    """

    def __init__(
        self,
        program: Program,
        layout: Layout,
        samples: Samples,
        penalty: PenaltyNumbers,
        dtype: str,
        standardised: tuple = (None, None),
    ) -> None:
        self.dtype = np.dtype(dtype)
        self._routine = binding.ROUTINES[dtype]
        self.program = binding.program_numbers(program, layout)
        self._data = binding.data_arrays(samples, dtype, standardised)
        self._penalty = binding.penalty_arrays(penalty, dtype)
        self._block = min(samples.n_rows, block_rows(program.layer_sizes, BLOCK_NUMBERS))
        self._n_outputs, self._n_rows = program.layer_sizes[-1], samples.n_rows
        self._sizes = program.layer_sizes
        self._memory: dict[int, np.ndarray] = {}

    def _work(self, n_rows: int) -> np.ndarray:
        """Memory for batches of ``n_rows``."""
        if n_rows not in self._memory:
            is_double = int(self.dtype == np.float64)
            n_bytes = binding.compiled.bytes_of_work(self.program, n_rows, is_double)
            self._memory[n_rows] = np.empty(n_bytes, dtype=np.uint8)
        return self._memory[n_rows]

    def objective(self, theta: np.ndarray, gradient: np.ndarray | None) -> float:
        """The smooth part at ``theta`` (size,); its gradient is written to ``gradient``."""
        return self._routine.objective(
            self._routine.gemm,
            self.program,
            self._data,
            self._penalty,
            theta,
            gradient,
            self._block,
            self._work(self._block),
            raise_if_cancelled,
        )

    def search(self, row: np.ndarray, numbers: np.ndarray, report) -> None:
        """PANOC from ``row``, which takes the best iterate; float64.

        ``numbers`` are those of SEARCH_NUMBERS; ``report``, unless None, is called with the best F
        after each iteration.
        """
        self._routine.search(
            self._routine.gemm,
            self.program,
            self._data,
            self._penalty,
            row,
            numbers,
            self._block,
            self._work(self._block),
            raise_if_cancelled,
            report,
        )

    def outputs(self, theta: np.ndarray) -> np.ndarray:
        """Outputs before the link (n, q)."""
        out = np.empty((self._n_rows, self._n_outputs), dtype=self.dtype)
        self._routine.outputs(
            self._routine.gemm,
            self.program,
            self._data,
            theta,
            out,
            self._block,
            self._work(self._block),
            raise_if_cancelled,
        )
        return out

    def epochs(
        self,
        state: Sequence[np.ndarray | None],
        numbers: np.ndarray,
        batch_size: int,
        losses: np.ndarray,
    ) -> int:
        """Epochs until the rule in ``numbers`` stops them: how many, their losses in ``losses``.

        ``state`` are theta, the parameters after the last whole epoch, the averages of g and g^2
        or the velocity, the order of the rows, and the bit generator that shuffles it or None.
        """
        block = min(batch_size, block_rows(self._sizes, BATCH_NUMBERS))
        return self._routine.epochs(
            self._routine.gemm,
            self.program,
            self._data,
            self._penalty,
            *state,
            numbers,
            batch_size,
            block,
            losses,
            self._work(block),
            raise_if_cancelled,
        )
