"""L1 and bounds by L-BFGS-B: W = U - V with U, V >= 0, so that |W| = U + V is linear.

Zeros are active bounds and therefore exact. A weight held to one sign has only that half.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, minimize

from .panoc import Minimum


class _Split:
    """Between a row W (size,) and its halves [U; V], V for the penalised two-sided weights only."""

    def __init__(self, penalty, size: int) -> None:
        l1 = np.zeros(size)
        l1[: penalty.l1.size] = penalty.l1
        one_sided = penalty.lower == 0
        self.doubled = np.flatnonzero((l1 > 0) & ~one_sided & (penalty.upper != 0))
        self.size = size
        sign = np.where((penalty.upper == 0) & ~one_sided, -1.0, 1.0)
        self.slope = np.concatenate([sign * l1, l1[self.doubled]])
        lower = np.where(one_sided, 0.0, penalty.lower)
        lower[self.doubled] = 0.0
        self.bounds = Bounds(
            np.concatenate([lower, np.zeros(self.doubled.size)]),
            np.concatenate([penalty.upper, np.full(self.doubled.size, np.inf)]),
        )
        if np.isinf(self.bounds.lb).all() and np.isinf(self.bounds.ub).all():
            self.bounds = None  # scipy takes longer to read bounds than for an iteration

    def halves(self, row: np.ndarray) -> np.ndarray:
        upper = row.copy()
        upper[self.doubled] = np.maximum(upper[self.doubled], 0.0)
        return np.concatenate([upper, np.maximum(-row[self.doubled], 0.0)])

    def row(self, halves: np.ndarray) -> np.ndarray:
        row = halves[: self.size].copy()
        row[self.doubled] -= halves[self.size :]
        return row


def lbfgsb(problem, x: np.ndarray, tol: float, max_iter: int, max_fun: int, monitor) -> Minimum:
    """Minimise f + g from ``x`` by scipy's L-BFGS-B until the projected gradient is below ``tol``.

    ``problem`` and ``monitor`` are those of ``panoc``.
    """
    split = _Split(problem.penalty, x.size)
    latest = {}

    def value_and_gradient(halves: np.ndarray) -> tuple[float, np.ndarray]:
        row = split.row(halves)
        value, gradient = problem.value_and_gradient(row)
        latest.update(row=row, gradient=gradient)
        both = np.concatenate([gradient, -gradient[split.doubled]])
        return value + split.slope @ halves, both + split.slope

    def callback(intermediate_result) -> None:
        if monitor(split.row(intermediate_result.x), float(intermediate_result.fun)):
            raise StopIteration

    result = minimize(
        value_and_gradient,
        split.halves(problem.penalty.prox(x, 0.0)),
        jac=True,
        method="L-BFGS-B",
        bounds=split.bounds,
        callback=callback,
        options={
            "maxcor": 20,
            "ftol": 0.0,
            "gtol": tol,
            "maxls": 40,
            "maxiter": max_iter,
            "maxfun": max_fun,
        },
    )
    row = split.row(result.x)
    if not np.array_equal(row, latest["row"]):
        _, latest["gradient"] = problem.value_and_gradient(row)
    residual = problem.penalty.residual(row, latest["gradient"])
    return Minimum(row, residual, int(result.nit), int(result.nfev), str(result.message))
