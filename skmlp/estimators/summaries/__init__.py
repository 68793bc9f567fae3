"""What people are told of a fit: its record, the summary, advice in words."""
