"""The network: its flat row, layers and losses in closed form, first weights, rows of data."""
