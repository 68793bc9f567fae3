"""
Which pixels tell digits apart
==============================

scikit-learn's digits, 1797 images of 8 x 8 pixels, half of them to train on. The group lasso of a
network with one hidden layer takes whole pixels out, more of them the stronger it is; the path goes
from most pixels to none. The heat maps are the norms of the weights that leave each pixel, white
where there are none. The networks without the penalty, on the pixels that are left, show how few of
these are enough.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmlp import default_classifier, regularization_path

digits = load_digits()
X, y = digits.data / 16, digits.target
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

network = default_classifier(hidden_layer_sizes=30, activation="tanh", tol=1e-2)
path = regularization_path(network, X_train, y_train, n_strengths=25, eps=3e-3, n_jobs=-1)
accuracy, refitted = (
    np.array([model.score(X_test, y_test) for model in models])
    for models in (path.models, path.relaxed_models)
)
for row in zip(path.strengths, path.n_features, accuracy, refitted, strict=True):
    print("strength {:.4f}: {:2d} pixels, test accuracy {:.3f}, refitted {:.3f}".format(*row))

fig = plt.figure(figsize=(11, 5.4), layout="constrained")
maps, below = fig.subfigures(2, 1, height_ratios=[1, 1.25])
axes = maps.subplots(1, 5)
axes[0].imshow(X_train.mean(axis=0).reshape(8, 8), cmap="gray_r")
axes[0].set_xlabel("mean image")
colours = plt.get_cmap("viridis_r").with_extremes(bad="white")
for ax, wanted in zip(axes[1:], (50, 35, 20, 10), strict=True):
    k = np.abs(path.n_features - wanted).argmin()
    norms = np.linalg.norm(path.models[k].coefs_[0], axis=1)
    ax.imshow(np.where(norms > 0, norms, np.nan).reshape(8, 8), cmap=colours, vmin=0)
    ax.set_xlabel(f"{path.n_features[k]} pixels, accuracy {refitted[k]:.3f}")
for ax in axes:
    ax.set(xticks=[], yticks=[])

ax = below.subplots()
inside = path.n_features > 0
ax.plot(path.n_features[inside], accuracy[inside], "o-", label="under the group lasso")
ax.plot(path.n_features[inside], refitted[inside], "s--", label="refitted on its pixels")
ax.set(xlabel="pixels left", ylabel="accuracy on the other half")
ax.invert_xaxis()
ax.legend()

file = Path(__file__).parent / "figures" / "plot_digits.png"
file.parent.mkdir(exist_ok=True)
fig.savefig(file, dpi=110)
