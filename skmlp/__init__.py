"""Neural network regression for statisticians, with scikit-learn's interface."""

from ._batched import batched_fits
from ._cv import RegularizedMLPRegressorCV
from ._path import RegularizationPath, regularization_path
from ._plot import (
    CVPathDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    WeightsDisplay,
)
from ._regressor import RegularizedMLPRegressor
from ._search import BatchedGridSearchCV, BatchedRandomizedSearchCV
from ._stability import StabilitySelection, stability_selection

__version__ = "0.1.0"

__all__ = [
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "CVPathDisplay",
    "LossCurveDisplay",
    "RegularizationPath",
    "RegularizationPathDisplay",
    "RegularizedMLPRegressor",
    "RegularizedMLPRegressorCV",
    "StabilitySelection",
    "WeightsDisplay",
    "batched_fits",
    "regularization_path",
    "stability_selection",
]
