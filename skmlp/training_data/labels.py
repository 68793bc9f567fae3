"""Labels of classes as columns of zeros and ones, and what the classes weigh."""

from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from ..engine.losses.base import Loss
from ..engine.losses.table import loss_of


class Labels(NamedTuple):
    """The classes of a y: two are one column, more are one each, and so are several labels."""

    binarizer: LabelBinarizer

    @classmethod
    def of(cls, y):
        """Those of y; ValueError where it holds no labels."""
        y = _column(y)
        check_classification_targets(y)
        return cls(LabelBinarizer().fit(y))

    @property
    def classes(self):
        return self.binarizer.classes_

    @property
    def is_multilabel(self):
        """Whether a row may have several labels, or none."""
        return self.binarizer.y_type_.startswith("multilabel")

    @property
    def loss(self) -> Loss:
        """One column is a class or not, several are as well or exclude each other."""
        is_binary = self.is_multilabel or len(self.classes) < 3
        return loss_of("log_loss" if is_binary else "multinomial")

    def encoded(self, y, name, *, all_classes=False):
        """y as zeros and ones (n, q); ValueError for other classes, or where ``all_classes`` fewer.

        The messages are MLPClassifier's.
        """
        y = _column(y)
        check_classification_targets(y)
        found = unique_labels(y)
        if all_classes and set(found) != set(self.classes):
            raise ValueError(
                f"warm_start can only be used where `{name}` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes}, `{name}` has {found}"
            )
        if len(np.setdiff1d(found, self.classes, assume_unique=True)):
            raise ValueError(
                f"`{name}` has classes not in `self.classes_`. `self.classes_` has {self.classes}. "
                f"'{name}' has {found}."
            )
        return self.binarizer.transform(y).reshape(y.shape[0], -1).astype(np.float64)

    def decoded(self, probability):
        """The labels that probabilities (n, q) are largest for."""
        single = probability.shape[1] == 1
        return self.binarizer.inverse_transform(probability[:, 0] if single else probability)

    def columns(self, y):
        """(classes, place of each row's among them) of y (n, q), for each label of several."""
        if self.is_multilabel:
            return [(np.array([0, 1]), column.astype(int)) for column in y.T]
        place = y[:, 0].astype(int) if y.shape[1] == 1 else y.argmax(axis=1)
        return [(self.classes, place)]


class ClassWeights(NamedTuple):
    """What classes weigh, a table (n_classes,) for each label of several."""

    tables: list

    @classmethod
    def of(cls, class_weight, labels, y, weight):
        """Those of a ``class_weight``, where 'balanced' is by the weights of the rows of y (n, q).

        A row of weight two is two rows.
        """
        columns = labels.columns(y)
        given = class_weight if isinstance(class_weight, list) else [class_weight] * len(columns)
        if len(given) != len(columns):
            raise ValueError(
                f"class_weight has {len(given)} entries, but y has {len(columns)} labels: give one "
                f"dict a label. Got {class_weight!r}."
            )
        if labels.is_multilabel and isinstance(class_weight, dict):
            raise ValueError(
                f"For several labels class_weight is 'balanced' or a list of dicts, one a label, "
                f"got {class_weight!r}."
            )
        return cls(
            [_table(one, *column, weight) for one, column in zip(given, columns, strict=True)]
        )

    def weighted(self, labels, y, weight):
        """The weights of rows times those of their classes."""
        weight = np.ones(len(y)) if weight is None else weight
        for table, (_, place) in zip(self.tables, labels.columns(y), strict=True):
            weight = weight * table[place]
        return weight


def _table(class_weight, classes, place, weight):
    if isinstance(class_weight, str):
        total = np.bincount(place, weight, minlength=len(classes)).astype(float)
        return total.sum() / ((total > 0).sum() * np.where(total > 0, total, np.inf))
    table = compute_class_weight(class_weight, classes=classes, y=classes)
    if not (np.isfinite(table) & (table >= 0)).all():
        raise ValueError(f"class_weight must hold finite numbers >= 0, got {class_weight!r}.")
    return table


def _column(y):
    """y, of a column vector its column with a warning, as scikit-learn's MLP does."""
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
