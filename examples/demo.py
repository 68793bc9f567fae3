"""
The main job: a regularised network on the diabetes data
========================================================

442 patients, ten measurements, and the progress of the disease a year later. The data are
standardised in a pipeline, cross-validation chooses the L1 strength of each layer and the layers
whose weights are held non-negative, and the choice predicts rows that it has never seen. Beside
it stand the lasso and ridge regression: on these few, noisy rows the network is no better.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import sem
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

X, y = load_diabetes(return_X_y=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
folds = KFold(5, shuffle=True, random_state=0)

mlp = RegularizedMLPRegressor(
    hidden_layer_sizes=10, activation="tanh", solver="lbfgs", alpha=1, max_iter=5000, random_state=0
)
strengths = [0, 0.001, 0.003, 0.01, 0.03, 0.1]
grid = {
    "regularizedmlpregressor__l1_per_layer": [*strengths, [0.01, 0.1], [0.1, 0.01]],
    "regularizedmlpregressor__positive_weights": [False, True, [True, False]],
}
search = GridSearchCV(make_pipeline(StandardScaler(), mlp), grid, cv=folds, n_jobs=-1)
search.fit(X_train, y_train)

results = search.cv_results_
mean, se = results["mean_test_score"], results["std_test_score"] / np.sqrt(folds.n_splits - 1)
candidates = [tuple(params.values()) for params in results["params"]]  # (L1, positive)
print("l1_per_layer   positive_weights   CV R2 ± SE     zeros by layer")
for k in np.argsort(-mean, kind="stable"):
    model = search.estimator.set_params(**results["params"][k]).fit(X_train, y_train)
    zeros = "  ".join(f"{share:4.0%}" for share in model[-1].sparsity_)
    l1, positive = map(str, candidates[k])
    print(f"{l1:14} {positive:18} {mean[k]:.3f} ± {se[k]:.3f}  {zeros}")

linear = [
    make_pipeline(StandardScaler(), LassoCV(cv=folds)).fit(X_train, y_train),
    make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 25))).fit(X_train, y_train),
]
print("\nmodel                     CV R2  test R2  test RMSE")
for model in (search.best_estimator_, *linear):
    cv_score = cross_val_score(model, X_train, y_train, cv=folds).mean()
    test_score, error = model.score(X_test, y_test), y_test - model.predict(X_test)
    name, rmse = type(model[-1]).__name__, np.sqrt(np.mean(error**2))
    print(f"{name:24} {cv_score:6.3f}  {test_score:7.3f}  {rmse:9.1f}")
print(f"(CV R2 of the network is the best of {len(candidates)} on the same folds: optimistic.)")
gap = (y_test - search.predict(X_test)) ** 2 - (y_test - linear[0].predict(X_test)) ** 2
print(f"Test squared error, network minus lasso: {gap.mean():.0f} ± {sem(gap):.0f} (SE)")

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
styles = {False: ("o-", "#0072B2", "any sign", 0.96), True: ("s--", "#D55E00", "all ≥ 0", 1.04)}
for positive, (style, color, label, shift) in styles.items():
    rows = [candidates.index((l1, positive)) for l1 in strengths[1:]]
    x = shift * np.array(strengths[1:])
    left.errorbar(x, mean[rows], se[rows], fmt=style, color=color, capsize=3, label=label)
left.set(xscale="log", xlabel="L1 strength of both layers", ylabel="cross-validated R² (± SE)")
left.legend(title="weights", frameon=False)

right.axline((150, 150), slope=1, color="0.6", linewidth=1)
right.plot(search.predict(X_test), y_test, "o", color="#0072B2", alpha=0.7, markeredgewidth=0)
right.set(xlabel="predicted progression", ylabel="observed progression")
right.set(xlim=(25, 350), ylim=(25, 350), aspect="equal")
right.set_title(f"{len(y_test)} held-out patients, R² = {search.score(X_test, y_test):.2f}")

path = Path(__file__).parent / "figures" / "demo.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
