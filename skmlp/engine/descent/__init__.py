"""Deterministic searches: the objective, the change of variables and PANOC."""
