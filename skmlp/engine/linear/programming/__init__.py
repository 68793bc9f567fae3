"""Linear programs: quantiles, and whether rows of classes can be told apart."""
