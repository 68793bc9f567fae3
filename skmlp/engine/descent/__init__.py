"""Deterministic searches: the objective, the change of variables, L-BFGS-B and PANOC."""
