"""The choice along a path by cross-validation: what is compared, chosen and kept of folds."""
