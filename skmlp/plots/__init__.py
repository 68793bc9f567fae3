"""Displays: pictures of fitted estimators and paths, drawn with matplotlib."""

from .effects import EffectDisplay
from .layer_weights import WeightsDisplay
from .loss_curve import LossCurveDisplay
from .path_errors import CVPathDisplay
from .path_features import RegularizationPathDisplay
from .stable_features import StabilitySelectionDisplay

__all__ = [
    "CVPathDisplay",
    "EffectDisplay",
    "LossCurveDisplay",
    "RegularizationPathDisplay",
    "StabilitySelectionDisplay",
    "WeightsDisplay",
]
