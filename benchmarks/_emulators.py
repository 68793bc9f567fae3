"""Six deterministic functions that emulators are tested on, and tables drawn from them.

Formulas and ranges are those of S. Surjanovic and D. Bingham, Virtual Library of Simulation
Experiments: Test Functions and Datasets, https://www.sfu.ca/~ssurjano, where the first sources are
named. All inputs are uniform over their ranges, in a Latin hypercube; noise is normal, its standard
deviation a share of that of the function over the rows.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd


def borehole(rw, r, Tu, Hu, Tl, Hl, L, Kw):
    """Flow of water through a borehole, m3 a year."""
    log_ratio = np.log(r / rw)
    resistance = log_ratio * (1 + Tu / Tl) + 2 * L * Tu / (rw**2 * Kw)
    return 2 * np.pi * Tu * (Hu - Hl) / resistance


def otl_circuit(Rb1, Rb2, Rf, Rc1, Rc2, beta):
    """Midpoint voltage of an output transformerless push-pull circuit."""
    Vb1 = 12 * Rb2 / (Rb1 + Rb2)
    gain = beta * (Rc2 + 9)
    return ((Vb1 + 0.74) * gain + 11.35 * Rf + 0.74 * Rf * gain / Rc1) / (gain + Rf)


def piston(M, S, V0, k, P0, Ta, T0):
    """Seconds that a piston takes for one cycle in its cylinder."""
    A = P0 * S + 19.62 * M - k * V0 / S
    pressure = P0 * V0 / T0 * Ta
    V = S / (2 * k) * (np.sqrt(A**2 + 4 * k * pressure) - A)
    return 2 * np.pi * np.sqrt(M / (k + S**2 * pressure / V**2))


def wing_weight(Sw, Wfw, A, sweep, q, taper, tc, Nz, Wdg, Wp):
    """Weight of the wing of a light aircraft, pounds; the sweep is in degrees."""
    cosine = np.cos(np.radians(sweep))
    shape = (A / cosine**2) ** 0.6 * q**0.006 * taper**0.04 * (100 * tc / cosine) ** -0.3
    return 0.036 * Sw**0.758 * Wfw**0.0035 * shape * (Nz * Wdg) ** 0.49 + Sw * Wp


def robot_arm(angle1, angle2, angle3, angle4, L1, L2, L3, L4):
    """Distance of the end of an arm of four segments from its shoulder."""
    angles = np.cumsum([angle1, angle2, angle3, angle4], axis=0)
    lengths = np.array([L1, L2, L3, L4])
    return np.hypot((lengths * np.cos(angles)).sum(axis=0), (lengths * np.sin(angles)).sum(axis=0))


def ishigami(x1, x2, x3):
    """Ishigami's function, with a = 7 and b = 0.1."""
    return np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)


class Emulator(NamedTuple):
    """A function, the ranges of its inputs in their order, how many rows and how much noise."""

    function: object
    ranges: list
    rows: int
    noise: float


TURN, PI = (0, 2 * np.pi), (-np.pi, np.pi)
PISTON = [(30, 60), (0.005, 0.02), (0.002, 0.01), (1000, 5000), (9e4, 11e4), (290, 296), (340, 360)]
CIRCUIT = [(50, 150), (25, 70), (0.5, 3), (1.2, 2.5), (0.25, 1.2), (50, 300)]
WELL = [(0.05, 0.15), (100, 50000), (63070, 115600), (990, 1110), (63.1, 116), (700, 820)]
WING = [(150, 200), (220, 300), (6, 10), (-10, 10), (16, 45), (0.5, 1), (0.08, 0.18), (2.5, 6)]

EMULATORS = {
    "borehole": Emulator(borehole, [*WELL, (1120, 1680), (9855, 12045)], 500, 0.0),
    "otl_circuit": Emulator(otl_circuit, CIRCUIT, 300, 0.01),
    "piston": Emulator(piston, PISTON, 500, 0.05),
    "wing_weight": Emulator(wing_weight, [*WING, (1700, 2500), (0.025, 0.08)], 1000, 0.02),
    "robot_arm": Emulator(robot_arm, [TURN] * 4 + [(0, 1)] * 4, 1000, 0.0),
    "ishigami": Emulator(ishigami, [PI] * 3, 400, 0.01),
}


def draw(name):
    """X, a frame, and y of an emulator; always the same rows."""
    function, ranges, rows, noise = EMULATORS[name]
    random = np.random.RandomState(0)
    cells = np.argsort(random.uniform(size=(rows, len(ranges))), axis=0)
    low, high = np.transpose(ranges)
    X = low + (high - low) * (cells + random.uniform(size=cells.shape)) / rows
    y = function(*X.T)
    y = y + noise * y.std() * random.normal(size=rows)
    inputs = function.__code__.co_varnames[: function.__code__.co_argcount]
    return pd.DataFrame(X, columns=inputs), y
