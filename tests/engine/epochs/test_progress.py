"""Learning rates of epochs: the schedule's, times a factor in the closing phase."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer
from support.engine_tasks import task_of

from skmlp.engine.epochs.progress import Progress

pytestmark = pytest.mark.filterwarnings("ignore:Layers")
RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(50, 3)), RNG.normal(size=50)
MOMENTUM = 0.9


def progress(**params):
    fixed = {"solver": "sgd", "learning_rate_init": 0.1, "max_iter": 50, "tol": 0.0}
    task = task_of(X, y, **{**fixed, "n_iter_no_change": 1000, "l1_per_layer": 0.01, **params})
    return Progress(task, params.get("momentum", MOMENTUM))


def paces_of(own, losses):
    """The pace of each epoch, and what the schedule hands on after it."""
    paces, rates = [], []
    for loss in losses:
        if own.finished:
            break
        paces.append(own.pace)
        own.end_epoch(loss, None)
        rates.append(own.learning_rate)
    return paces, rates


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_closing_phase_keeps_the_step_of_the_averaged_gradient(schedule):
    """Momentum .99 and the schedule's rate, as scikit-learn's, times (1 - .99) / (1 - .9)."""
    own = progress(learning_rate=schedule)
    paces, rates = paces_of(own, np.linspace(2, 1, 50))
    reference, expected = SGDOptimizer([], 0.1, schedule, power_t=0.5), []
    for epoch in range(50):
        expected.append(reference.learning_rate)
        reference.iteration_ends(50 * (epoch + 1))
    assert len(paces) == 50
    for epoch, (pace, rate) in enumerate(zip(paces, expected, strict=True)):
        is_closing = epoch >= 40
        assert pace.momentum == (0.99 if is_closing else 0.9)
        step = rate / (1 - 0.9)
        assert pace.learning_rate / (1 - pace.momentum) == pytest.approx(step, rel=1e-12)
    assert rates[:-1] == pytest.approx(expected[1:], rel=1e-12)
    assert rates[-1] == pytest.approx(reference.learning_rate, rel=1e-12)


@pytest.mark.parametrize("momentum", [0.99, 0.995])
def test_longer_averages_than_those_of_the_closing_phase_stay(momentum):
    paces, rates = paces_of(progress(momentum=momentum), np.linspace(2, 1, 50))
    assert {tuple(pace) for pace in paces} == {(0.1, momentum)}
    assert set(rates) == {0.1}


def test_adaptive_rates_fall_before_the_closing_phase_alone():
    """A fifth each time that two epochs are no better than the best."""
    own = progress(learning_rate="adaptive", n_iter_no_change=1, max_iter=20)
    paces, rates = paces_of(own, np.linspace(1, 2, 20))
    lowered = [max(0, (epoch - 1) // 2) for epoch in range(16)]
    assert [p.learning_rate for p in paces[:16]] == pytest.approx([0.1 / 5**k for k in lowered])
    assert len(set(rates[15:])) == 1
    assert paces[16].learning_rate == pytest.approx(rates[15] / 10)


def test_rates_go_on_from_what_was_handed_on():
    own = progress(learning_rate="adaptive")
    own = Progress(replace(own.task, optimizer={"learning_rate": 0.004}, incremental=True), 0.9)
    assert own.pace == (0.004, 0.9)
    own.end_epoch(1.0, None)
    assert own.finished
    assert own.learning_rate == 0.004
