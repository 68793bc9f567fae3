"""A fit keeps no copy of the data: the highest memory of a fresh process hardly rises."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform not in ("linux", "darwin"), reason="reads the highest memory of a process"
)

SCRIPT = """
import json, resource, sys, warnings
import numpy as np
from skmlp import RegularizedMLPRegressor

def peak_bytes():
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = open("/proc/self/status").read()  # ru_maxrss is no less than the parent's on Linux
    return 1024 * int(status.split("VmHWM:")[1].split()[0])

warnings.simplefilter("ignore")
params = json.loads(sys.argv[1])
model = RegularizedMLPRegressor(max_iter=1, random_state=0, **params)
rng = np.random.default_rng(0)
model.fit(rng.standard_normal((500, 50)), rng.standard_normal(500))  # loads what is loaded lazily
X = np.empty((200_000, 50))
rng.standard_normal(out=X)
before = peak_bytes()
model.fit(X, X[:, 0].copy())
print((peak_bytes() - before) / X.nbytes)
"""


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam", "hidden_layer_sizes": [8]},
        {"solver": "adam", "hidden_layer_sizes": [8], "early_stopping": True},
        {"solver": "lbfgs", "hidden_layer_sizes": [8]},
    ],
    ids=["adam", "early stopping", "lbfgs"],
)
def test_a_fit_adds_less_than_half_of_the_data(params):
    command = [sys.executable, "-c", SCRIPT, json.dumps(params)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    assert float(output) < 0.5


MANY_FITS = """
import warnings
import numpy as np
import psutil
from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.standard_normal((300, 40))
y = X[:, 0] * X[:, 1]
small = {"hidden_layer_sizes": 20, "max_iter": 2, "random_state": 0}
kinds = [
    (RegularizedMLPRegressor(**small), y),
    (RegularizedMLPRegressor(solver="lbfgs", l1_per_layer=0.01, **small), y),
    (RegularizedMLPRegressor(loss="quantile", early_stopping=True, **small), y),
    (RegularizedMLPClassifier(group_l1=0.01, alpha=0.1, **small), y > 0),
]

def grown(n_fits):
    before = psutil.Process().memory_info().rss
    for _ in range(n_fits // len(kinds)):
        for model, target in kinds:
            model.fit(X, target).predict(X)
    return psutil.Process().memory_info().rss - before

grown(200)
print(grown(1000) / X.nbytes)
"""


def test_a_thousand_fits_leave_nothing():
    """Less than the data of ten of them."""
    command = [sys.executable, "-c", MANY_FITS]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    assert float(output) < 10
