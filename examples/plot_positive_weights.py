"""
Non-negative weights: a response that can only rise
===================================================

Sixty noisy observations of a dose response that rises and levels off; the L2 strength of every
network is cross-validated. Well tuned, a free network comes as close to the truth, but its curve
falls in places. With ``positive_weights=True`` it cannot, whatever the data, and weights become
exact zeros, as in non-negative least squares. Mind the activation: all-positive networks of ReLU
units are convex, so they cannot level off; those of tanh units can.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from skmlp import RegularizedMLPRegressor

rng = np.random.default_rng(0)


def response(dose):
    return dose**3 / (2**3 + dose**3)


dose = rng.uniform(0, 8, size=(60, 1))
y = response(dose.ravel()) + rng.normal(scale=0.15, size=60)
grid = np.linspace(0, 8, 401)[:, None]
truth = response(grid.ravel())
folds = KFold(5, shuffle=True, random_state=0)

models = {
    "tanh, any sign": ("tanh", False, "-.", "#009E73"),
    "ReLU, non-negative": ("relu", True, "--", "#D55E00"),
    "tanh, non-negative": ("tanh", True, "-", "#0072B2"),
}
fig, ax = plt.subplots(figsize=(7, 4.4), layout="constrained")
ax.plot(dose, y, "o", color="0.7", markersize=4, label="observations")
ax.plot(grid, truth, color="black", linewidth=1, label="true response")
print("weights               L2  error of the curve  steps down  exact zeros")
for name, (activation, positive, style, color) in models.items():
    mlp = RegularizedMLPRegressor(
        hidden_layer_sizes=20,
        activation=activation,
        solver="lbfgs",
        positive_weights=positive,
        max_iter=10000,
        random_state=0,
    )
    search = GridSearchCV(mlp, {"alpha": [0.01, 0.1, 1, 10]}, cv=folds).fit(dose, y)
    mlp = search.best_estimator_
    curve = mlp.predict(grid)
    error = np.sqrt(np.mean((curve - truth) ** 2))
    falls = np.count_nonzero(np.diff(curve) < 0)
    zeros = sum(np.count_nonzero(coef == 0) for coef in mlp.coefs_)
    size = sum(coef.size for coef in mlp.coefs_)
    print(f"{name:18} {mlp.alpha:5} {error:19.3f} {falls:11} {zeros:6} of {size}")
    ax.plot(grid, curve, style, color=color, linewidth=2, label=name)
ax.set(xlabel="dose", ylabel="response")
ax.legend(frameon=False, loc="lower right")

path = Path(__file__).parent / "figures" / "plot_positive_weights.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
