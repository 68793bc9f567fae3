"""A stack in training by epochs: adam and sgd, the stopping rule, validation."""
