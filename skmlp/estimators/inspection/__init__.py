"""What fitted estimators are found to hold: the network inside others, what its weights prove."""
