"""Displays: pictures of fitted estimators and paths, drawn with matplotlib."""

from .cv_path import CVPathDisplay
from .loss_curve import LossCurveDisplay
from .path import RegularizationPathDisplay
from .weights import WeightsDisplay

__all__ = ["CVPathDisplay", "LossCurveDisplay", "RegularizationPathDisplay", "WeightsDisplay"]
