"""The methods that give a fitted network as that of another library."""

from sklearn.utils.validation import check_is_fitted

from .as_sklearn import as_sklearn
from .fitted_network import FittedNetwork


class Exports:
    """Mixin: fitted networks of scikit-learn and torch that predict alike."""

    def _exported(self):
        """The fitted regressor or classifier."""
        check_is_fitted(self, "coefs_")
        return self

    def to_sklearn(self):
        """The network as a fitted MLPRegressor or MLPClassifier, with equal predictions.

        It needs skmlp neither for predictions nor for unpickling. Its parameters are those of the
        same name, where scikit-learn allows their values, and the sizes of the layers as they are.

        Returns
        -------
        model : MLPRegressor or MLPClassifier
            Fitted. Weights are copies; normalisation of y and of batches is in them. ``loss`` is
            one with the same link, and ``score`` of regressors is R2 whatever was minimised.
            ``partial_fit``, and ``fit`` with ``warm_start=True``, go on from the weights, without
            the penalties and constraints that scikit-learn does not have.

        Raises
        ------
        ValueError
            For what scikit-learn cannot predict exactly, by its name: an activation or a link that
            it does not have, several quantiles, layer normalisation, an offset, a single class.

        See Also
        --------
        sklearn.neural_network.MLPRegressor : What regressors become.
        sklearn.neural_network.MLPClassifier : What classifiers become.

        Examples
        --------
        >>> import numpy as np
        >>> from skmlp import RegularizedMLPRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 3))
        >>> ours = RegularizedMLPRegressor(hidden_layer_sizes=(5,), activation="tanh", alpha=0.1,
        ...                                solver="lbfgs", random_state=0)
        >>> theirs = ours.fit(X, X[:, 0] ** 2).to_sklearn()
        >>> theirs
        MLPRegressor(activation='tanh', alpha=0.1, hidden_layer_sizes=(5,),
                     random_state=0, solver='lbfgs')
        >>> np.allclose(theirs.predict(X), ours.predict(X), rtol=1e-12)
        True
        """
        estimator = self._exported()
        return as_sklearn(estimator, FittedNetwork.of(estimator))

    def to_torch(self, dtype=None):
        """The network as a :class:`torch.nn.Sequential` in eval mode, with equal predictions.

        Its weights are copies and can be trained on. With ``torch.inference_mode()`` nothing is
        kept for gradients.

        Parameters
        ----------
        dtype : {'float32', 'float64'}, torch.dtype or None, default=None
            Of the weights, and of the X that it takes. None is that of ``coefs_``.

        Returns
        -------
        module : torch.nn.Sequential
            For X (n_samples, n_features) a regressor's gives what ``predict`` does, in the units of
            y, and a classifier's what ``predict_proba`` does: its last layer is a softmax, for
            several labels a sigmoid, and ``module[:-1]`` gives the outputs before that. Of a model
            that was fitted with an offset it is a :class:`torch.nn.Module` that is called with X
            and the offset.

        Raises
        ------
        ValueError
            For another dtype.

        Examples
        --------
        >>> import numpy as np, torch
        >>> from skmlp import RegularizedMLPRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 3))
        >>> model = RegularizedMLPRegressor(hidden_layer_sizes=(5,), activation="silu", alpha=0.1,
        ...                                 solver="lbfgs", random_state=0)
        >>> module = model.fit(X, X[:, 0] ** 2).to_torch("float32")
        >>> module
        Sequential(
          (0): Linear(in_features=3, out_features=5, bias=True)
          (1): SiLU()
          (2): Linear(in_features=5, out_features=1, bias=True)
          (3): Flatten(start_dim=0, end_dim=-1)
        )
        >>> with torch.inference_mode():
        ...     prediction = module(torch.tensor(X, dtype=torch.float32)).numpy()
        >>> np.allclose(prediction, model.predict(X), atol=1e-5)
        True
        """
        from .as_torch import as_torch

        return as_torch(FittedNetwork.of(self._exported()), dtype)
