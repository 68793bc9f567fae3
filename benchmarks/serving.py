"""Latency of a fitted network as it is, and as scikit-learn's, torch's and ONNX's.

Each predicts one row and 1,000 rows, in one process in turn, on one thread; the time is that of the
processor, which other programs hardly touch. Then fresh interpreters that have imported numpy load
each from a file and predict one row: the seconds of that with all imports, and the file's size.

    python benchmarks/serving.py --repeats 15
"""

import argparse
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import skl2onnx
import torch
from _timing import calls_for, ignore_convergence, in_turn, one_thread, print_table

from skmlp import RegularizedMLPRegressor

NETWORKS = [(10, (32,)), (20, (100,)), (50, (256, 256))]
WAYS = ["skmlp", "to_sklearn()", "to_torch()", "onnxruntime"]
LOADS = {
    "skmlp": "import pickle; m = pickle.load(open({!r}, 'rb')); m.predict(X)",
    "to_sklearn()": "import pickle; m = pickle.load(open({!r}, 'rb')); m.predict(X)",
    "to_torch()": "import torch; m = torch.export.load({!r}).module(); m(torch.tensor(X))",
    "onnxruntime": "import onnxruntime; m = onnxruntime.InferenceSession({!r}); "
    "m.run(None, dict(X=X))",
}
FRESH = (
    "import time, numpy as np; X = np.ones((1, {}), np.float32); start = time.process_time(); {}; "
    "print(time.process_time() - start)"
)


def fitted(n_features, hidden):
    """A network of that size in float32; how well it fits does not matter here."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, n_features), dtype=np.float32)
    model = RegularizedMLPRegressor(hidden_layer_sizes=hidden, max_iter=1, random_state=0)
    return model.fit(X, X[:, 0] + X[:, 1] ** 2), X


def session(model, X):
    """onnxruntime's, on one thread, and the bytes of the graph."""
    graph = skl2onnx.to_onnx(model, X[:1]).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options), graph


def predictions(model, X):
    """The four ways, each of them a function of rows."""
    theirs, module, (onnx, _) = model.to_sklearn(), model.to_torch(), session(model, X)

    def by_torch(rows):
        with torch.inference_mode():
            return module(torch.from_numpy(rows)).numpy()

    return [model.predict, theirs.predict, by_torch, lambda rows: onnx.run(None, {"X": rows})]


def measure_latencies(repeats):
    for n_features, hidden in NETWORKS:
        model, X = fitted(n_features, hidden)
        ways = predictions(model, X)
        for rows in (X[:1], X):
            calls = [lambda way=way, rows=rows: way(rows) for way in ways]
            n_calls = max(calls_for(call) for call in calls)
            times = in_turn(calls, repeats, n_calls, time.process_time)
            shape = f"{n_features}, {'-'.join(map(str, hidden))}"
            yield [shape, len(rows), *(1e6 * statistics.median(t) for t in times)]


def write_files(folder, model, X):
    """The network as a file of each kind."""
    files = {way: str(Path(folder) / f"model{k}.pt2") for k, way in enumerate(WAYS)}
    Path(files["skmlp"]).write_bytes(pickle.dumps(model))
    Path(files["to_sklearn()"]).write_bytes(pickle.dumps(model.to_sklearn()))
    program = torch.export.export(model.to_torch(), (torch.from_numpy(X[:1]),))
    torch.export.save(program, files["to_torch()"])
    Path(files["onnxruntime"]).write_bytes(session(model, X)[1])
    return files


def measure_starts(repeats):
    """Seconds of the processor from a fresh interpreter with numpy to the first prediction."""
    n_features, hidden = NETWORKS[1]
    model, X = fitted(n_features, hidden)
    with tempfile.TemporaryDirectory() as folder:
        for way, file in write_files(folder, model, X).items():
            command = [sys.executable, "-c", FRESH.format(n_features, LOADS[way].format(file))]
            times = [
                float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
                for _ in range(repeats)
            ]
            yield [way, statistics.median(times), Path(file).stat().st_size / 1024]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--starts", type=int, default=5, help="repeats of the starts")
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    header = ["features, hidden", "rows", *(f"{way}, µs" for way in WAYS)]
    print_table(header, list(measure_latencies(args.repeats)))
    print()
    print_table(["from a file", "start, s", "file, KiB"], list(measure_starts(args.starts)))


if __name__ == "__main__":
    main()
