"""Neural network regression for statisticians, with scikit-learn's interface."""

from ._batched import batched_fits
from ._cv import RegularizedMLPRegressorCV
from ._path import RegularizationPath, regularization_path
from ._regressor import RegularizedMLPRegressor
from ._search import BatchedGridSearchCV, BatchedRandomizedSearchCV

__version__ = "0.1.0"

__all__ = [
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "RegularizationPath",
    "RegularizedMLPRegressor",
    "RegularizedMLPRegressorCV",
    "batched_fits",
    "regularization_path",
]
