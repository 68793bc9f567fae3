"""One fit, face to face with scikit-learn: the estimator, and what it publishes."""
