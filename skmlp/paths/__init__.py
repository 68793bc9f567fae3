"""The penalty that moves: paths, cross-validation and stability selection."""
