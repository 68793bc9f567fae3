"""
Exact zeros, layer by layer
===========================

The same network, the same L1 penalty and the same data, trained twice with Adam. With the
proximal steps of skmlp most weights of every layer become exactly zero (hatched). With the penalty
in the loss, as a plain PyTorch program has it, its subgradient makes many weights small, but none
of them zero: the colours are on a logarithmic scale.
"""

from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LogNorm
from sklearn.datasets import make_friedman1

from skmlp import RegularizedMLPRegressor

L1, UNITS, EPOCHS = 0.01, (12, 6), 500
X, y = make_friedman1(n_samples=500, n_features=10, noise=1.0, random_state=0)
X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()

mlp = RegularizedMLPRegressor(
    hidden_layer_sizes=UNITS,
    activation="tanh",
    alpha=0,
    l1_per_layer=L1,
    learning_rate_init=0.01,
    batch_size=100,
    max_iter=EPOCHS,
    random_state=0,
).fit(X, y)


def train_by_subgradient(X, y):
    """The weight matrices after Adam on loss + L1 * sum |w|, and that objective on all rows."""
    torch.manual_seed(0)
    X, y = torch.tensor(X), torch.tensor(y)[:, None]
    sizes = (X.shape[1], *UNITS, 1)
    layers = [torch.nn.Linear(*pair, dtype=X.dtype) for pair in pairwise(sizes)]
    net = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1], torch.nn.Tanh(), layers[2])
    adam = torch.optim.Adam(net.parameters(), lr=0.01)

    def objective(rows):
        penalty = sum(layer.weight.abs().sum() for layer in layers)
        return 0.5 * (net(X[rows]) - y[rows]).square().mean() + L1 * penalty

    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X)).split(100):
            adam.zero_grad()
            objective(rows).backward()
            adam.step()
    return [layer.weight.detach().numpy().T for layer in layers], objective(slice(None)).item()


proximal, subgradient = (mlp.coefs_, mlp.objective_), train_by_subgradient(X, y)
fits = {"proximal (skmlp)": proximal, "subgradient (PyTorch)": subgradient}
fig, axes = plt.subplots(2, 3, figsize=(8, 6.4), layout="constrained", width_ratios=[12, 6, 2.2])
names = ["x10 … x1", "hidden layer 1", "hidden layer 2", "output"]
for row, (method, (coefs, objective)) in zip(axes, fits.items(), strict=True):
    print(f"{method}: objective {objective:.4f}")
    for k, (ax, coef) in enumerate(zip(row, coefs, strict=True)):
        n_zero = np.count_nonzero(coef == 0)
        print(f"  layer {k + 1}: {n_zero:3} of {coef.size:3} weights are exactly zero")
        size = np.ma.masked_equal(np.abs(coef), 0)
        ax.patch.set(facecolor="white", edgecolor="0.75", hatch="////")
        image = ax.pcolormesh(size, cmap="viridis_r", norm=LogNorm(1e-5, 1), edgecolor="w", lw=0.4)
        ax.set(xticks=[], yticks=[], xlabel=names[k + 1], ylabel=names[k])
        ax.set_title(f"{n_zero} of {coef.size} zero", fontsize=10)
        ax.invert_yaxis()
    row[0].set_title(f"{method}: {row[0].get_title()}", fontsize=10)
fig.colorbar(image, ax=axes, label="|weight|  (hatched: exactly 0)", extend="both")

path = Path(__file__).parent / "figures" / "plot_exact_zeros.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
