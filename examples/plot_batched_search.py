"""
A whole search trained together
===============================

GridSearchCV over the L2 strength of a small network, five folds, with more and more candidates: one
fit after the other, on two processes (``n_jobs=2``), and inside ``batched_fits()``, where
scikit-learn prepares and scores each fit as always and all of them are trained by one call of the
engine. The scores are equal to the last bit.
"""

import time
from contextlib import nullcontext
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import ScalarFormatter
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, batched_fits

X, y = load_diabetes(return_X_y=True)
mlp = RegularizedMLPRegressor(
    hidden_layer_sizes=32, max_iter=100, n_iter_no_change=np.inf, random_state=0
)
model = make_pipeline(StandardScaler(), mlp)
name = "regularizedmlpregressor__alpha"


def search(n_candidates, block, n_jobs=None):
    """Seconds and mean scores of a search in a block."""
    grid = {name: np.logspace(-4, 3, n_candidates)}
    start = time.perf_counter()
    with block():
        found = GridSearchCV(model, grid, cv=5, n_jobs=n_jobs, refit=False).fit(X, y)
    return time.perf_counter() - start, found.cv_results_["mean_test_score"]


def on_processes():
    return batched_fits(backend="loky", n_jobs=2)


ways = {
    "one by one": (nullcontext, None),
    "n_jobs=2": (nullcontext, 2),
    "batched_fits()": (batched_fits, None),
    'batched_fits(backend="loky", n_jobs=2)': (
        lambda: batched_fits(backend="loky", n_jobs=2),
        None,
    ),
}
for way in ways.values():  # imports, worker processes
    search(2, *way)

numbers = [2, 5, 10, 20, 40, 80, 160]
seconds = {label: [] for label in ways}
print("candidates  " + "  ".join(ways))
for n_candidates in numbers:
    results = {label: search(n_candidates, *way) for label, way in ways.items()}
    scores = [mean for _, mean in results.values()]
    assert all(np.array_equal(scores[0], other) for other in scores[1:])
    for label, (elapsed, _) in results.items():
        seconds[label].append(elapsed)
    print(f"{n_candidates:10}  " + "  ".join(f"{t:{len(k)}.2f}" for k, (t, _) in results.items()))

fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
styles = [("o-", "#000000"), ("s--", "#0072B2"), ("D-", "#D55E00"), ("^-.", "#009E73")]
for (label, times), (style, color) in zip(seconds.items(), styles, strict=True):
    ax.plot(numbers, times, style, color=color, label=label)
ax.set(xscale="log", yscale="log", xlabel="candidates (five fits each)", ylabel="seconds")
ax.set_xticks(numbers, numbers, minor=False)
ax.minorticks_off()
ax.yaxis.set_major_formatter(ScalarFormatter())
ax.grid(alpha=0.3)
ax.legend(frameon=False)
ax.set_title("The same search, the same scores (442 rows, 32 hidden units)", fontsize=11)

path = Path(__file__).parent / "figures" / "plot_batched_search.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
