"""No hidden layer and squared error: the lasso family, solved to rounding."""
