"""What a loss is: one object that says everything of it, in numpy and torch alike."""
