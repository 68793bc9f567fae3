"""Time of cross-validated linear models with more columns than rows, and coordinate descent's.

100 strengths from the largest to a hundredth of it, five folds, one thread, both in turn in one
process: ``RegularizedMLPRegressorCV`` without hidden layers, and LassoCV, ElasticNetCV (half L1)
or MultiTaskLassoCV (three outputs, dense X only). Coordinate descent's ``tol`` is the loosest power
of ten whose path on all data is within 1e-6 of the solutions, relative to the largest coefficient.
Columns of a dense X are correlated; a sparse one holds counts of words whose frequencies fall as
one over their rank. Where celer is installed the same six paths by it, to a relative gap of 1e-8,
take a column too.

    python benchmarks/wide_linear.py --shapes 60x300 200x2000 --models Lasso --repeats 5
"""

import argparse
import statistics
import sys
import warnings
from functools import partial

import numpy as np
from _timing import ignore_convergence, in_turn, median_ratio, one_thread, print_table
from scipy import sparse
from sklearn.linear_model import (
    ElasticNetCV,
    LassoCV,
    MultiTaskElasticNet,
    MultiTaskLassoCV,
    enet_path,
)
from sklearn.model_selection import KFold

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV

ACCURACY = 1e-6
TOLERANCES = [10.0**-k for k in range(4, 13)]
N_STRENGTHS, EPS = 100, 1e-2
DENSE = "60x300 100x500 200x500 100x1000 200x2000 300x3000 150x5000 300x10000 200x20000 500x20000"
SPARSE = "60x300 100x600 200x800 400x1500 200x2000 300x3000 400x5000 300x10000 300x20000 500x20000"
SHAPES = [*DENSE.split(), *(f"{shape} sparse" for shape in SPARSE.split())]
MODELS = {"Lasso": 1.0, "ElasticNet": 0.5, "MultiTaskLasso": 1.0}  # l1_ratio


def problem(shape, n_outputs):
    """X and y of a shape such as '60x300' or '400x1500 sparse'."""
    n, p = map(int, shape.split()[0].split("x"))
    rng = np.random.default_rng(0)
    if shape.endswith("sparse"):
        frequency = np.minimum(30 / np.arange(1, p + 1) / np.log(p), 0.5)
        X = rng.poisson(np.broadcast_to(frequency, (n, p))).astype(float)
        X[:, ~X.any(axis=0)] = rng.random((n, (~X.any(axis=0)).sum())) < 2 / n
    else:
        X = rng.normal(size=(n, p))
        X = X + 0.7 * np.roll(X, 1, axis=1) + 0.5 * rng.normal(size=(n, 1))
    B = np.zeros((p, n_outputs))
    B[rng.choice(min(p, 300), 15, replace=False)] = rng.normal(size=(15, n_outputs))
    y = X @ B
    y += 0.5 * y.std(axis=0) * rng.normal(size=y.shape)
    X = sparse.csr_matrix(X) if shape.endswith("sparse") else X
    return X, y if n_outputs > 1 else y[:, 0]


def ours(l1_ratio):
    linear = RegularizedMLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, normalize_y=False
    )
    return RegularizedMLPRegressorCV(
        linear, n_strengths=N_STRENGTHS, eps=EPS, l1_ratio=l1_ratio, relaxed=False, cv=KFold(5)
    )


def rival(name, tol):
    grid = {"alphas": N_STRENGTHS, "eps": EPS, "tol": tol, "cv": KFold(5), "max_iter": 100_000}
    if name == "MultiTaskLasso":
        return MultiTaskLassoCV(**grid)
    return LassoCV(**grid) if name == "Lasso" else ElasticNetCV(l1_ratio=MODELS[name], **grid)


def path_of_rival(name, tol, X, y, strengths):
    """Its coefficients (n_strengths, n_features, n_outputs) on all data, from warm starts."""
    if name == "MultiTaskLasso":
        model = MultiTaskElasticNet(l1_ratio=1.0, tol=tol, max_iter=100_000, warm_start=True)
        fits = [model.set_params(alpha=s).fit(X, y).coef_.T.copy() for s in strengths[::-1]]
        return np.array(fits)[::-1]
    mean = np.asarray(X.mean(axis=0)).ravel()
    centred = {"X_offset": mean, "X_scale": np.ones(len(mean))} if sparse.issparse(X) else {}
    X = X.tocsc() if centred else np.asfortranarray(X - mean)
    _, coefs, _ = enet_path(
        X,
        y - y.mean(),
        l1_ratio=MODELS[name],
        alphas=strengths,
        tol=tol,
        max_iter=100_000,
        check_input=not centred,
        **centred,
    )
    return coefs[:, ::-1].T[:, :, None]


def loosest(name, X, y, model):
    """The largest ``tol`` that is accurate enough, and the error there."""
    reference = np.array([coefs[0] for coefs in model.path_.coefs])
    for tol in TOLERANCES:
        coefs = path_of_rival(name, tol, X, y, model.strengths_)
        error = np.abs(coefs - reference).max() / np.abs(reference).max()
        if error <= ACCURACY:
            break
    return tol, error


def celer_paths(X, y, strengths):
    """celer's paths of all data and of the folds as a function to time, or None."""
    try:
        from celer import celer_path
    except ImportError:
        return None

    def run():
        for rows in (slice(None), *(rows for rows, _ in KFold(5).split(X))):
            part, target = X[rows], y[rows] - y[rows].mean()
            if sparse.issparse(part):
                part, centred = part.tocsc(), {"X_offset": np.asarray(part.mean(axis=0)).ravel()}
                centred |= {"X_scale": np.ones(part.shape[1])}
            else:
                part, centred = np.asfortranarray(part - part.mean(axis=0)), {}
            celer_path(part, target, "lasso", alphas=strengths[::-1], tol=1e-8, **centred)

    return run


def measure(shape, name, repeats):
    """One row of the table, and the ratio of times."""
    X, y = problem(shape, 3 if name == "MultiTaskLasso" else 1)
    model = ours(MODELS[name])
    tol, error = loosest(name, X, y, model.fit(X, y))
    other = rival(name, tol)
    fits = [partial(model.fit, X, y), partial(other.fit, X, y)]
    celer = celer_paths(X, y, model.strengths_) if name == "Lasso" else None
    times = in_turn([*fits, *([celer] if celer else [])], repeats)
    ratio = median_ratio(times[0], times[1])
    same = np.isclose(model.strength_, other.alpha_, rtol=1e-6)
    seconds = [statistics.median(t) for t in times]
    row = [shape, name, f"{tol:.0e}", f"{error:.0e}", int(model.n_features_path_[0])]
    row += [*seconds[:2], f"{ratio:.2f}", "yes" if same else "no"]
    row += [seconds[2] if celer else "-"]
    print(*row, file=sys.stderr, flush=True)
    return row, ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shapes", nargs="+", default=SHAPES, choices=SHAPES)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--target", type=float, default=3.0, help="ratio to report above")
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    warnings.simplefilter("ignore")
    rows, ratios = zip(
        *(
            measure(shape, name, args.repeats)
            for shape in args.shapes
            for name in args.models
            if not (shape.endswith("sparse") and name == "MultiTaskLasso")
        ),
        strict=True,
    )
    header = ["shape", "model", "tol", "its error", "features", "skmlp, s", "sklearn, s"]
    print_table([*header, "skmlp / sklearn", "same choice", "celer, s"], rows)
    above = sum(ratio > args.target for ratio in ratios)
    print(f"\nRatio: median {statistics.median(ratios):.2f}, largest {max(ratios):.2f}; ", end="")
    print(f"above {args.target:g} in {above} of {len(ratios)}")


if __name__ == "__main__":
    main()
