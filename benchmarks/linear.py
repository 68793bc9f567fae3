"""Time of linear models: ``solver='lbfgs'`` without hidden layers, and coordinate descent.

For each problem scikit-learn's ``tol`` is the loosest power of ten whose coefficients are within
1e-8 of the solution, relative to the largest: the accuracy skmlp is held to as well. Then both are
timed in turn, on one thread. Coordinate descent may work on X or on the Gram matrix: the ratio is
to the faster of the two, the ratio in brackets to ``precompute=False``, the default.

    python benchmarks/linear.py --data diabetes 1000x200 --repeats 50
"""

import argparse
import statistics
import warnings
from functools import partial

import numpy as np
from _timing import calls_for, ignore_convergence, in_turn, median_ratio, one_thread, print_table
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

ACCURACY = 1e-8
TOLERANCES = [10.0**-k for k in range(4, 15)]
STRENGTHS = [0.5, 0.1, 0.01]
MODELS = {  # l1_ratio, positive
    "Lasso": (1.0, False),
    "ElasticNet": (0.5, False),
    "Lasso, positive": (1.0, True),
}


def diabetes(standardised):
    X, y = load_diabetes(return_X_y=True)
    return (StandardScaler().fit_transform(X) if standardised else X), y


def random_problem(n_samples, n_features):
    return make_regression(
        n_samples, n_features, n_informative=min(20, n_features), noise=10.0, random_state=0
    )


DATA = {
    "diabetes": partial(diabetes, False),
    "diabetes, standardised": partial(diabetes, True),
    "1000x200": partial(random_problem, 1000, 200),
    "5000x100": partial(random_problem, 5000, 100),
    "200x1000": partial(random_problem, 200, 1000),
    "20000x50": partial(random_problem, 20000, 50),
}


def largest_l1(X, y, positive):
    """The smallest L1 strength at which all coefficients are zero."""
    cross = (X - X.mean(axis=0)).T @ (y - y.mean()) / len(y)
    return (cross if positive else np.abs(cross)).max()


def solution(X, y, alpha, l1_ratio, positive):
    """The coefficients to rounding: the closed form on the support of coordinate descent's."""
    rough = coordinate_descent(alpha, l1_ratio, positive, 1e-15).fit(X, y).coef_
    support, coef = np.flatnonzero(rough), np.zeros_like(rough)
    X, y = X[:, support] - X[:, support].mean(axis=0), y - y.mean()
    gram = X.T @ X / len(y) + alpha * (1 - l1_ratio) * np.eye(support.size)
    cross = X.T @ y / len(y) - alpha * l1_ratio * np.sign(rough[support])
    coef[support] = np.linalg.solve(gram, cross)
    if relative_error(coef, rough) > 1e-4 or not np.array_equal(np.sign(coef), np.sign(rough)):
        raise RuntimeError("coordinate descent has not found the support")
    return coef


def coordinate_descent(alpha, l1_ratio, positive, tol, precompute=False):
    return ElasticNet(
        alpha=alpha,
        l1_ratio=l1_ratio,
        positive=positive,
        tol=tol,
        precompute=precompute,
        max_iter=20_000,
    )


def ours(n_samples, alpha, l1_ratio, positive):
    """skmlp's parameters for the same problem; its L2 strength is divided by n_samples."""
    return RegularizedMLPRegressor(
        hidden_layer_sizes=(),
        solver="lbfgs",
        normalize_y=False,
        l1_per_layer=alpha * l1_ratio,
        alpha=alpha * (1 - l1_ratio) * n_samples,
        positive_weights=positive,
    )


def relative_error(coef, reference):
    return np.abs(coef - reference).max() / np.abs(reference).max()


def loosest(X, y, problem, reference, precompute):
    """(model, its tol) of coordinate descent with the largest sufficient ``tol``, or None."""
    for tol in TOLERANCES:
        model = coordinate_descent(*problem, tol, precompute)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                model.fit(X, y)
            except ConvergenceWarning:
                continue
        if relative_error(model.coef_, reference) <= ACCURACY:
            return model, tol
    return None


def measure(data, name, strength, repeats):
    """One row of the table, and the ratio of times."""
    X, y = DATA[data]()
    l1_ratio, positive = MODELS[name]
    alpha = strength * largest_l1(X, y, positive) / l1_ratio
    problem = alpha, l1_ratio, positive
    reference = solution(X, y, *problem)
    found = [loosest(X, y, problem, reference, precompute) for precompute in (False, True)]
    rivals = [f[0] for f in found if f]
    if not found[0]:
        raise RuntimeError(f"{data}, {name}: coordinate descent does not reach {ACCURACY:g}")
    model = ours(len(X), *problem)
    fits = [partial(m.fit, X, y) for m in [model, *rivals]]
    times = in_turn(fits, repeats, calls_for(fits[0]))
    error = relative_error(model.coefs_[0][:, 0], reference)
    fastest = min(times[1:], key=statistics.median)
    ratio, default_ratio = median_ratio(times[0], fastest), median_ratio(times[0], times[1])
    milliseconds = [1e3 * statistics.median(t) for t in (times[0], times[1], fastest)]
    row = [data, name, f"{strength:g}", np.count_nonzero(reference), f"{found[0][1]:.0e}"]
    return [*row, *milliseconds, f"{ratio:.2f} ({default_ratio:.2f})", f"{error:.0e}"], ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--target", type=float, default=5.0, help="ratio to report above")
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    rows, ratios = zip(
        *(
            measure(data, model, strength, args.repeats)
            for data in args.data
            for model in MODELS
            for strength in STRENGTHS
        ),
        strict=True,
    )
    header = ["data", "model", "l1 / largest", "non-zeros", "tol", "skmlp, ms", "default, ms"]
    print_table([*header, "fastest, ms", "skmlp / sklearn", "skmlp's error"], rows)
    above = sum(ratio > args.target for ratio in ratios)
    print(f"\nRatio: median {statistics.median(ratios):.2f}, largest {max(ratios):.2f}; ", end="")
    print(f"above {args.target:g} in {above} of {len(ratios)}")


if __name__ == "__main__":
    main()
