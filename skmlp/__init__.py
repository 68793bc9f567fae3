"""Neural network regression for statisticians, with scikit-learn's interface."""

from .batching.batched import batched_fits
from .batching.search import BatchedGridSearchCV, BatchedRandomizedSearchCV
from .estimators.regressor import RegularizedMLPRegressor
from .paths.cv import RegularizedMLPRegressorCV
from .paths.path import RegularizationPath, regularization_path
from .paths.stability import StabilitySelection, stability_selection
from .plots import (
    CVPathDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    WeightsDisplay,
)

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
