"""Paths of strengths: where they end, warm starts, working sets, sensitivities."""
