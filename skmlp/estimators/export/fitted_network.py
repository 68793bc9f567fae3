"""A fitted network as other libraries need it: weights, names of functions, classes."""

from typing import NamedTuple

import numpy as np


class FittedNetwork(NamedTuple):
    """Published weights, in which the scale of y and batch normalisation are folded.

    ``layer_norm`` has a gain and a shift (n_units,) for each hidden layer, or is empty; ``classes``
    are None for a regressor.
    """

    coefs: list
    intercepts: list
    activation: str
    out_activation: str
    layer_norm: list
    has_offset: bool
    classes: np.ndarray | None
    is_multilabel: bool

    @classmethod
    def of(cls, estimator):
        """That of a fitted regressor or classifier."""
        gains, shifts = (
            getattr(estimator, name, []) for name in ("layer_norm_gains_", "layer_norm_shifts_")
        )
        return cls(
            coefs=[np.asarray(coef) for coef in estimator.coefs_],
            intercepts=[np.asarray(intercept) for intercept in estimator.intercepts_],
            activation=estimator.activation,
            out_activation=estimator.out_activation_,
            layer_norm=list(zip(gains, shifts, strict=True)),
            has_offset=getattr(estimator, "_fitted_with_offset", False),
            classes=estimator.classes_ if estimator._takes_labels else None,
            is_multilabel=estimator._takes_labels and estimator._labels.is_multilabel,
        )

    @property
    def hidden_sizes(self):
        """Numbers of units of the hidden layers, as trained: a mean of networks has more."""
        return tuple(len(intercept) for intercept in self.intercepts[:-1])

    @property
    def n_columns(self):
        """Numbers that are told of a row: predictions, or probabilities of the classes."""
        return self.coefs[-1].shape[1] if self.classes is None else len(self.classes)

    def with_output_for_each_class(self):
        """The same probabilities, with an output for each class: two are a softmax of (0, f)."""
        if self.classes is None or self.is_multilabel or self.out_activation == "softmax":
            return self
        coef, intercept = self.coefs[-1], self.intercepts[-1]
        if len(self.classes) == 1:  # the column of "another class" is not told
            coef, intercept, link = -coef, -intercept, "logistic"
        else:
            coef, intercept = (np.concatenate([0 * w, w], axis=-1) for w in (coef, intercept))
            link = "softmax"
        return self._replace(
            coefs=[*self.coefs[:-1], coef],
            intercepts=[*self.intercepts[:-1], intercept],
            out_activation=link,
        )
