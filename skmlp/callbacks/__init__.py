"""scikit-learn's callbacks, told of the epochs, iterations, strengths and folds of a fit."""
