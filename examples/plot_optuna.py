"""
Optuna, a generation at a time
==============================

Optuna proposes settings and learns from their scores. Its ask-and-tell interface can propose a
whole generation before the first score is known; ``batched_fits()`` trains the cross-validation of
all its settings together. Here are 8 generations of 16 settings: strengths of both layers and the
learning rate, with five folds, 640 fits.
"""

import time
from contextlib import nullcontext
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import optuna
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, batched_fits

GENERATIONS, SIZE = 8, 16
X, y = load_diabetes(return_X_y=True)
folds = KFold(5, shuffle=True, random_state=0)
mlp = RegularizedMLPRegressor(hidden_layer_sizes=32, max_iter=100, random_state=0)
model = make_pipeline(StandardScaler(), mlp)

optuna.logging.set_verbosity(optuna.logging.WARNING)
sampler = optuna.samplers.TPESampler(seed=0, multivariate=True, constant_liar=True)
study = optuna.create_study(direction="maximize", sampler=sampler)
space = {
    "alpha": optuna.distributions.FloatDistribution(1e-3, 1e3, log=True),
    "learning_rate_init": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
    "activation": optuna.distributions.CategoricalDistribution(["relu", "tanh"]),
}


def scores(settings, block=batched_fits):
    """The mean R2 of each setting, all of them and their folds trained together."""
    grid = [
        {f"regularizedmlpregressor__{name}": [value] for name, value in params.items()}
        for params in settings
    ]
    with block():
        search = GridSearchCV(model, grid, cv=folds, refit=False).fit(X, y)
    return search.cv_results_["mean_test_score"]


found, start = [], time.perf_counter()
for generation in range(GENERATIONS):
    trials = [study.ask(space) for _ in range(SIZE)]
    found.append(scores([trial.params for trial in trials]))
    for trial, score in zip(trials, found[-1], strict=True):
        study.tell(trial, score)
    print(
        f"generation {generation + 1}: best R2 {max(found[-1]):.3f}, so far {study.best_value:.3f}"
    )
elapsed = time.perf_counter() - start
start = time.perf_counter()
again = scores([trial.params for trial in trials], nullcontext)
one_by_one = GENERATIONS * (time.perf_counter() - start)
assert np.array_equal(again, found[-1])
best = {name: v if isinstance(v, str) else f"{v:.2g}" for name, v in study.best_params.items()}
print(f"best: {best}")
n_fits = GENERATIONS * SIZE * folds.n_splits
print(f"{n_fits} fits in {elapsed:.1f} s, Optuna included")
print(f"one by one, as timed on the last generation, with equal scores: {one_by_one:.1f} s")

fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
generations = np.arange(1, GENERATIONS + 1)
for k, values in zip(generations, found, strict=True):
    ax.plot(np.full(SIZE, k), values, "o", color="#0072B2", alpha=0.5, markeredgewidth=0)
best_so_far = np.maximum.accumulate([max(values) for values in found])
ax.step(generations, best_so_far, where="mid", color="#D55E00", label="best so far")
low = np.quantile(np.concatenate(found), 0.1)
ax.set(xlabel="generation", ylabel="cross-validated R²", ylim=(low, best_so_far[-1] + 0.02))
ax.legend(frameon=False, loc="lower right")
ax.set_title(f"{SIZE} settings a generation, each generation trained at once", fontsize=11)

path = Path(__file__).parent / "figures" / "plot_optuna.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
