"""Marks the tests whose numbers may hinge on how a BLAS rounds."""

from pathlib import Path

import pytest

ROUNDING = {
    "test_choices",
    "test_dependent_columns",
    "test_lasso",
    "test_panoc",
    "test_moving_penalty",
    "test_paths_linear",
    "test_paths_networks",
    "test_reference_solutions",
    "test_sample_weight",
    "test_units_of_y",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.path).stem in ROUNDING:
            item.add_marker(pytest.mark.rounding)


@pytest.fixture
def through_torch(monkeypatch):
    """No compiled loops: what torch's stacks do."""
    monkeypatch.setenv("SKMLP_KERNELS", "0")
