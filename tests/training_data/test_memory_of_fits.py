"""A fit keeps no copy of the data: the highest memory of a fresh process hardly rises."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="the highest memory of a process is read on POSIX alone")

SCRIPT = """
import json, resource, sys, warnings
import numpy as np
from skmlp import RegularizedMLPRegressor

def peak_bytes():
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

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
