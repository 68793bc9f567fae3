"""Neural network regression for statisticians, with scikit-learn's interface."""

from ._regressor import RegularizedMLPRegressor

__version__ = "0.1.0"

__all__ = ["RegularizedMLPRegressor"]
