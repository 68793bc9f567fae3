"""The penalty and the constraints: numbers, and one composed prox."""
