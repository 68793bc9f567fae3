"""The two hot loops compiled, for plain networks on the CPU: epochs, and the objective."""
