"""Time of linear models of other losses: ``solver='lbfgs'``, and scikit-learn's own solvers.

For each problem the ``tol`` of either is the loosest power of ten whose coefficients are within
1e-6 of the solution, relative to the largest. Then all are timed in turn, on one thread. The ratio
is to the faster of scikit-learn's lbfgs and newton-cholesky; QuantileRegressor has one solver.

    python benchmarks/families.py --data 1000x20 --repeats 15
"""

import argparse
import statistics
import warnings
from functools import partial

import numpy as np
from _timing import calls_for, ignore_convergence, in_turn, median_ratio, one_thread, print_table
from scipy import sparse
from sklearn.linear_model import QuantileRegressor, TweedieRegressor

from skmlp import RegularizedMLPRegressor

ACCURACY = 1e-6
TOLERANCES = [10.0**-k for k in range(2, 14)]
SHAPES = {  # rows, features, share of non-zeros
    "1000x20": (1000, 20, 1.0),
    "10000x50": (10000, 50, 1.0),
    "500x200": (500, 200, 1.0),
    "5000x200 sparse": (5000, 200, 0.05),
}
FAMILIES = {  # power of the variance, alpha of scikit-learn
    "Poisson": (1, 1e-2),
    "Tweedie 1.5": (1.5, 1e-2),
    "gamma": (2, 1e-2),
    "Poisson, alpha=0": (1, 0.0),
}
QUANTILES = {"quantile": 2e-3, "quantile, alpha=0": 0.0}
LARGEST_QUANTILE = 6000  # rows: QuantileRegressor takes minutes beyond


def problem(shape):
    """X, a mean of each row, and noise of mean one."""
    n_samples, n_features, density = SHAPES[shape]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    X *= rng.uniform(size=X.shape) < density
    mean = np.exp(0.3 * X[:, :5].sum(1) - 0.5 * X[:, 5] + 1)
    return (X if density == 1 else sparse.csr_array(X)), mean, rng


def response(power, mean, rng):
    """y of a Tweedie family of a mean."""
    if power == 2:
        return mean * rng.gamma(2.0, 0.5, len(mean))
    counts = rng.poisson(mean).astype(float)
    return counts if power == 1 else counts * rng.gamma(2.0, 0.5, len(mean))


def coefficients(model):
    return model.coef_ if hasattr(model, "coef_") else model.coefs_[0][:, 0]


def relative_error(model, reference):
    return np.abs(coefficients(model) - reference).max() / np.abs(reference).max()


def loosest(make, X, y, reference):
    """The model with the largest sufficient ``tol``, fitted, or None."""
    for tol in TOLERANCES:
        model = make(tol)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y)
        if relative_error(model, reference) <= ACCURACY:
            return model
    return None


def tweedie(power, alpha, solver, tol):
    return TweedieRegressor(
        power=power, alpha=alpha, link="log", solver=solver, tol=tol, max_iter=10_000
    )


def ours(loss, n_samples, alpha, tol, **params):
    """skmlp's parameters for the same problem; its L2 strength is divided by n_samples."""
    return RegularizedMLPRegressor(
        loss, (), solver="lbfgs", normalize_y=False, alpha=alpha * n_samples, tol=tol,
        max_iter=10_000, random_state=0, **params,
    )  # fmt: skip


def rivals_of(family, X, mean, rng):
    """(y, reference, our model by its tol, scikit-learn's by theirs) of a family."""
    n_samples = len(mean)
    if family in QUANTILES:
        alpha, y = QUANTILES[family], np.log(mean) + rng.standard_t(3, n_samples)
        theirs = [lambda tol: QuantileRegressor(alpha=alpha, quantile=0.3)]
        model = partial(ours, "quantile", n_samples, 0.0, quantile=0.3, l1_per_layer=alpha)
        return y, theirs[0](0).fit(X, y).coef_, model, theirs
    power, alpha = FAMILIES[family]
    y = response(power, mean, rng)
    theirs = [partial(tweedie, power, alpha, solver) for solver in ("lbfgs", "newton-cholesky")]
    reference = theirs[1](1e-13).fit(X, y).coef_
    return y, reference, partial(ours, "tweedie", n_samples, alpha, power=power), theirs


def measure(shape, family, repeats):
    """One row of the table, and the ratio of times."""
    X, mean, rng = problem(shape)
    y, reference, model, theirs = rivals_of(family, X, mean, rng)
    found = [loosest(make, X, y, reference) for make in (model, *theirs)]
    if found[0] is None or not any(found[1:]):
        raise RuntimeError(f"{shape}, {family}: coefficients do not reach {ACCURACY:g}")
    models = [one for one in found if one is not None]
    fits = [partial(one.fit, X, y) for one in models]
    times = in_turn(fits, repeats, calls_for(fits[0]))
    fastest = min(times[1:], key=statistics.median)
    ratio = median_ratio(times[0], fastest)
    milliseconds = [1e3 * statistics.median(t) for t in (times[0], fastest)]
    rival = models[1 + times[1:].index(fastest)]
    row = [shape, family, getattr(rival, "solver", ""), models[0].n_iter_, *milliseconds]
    return [*row, f"{ratio:.2f}", f"{relative_error(models[0], reference):.0e}"], ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--data", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--target", type=float, default=5.0, help="ratio to report above")
    args = parser.parse_args()
    one_thread()
    ignore_convergence()
    rows, ratios = zip(
        *(
            measure(shape, family, args.repeats)
            for shape in args.data
            for family in (*FAMILIES, *QUANTILES)
            if family in FAMILIES or SHAPES[shape][0] <= LARGEST_QUANTILE
        ),
        strict=True,
    )
    header = ["data", "family", "scikit-learn's solver", "steps", "skmlp, ms", "fastest, ms"]
    print_table([*header, "skmlp / sklearn", "skmlp's error"], rows)
    above = sum(ratio > args.target for ratio in ratios)
    print(f"\nRatio: median {statistics.median(ratios):.2f}, largest {max(ratios):.2f}; ", end="")
    print(f"above {args.target:g} in {above} of {len(ratios)}")


if __name__ == "__main__":
    main()
