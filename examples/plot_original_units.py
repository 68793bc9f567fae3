"""
Predicting in original units
============================

Nobody has to standardise y: with ``normalize_y=True``, the default, the network trains on
standardised targets and publishes weights in the units of y. Measured in thousands, in millionths
or from another zero, the same y gives the same predictions. MLPRegressor trains on y as it comes,
so its steps, its penalty and its stopping rule depend on the units; there the remedy is
TransformedTargetRegressor.
"""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

X, y = load_diabetes(return_X_y=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
units = {"y": (1, 0), "y / 1000": (1e-3, 0), "1,000,000 y": (1e6, 0), "y + 10,000": (1, 1e4)}
settings = {"early_stopping": True, "n_iter_no_change": 50, "learning_rate_init": 0.01}

# MLPRegressor is still on its way to a mean of 10,000 after 3000 epochs: that is the finding.
warnings.filterwarnings("ignore", ".*Maximum iterations", ConvergenceWarning, "sklearn.neural_net")

fig, axes = plt.subplots(2, 4, figsize=(10, 5.4), sharex=True, sharey=True, layout="constrained")
print("estimator                trained on    epochs   test R2   largest change of a prediction")
for row, estimator in zip(axes, (RegularizedMLPRegressor, MLPRegressor), strict=True):
    first = None
    for ax, (unit, (scale, shift)) in zip(row, units.items(), strict=True):
        model = make_pipeline(
            StandardScaler(), estimator(max_iter=3000, random_state=0, **settings)
        )
        model.fit(X_train, scale * y_train + shift)
        predicted = (model.predict(X_test) - shift) / scale
        first = predicted if first is None else first
        score = model.score(X_test, scale * y_test + shift)
        change = np.abs(predicted - first).max()
        name, epochs = estimator.__name__, model[-1].n_iter_
        print(f"{name:24} {unit:12} {epochs:7} {score:9.3f}   {change:.1e}")
        ax.axline((150, 150), slope=1, color="0.6", linewidth=1)
        ax.plot(predicted, y_test, "o", color="#0072B2", markersize=4, alpha=0.7, markeredgewidth=0)
        ax.set_title(f"trained on {unit}\nR² = {score:.2f}", fontsize=10)
    row[0].set_ylabel(f"{name}\nobserved y")
axes[0, 0].set(xlim=(-30, 360), ylim=(0, 360))
fig.supxlabel("predicted, in the units of y", fontsize=10)

path = Path(__file__).parent / "figures" / "plot_original_units.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
