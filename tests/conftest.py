"""Marks the tests whose numbers may hinge on how a BLAS rounds."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Four properties: a hundred cases for everybody, drawn alike on each machine; ten thousand for
# ``make fuzz``, drawn anew.
settings.register_profile("few", max_examples=25, derandomize=True, deadline=None, database=None)
settings.register_profile("many", max_examples=2500, deadline=None, print_blob=True)
settings.load_profile("few")

ROUNDING = {
    "test_choices",
    "test_cv_of_networks",
    "test_dependent_columns",
    "test_dependent_columns_of_groups",
    "test_lasso",
    "test_moving_penalty",
    "test_networks_and_folds_given",
    "test_panoc",
    "test_paths_at_the_edges",
    "test_paths_linear",
    "test_paths_networks",
    "test_reference_solutions",
    "test_sample_weight",
    "test_solutions_of_scikit_learn",
    "test_stability_of_networks",
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


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, also where a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
