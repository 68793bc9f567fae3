"""Neural networks for statisticians, with scikit-learn's interface."""

from .batching.block import batched_fits
from .batching.searches import BatchedGridSearchCV, BatchedRandomizedSearchCV
from .estimators.classifier import RegularizedMLPClassifier
from .estimators.export.onnx_registration import convert_with_skl2onnx
from .estimators.inspection.monotonicity import check_monotonic
from .estimators.regressor import RegularizedMLPRegressor
from .estimators.summaries.fit_summary import FitSummary
from .paths.classifier_cv import RegularizedMLPClassifierCV
from .paths.cross_validation import RegularizedMLPRegressorCV
from .paths.regularization_path import RegularizationPath, regularization_path
from .paths.running.base_network import default_classifier, default_network
from .paths.selector import StabilitySelector
from .paths.stability_selection import StabilitySelection, stability_selection
from .plots import (
    CVPathDisplay,
    EffectDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
    StabilitySelectionDisplay,
    WeightsDisplay,
)
from .versions import show_versions

__version__ = "0.1.0"

__all__ = [
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "CVPathDisplay",
    "EffectDisplay",
    "FitSummary",
    "LossCurveDisplay",
    "RegularizationPath",
    "RegularizationPathDisplay",
    "RegularizedMLPClassifier",
    "RegularizedMLPClassifierCV",
    "RegularizedMLPRegressor",
    "RegularizedMLPRegressorCV",
    "StabilitySelection",
    "StabilitySelectionDisplay",
    "StabilitySelector",
    "WeightsDisplay",
    "batched_fits",
    "check_monotonic",
    "default_classifier",
    "default_network",
    "regularization_path",
    "show_versions",
    "stability_selection",
]

convert_with_skl2onnx(
    *(RegularizedMLPRegressor, RegularizedMLPRegressorCV),
    *(RegularizedMLPClassifier, RegularizedMLPClassifierCV),
    BatchedGridSearchCV,
)
