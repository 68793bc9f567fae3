"""The hot loops compiled, for plain networks on the CPU: epochs, the objective, searches."""
