"""No hidden layer: the lasso family to rounding, quantiles by linear programming."""
