"""The torch core: trains a stack of networks of one architecture.

Every tensor has the model axis first: weights (M, n_in, n_out), biases (M, 1, n_out), activations
(M, n_rows, n_units). Nothing here imports scikit-learn.
"""
