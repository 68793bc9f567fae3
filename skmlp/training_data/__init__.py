"""What people hand over, checked, split, and with y in the units of training."""
