"""Quasi-Newton steps from pairs: known inverses, and the BFGS matrix written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmlp.engine.descent.quasi_newton import InverseHessian, InverseWithinBounds


def test_inverse_hessian_of_a_quadratic():
    """With pairs along conjugate directions the approximation is the inverse."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    hessian = root @ root.T + np.eye(6)
    approximation = InverseHessian()
    for direction in np.linalg.eigh(hessian)[1].T:
        approximation.add(direction, hessian @ direction)
    vector, free = rng.normal(size=6), np.ones(6, dtype=bool)
    expected = np.linalg.solve(hessian, vector)
    assert_allclose(approximation.times(vector, free), expected, rtol=1e-10)
    approximation.add(vector, -vector)  # negative curvature is not kept
    assert_allclose(approximation.times(vector, free), expected, rtol=1e-10)
    assert InverseHessian().times(vector, free) is None
    assert approximation.times(vector, ~free) is None


def test_inverse_hessian_of_the_free_parameters():
    """With a diagonal Hessian, steps along the axes: that of the free ones, nought for others."""
    curvature, free = np.array([1.0, 4.0, 9.0]), np.array([True, False, True])
    approximation = InverseHessian()
    for k in range(3):
        approximation.add(np.eye(3)[k], curvature[k] * np.eye(3)[k])
    assert_allclose(approximation.times(np.ones(3), free), [1, 0, 1 / 9], rtol=1e-14)


def bfgs_matrix(pairs):
    """B of the pairs, the oldest first, by its updates of rank two from theta of the last."""
    step, change = pairs[-1]
    B = np.eye(step.size) * (change @ change) / (step @ change)
    for step, change in pairs:
        at = B @ step
        B = B - np.outer(at, at) / (step @ at) + np.outer(change, change) / (step @ change)
    return B


@pytest.mark.parametrize("n_pairs", [1, 4, 13])
def test_step_within_bounds_is_that_of_the_free_part_of_the_matrix(n_pairs):
    """Also where steps have moved the others, and of the ten last pairs alone."""
    rng = np.random.default_rng(n_pairs)
    root = rng.normal(size=(15, 15))
    hessian = root @ root.T + np.eye(15)
    approximation, steps = InverseWithinBounds(), rng.normal(size=(n_pairs, 15))
    for step in steps:
        approximation.add(step, hessian @ step)
    free, vector = rng.uniform(size=15) < 0.6, rng.normal(size=15)
    B = bfgs_matrix([(step, hessian @ step) for step in steps[-10:]])
    expected = np.zeros(15)
    expected[free] = np.linalg.solve(B[np.ix_(free, free)], vector[free])
    assert_allclose(approximation.times(vector, free), expected, rtol=1e-8, atol=1e-10)


def test_no_step_within_bounds_without_curvature():
    approximation = InverseWithinBounds()
    assert approximation.times(np.ones(3), np.ones(3, dtype=bool)) is None
    approximation.add(np.ones(3), -np.ones(3))
    assert approximation.is_empty
    approximation.add(np.ones(3), np.ones(3))
    assert approximation.times(np.ones(3), np.zeros(3, dtype=bool)) is None
