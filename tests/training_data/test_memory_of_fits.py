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
