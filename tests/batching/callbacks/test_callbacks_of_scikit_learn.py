"""scikit-learn's own tests of estimators with callbacks, on ours in the place of its toy."""

import importlib

import numpy as np
import pytest

from skmlp import RegularizedMLPRegressor

THEIRS = "sklearn.callback.tests"
pytest.importorskip(f"{THEIRS}._utils")
pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(20, 2)), RNG.normal(size=20)


class OfEpochs(RegularizedMLPRegressor):
    """A network with the constructor and the data of the toy."""

    def __init__(self, max_iter=20, computation_intensity=0.001):
        no_end = {"n_iter_no_change": np.inf, "tol": 0.0, "activation": "tanh"}
        super().__init__(hidden_layer_sizes=(3,), max_iter=max_iter, random_state=0, **no_end)
        self.computation_intensity = computation_intensity

    def fit(self, X=None, y=None, sample_weight=None):
        X, y = DATA if X is None else (X, y)
        return super().fit(X, y, sample_weight)


class OfIterations(OfEpochs):
    """The same by lbfgs."""

    def __init__(self, max_iter=20, computation_intensity=0.001):
        super().__init__(max_iter, computation_intensity)
        self.solver = "lbfgs"


UTILS = importlib.import_module(f"{THEIRS}._utils")
KINDS = [UTILS.RecordingCallback, UTILS.RecordingAutoPropagatedCallback]
HOOKS = ["setup", "on_fit_task_begin", "on_fit_task_end", "teardown"]
TESTS = [
    *(("test_callback_support", "test_callback_error", (hook,)) for hook in HOOKS),
    ("test_callback_support", "test_teardown_matches_setup_calls_on_partial_setup_failure", ()),
    ("test_callback_support", "test_multiple_teardown_errors_are_grouped", ()),
    *(
        ("test_callback_support", "test_function_no_callback_support", (n_jobs, "threads", kind))
        for n_jobs in (1, 2)
        for kind in KINDS
    ),
    ("test_callback_support", "test_set_callback_empty", ()),
    *(("test_callback_context", "test_callback_hooks_called", (kind,)) for kind in KINDS),
    ("test_callback_context", "test_auto_propagated_callbacks", ()),
    ("test_callback_context", "test_propagate_callback_context_clean_up", ()),
    ("test_callback_context", "test_meta_estimator_callback_hooks_called", (1,)),
    (
        "test_callback_context",
        "test_meta_estimator_autopropagated_callback_hooks_called",
        (1,),
    ),
    ("test_scoring_monitor", "test_scoringmonitor_sample_weights", ()),
]


@pytest.mark.parametrize("ours", [OfEpochs, OfIterations])
@pytest.mark.parametrize("module, name, args", TESTS)
def test_theirs(module, name, args, ours, monkeypatch):
    module = importlib.import_module(f"{THEIRS}.{module}")
    monkeypatch.setattr(module, "MaxIterEstimator", ours)
    getattr(module, name)(*args)


@pytest.mark.parametrize("ours", [OfEpochs, OfIterations])
def test_contexts_are_removed_after_a_fit(ours):
    importlib.import_module(f"{THEIRS}.test_callback_context").test_callback_ctx_removed_after_fit(
        ours
    )


def test_scores_are_those_of_fits_that_end_there(monkeypatch):
    module = importlib.import_module(f"{THEIRS}.test_scoring_monitor")
    monkeypatch.setattr(module, "MaxIterEstimator", OfIterations)
    module.test_score_after_fit()


@pytest.mark.parametrize("bar", [True, False])
def test_estimators_are_pickled_with_their_callbacks(bar, monkeypatch):
    module = importlib.import_module(f"{THEIRS}.test_pickle")
    monkeypatch.setattr(module, "MaxIterEstimator", OfEpochs)
    factory = module._pb if bar else module._sm
    module.test_estimator_with_callback_pickle_roundtrip_pre_fit(factory)
    module.test_estimator_with_callback_pickle_roundtrip_post_fit(factory)


def test_progress_bars(capsys, monkeypatch):
    module = importlib.import_module(f"{THEIRS}.test_progressbar")
    module.test_progressbar(1, "threads", OfEpochs, None, capsys)
    monkeypatch.setattr(module, "MaxIterEstimator", OfEpochs)
    module.test_clone_after_fit()
