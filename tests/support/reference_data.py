"""The data sets of the reference numbers of R's glmnet, scikit-learn and SciPy."""

from functools import partial

import numpy as np
from sklearn.datasets import load_diabetes, make_regression


def diabetes():
    return load_diabetes(return_X_y=True)


def standardized_diabetes():
    X, y = diabetes()
    return (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()


def regression():
    return make_regression(
        n_samples=1000, n_features=200, n_informative=20, noise=10.0, random_state=0
    )


RECIPES = {"diabetes": diabetes, "diabetes_std": standardized_diabetes, "reg": regression}


# Counts, for glmnet's Poisson paths


def _counts(n_samples, n_features, density, seed):
    """X, y and log exposures: a few columns matter, and zeros of X are exact."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_samples, n_features)) * (rng.uniform(size=(n_samples, 1)) + 0.5)
    X *= rng.uniform(size=X.shape) < density
    exposure = rng.uniform(0.2, 3.0, n_samples)
    rate = np.exp(0.3 + 0.6 * X[:, 0] - 0.5 * X[:, 1] + 0.3 * X[:, 2])
    return X, rng.poisson(exposure * rate).astype(float), np.log(exposure)


COUNTS = {
    "counts": partial(_counts, 200, 12, 1.0, 0),
    "wide": partial(_counts, 60, 120, 1.0, 1),
    "sparse": partial(_counts, 300, 40, 0.1, 2),
}


def _classes(n_samples, n_features, n_classes, seed):
    """X (n, p) and classes (n,) of a multinomial model on the first four features."""
    rng = np.random.default_rng(seed)
    X, slope = rng.normal(size=(n_samples, n_features)), np.zeros((n_features, n_classes))
    slope[:4] = rng.normal(size=(4, n_classes))
    return X, (X @ slope + rng.gumbel(size=(n_samples, n_classes))).argmax(1)


CLASSES = {
    "two": partial(_classes, 120, 8, 2, 0),
    "wide": partial(_classes, 40, 60, 2, 1),
    "three": partial(_classes, 150, 6, 3, 2),
}
