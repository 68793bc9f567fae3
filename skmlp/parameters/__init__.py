"""What users may write for parameters, made uniform, and the task that they make with the data."""
