"""The data sets of the reference numbers of R's glmnet, scikit-learn and SciPy."""

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
