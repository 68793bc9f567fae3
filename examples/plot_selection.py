"""
Feature selection with a network
================================

Friedman's first function depends on five features, through a sine of a product, a square and two
slopes; twenty more are noise. The adaptive group lasso of the network selects features, and
cross-validation compares networks of them without that penalty, smooth by another. Beside it the
lasso, which sees slopes alone. Then the same question asked of halves of the data, a hundred times:
which features are selected again and again (stability selection)?
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.linear_model import LassoCV
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV, default_network, stability_selection

N_TRAIN, N_FEATURES, N_TRUE = 500, 25, 5
X, y = make_friedman1(n_samples=1500, n_features=N_FEATURES, noise=1.0, random_state=0)
X = StandardScaler().fit(X[:N_TRAIN]).transform(X)
train, test = slice(None, N_TRAIN), slice(N_TRAIN, None)

network = RegularizedMLPRegressorCV().fit(X[train], y[train])
lasso = LassoCV().fit(X[train], y[train])
stable = stability_selection(
    default_network(tol=1e-2),
    X[train],
    y[train],
    n_subsamples=100,
    max_false=2.5,
    random_state=0,
)
for name, model, support in (
    ("network", network, network.get_support()),
    ("lasso", lasso, lasso.coef_ != 0),
):
    found = ", ".join(f"x{j + 1}" for j in np.flatnonzero(support))
    print(f"{name}: test R2 {model.score(X[test], y[test]):.3f} with {found}")
print("stable:", ", ".join(f"x{j + 1}" for j in stable.selected_features))

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
lines = [
    (left, network.path_.strengths, network.path_.feature_norms, "norm of the feature's weights"),
    (right, stable.strengths, stable.frequency, "share of halves that select it"),
]
for ax, strengths, values, title in lines:
    values = values / values.max()
    ax.plot(strengths, values[:, N_TRUE:], color="0.7", linewidth=0.8)
    for j, dash in enumerate(("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))):
        ax.plot(strengths, values[:, j], linestyle=dash, color=f"C{j}", label=f"x{j + 1}")
    ax.set(xscale="log", xlabel="strength of group_l1", title=title)
left.axvline(network.strength_, color="k", linewidth=0.8)
left.set_ylabel("relative to the largest")
right.axhline(stable.threshold, color="k", linewidth=0.8)
right.axvspan(stable.strengths[stable.start], stable.strengths[-1], color="0.9", zorder=0)
left.legend(title="true features", loc="upper right")

path = Path(__file__).parent / "figures" / "plot_selection.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=110)
