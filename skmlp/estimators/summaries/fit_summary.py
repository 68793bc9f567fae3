"""The summary of a fitted network: a statistician's table, and advice in words."""

from dataclasses import dataclass
from html import escape

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...engine.task import Status
from ..inspection.monotonicity import check_monotonic
from .advice import advice_of
from .living_units import living_units
from .text_tables import frame_of, html_of, shown, text_of

ENDS = {Status.MAX_ITER.value: "not converged"}
MOST_FEATURES = 20  # with a line of their own in the text


@dataclass(frozen=True, repr=False)
class FitSummary:
    """A fitted network in tables and words, as ``summary()`` returns it.

    Printed it is text, in a notebook HTML; :meth:`to_frame` has the tables as data.

    Attributes
    ----------
    title : str
        The estimator, its loss, and what it was fitted to.

    sections : dict of str to dict
        Numbers by section, such as 'Training fit' and 'Optimality', and by name.

    layers : dict of str to list
        By layer, counted as ``coefs_``: numbers of inputs, of units (outputs in the last) and of
        those ``alive``, of weights and of zeros among them, strengths of penalties and what they
        come to. A unit is alive where weights that are not zero lead to it from a feature and from
        it to an output, and the loss of some training row moves it.

    features : dict of str to list
        By feature, from the largest norm (``feature_importances_``): ``direction`` is what
        :func:`check_monotonic` proves, 'free' where that is nothing; of linear models ``coef`` are
        the coefficients. Several outputs have a column each, such as ``direction_0``.

    advice : list of str
        What to look at.
    """

    title: str
    sections: dict
    layers: dict
    features: dict
    advice: list

    def to_frame(self, by="feature"):
        """One of the tables as data.

        Parameters
        ----------
        by : {'feature', 'layer'}, default='feature'
            What a row is about. All features have one, whether the network uses them or not.

        Returns
        -------
        frame : pandas.DataFrame

        Raises
        ------
        ImportError
            Where pandas is not installed.

        ValueError
            For another ``by``.
        """
        tables = {"feature": self.features, "layer": self.layers}
        if by not in tables:
            raise ValueError(f"by must be 'feature' or 'layer', got {by!r}.")
        return frame_of(tables[by])

    def __str__(self):
        lines = [self.title, "=" * len(self.title)]
        for title, table, rest in self._tables():
            lines += ["", title, *text_of(table), *rest]
        for title, facts in self.sections.items():
            width = max(map(len, facts))
            lines += ["", title, *(f"{name:{width}}  {shown(v)}" for name, v in facts.items())]
        if self.advice:
            lines += ["", "Advice", *(f"- {words}" for words in self.advice)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        parts = [f"<h4>{escape(self.title)}</h4>"]
        for title, table, rest in self._tables():
            parts += [f"<p>{escape(title)}</p>{html_of(table)}", *(f"<p>{r}</p>" for r in rest)]
        for title, facts in self.sections.items():
            table = {"": list(facts), " ": [shown(value) for value in facts.values()]}
            parts.append(f"<p>{escape(title)}</p>{html_of(table)}")
        if self.advice:
            items = "".join(f"<li>{escape(words)}</li>" for words in self.advice)
            parts.append(f"<p>Advice</p><ul>{items}</ul>")
        return "".join(parts)

    def _tables(self):
        """(title, table, lines after it) of layers, and of the features that are kept."""
        kept = [j for j, norm in enumerate(self.features["norm"]) if norm > 0]
        first = {
            n: [column[j] for j in kept[:MOST_FEATURES]] for n, column in self.features.items()
        }
        left = len(kept) - MOST_FEATURES
        rest = [f"and {left} more, in to_frame()"] if left > 0 else []
        title = f"Features kept: {len(kept)} of {len(self.features['norm'])}"
        yield "Layers", self.layers, []
        yield title, first if kept else {}, rest


class Summarises:
    """Mixin: the summary of a fitted network."""

    def summary(self):
        """The fitted network as a table: layers, features, fit, optimality, and advice in words.

        Returns
        -------
        summary : FitSummary
            Prints as text, shows as HTML in notebooks; ``to_frame`` has its tables as data. Layers
            and features are those of ``coefs_`` now, the rest is that of the training.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.preprocessing import scale
        >>> from skmlp import RegularizedMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> lasso = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0,
        ...                                 l1_per_layer=0.3).fit(X.apply(scale), y)
        >>> print(lasso.summary())
        RegularizedMLPRegressor 10-1: squared_error, 442 rows
        ...
        Features kept: 2 of 10
        feature    norm   coef  direction
        bmi      0.2095  16.14  increasing
        s5       0.1724  13.28  increasing
        ...
        """
        check_is_fitted(self, "coefs_")
        return summary_of(self, self)


def summary_of(model, owner, sections=None, notes=()):
    """The summary of the network of its owner, after sections and notes on how it was chosen."""
    record = model._record
    alive = living_units(model.coefs_, record.idle_units)
    return FitSummary(
        title=_title(model, owner, record),
        sections={**(sections or {}), "Training fit": _fit(model, record)}
        | {"Optimality": _optimality(model, record)},
        layers=_layers(model, record, alive),
        features=_features(model),
        advice=[*dict.fromkeys([*notes, *advice_of(model, record, alive)])],
    )


def _title(model, owner, record):
    sizes = [model.n_features_in_, *(coef.shape[1] for coef in model.coefs_)]
    network = "-".join(map(str, sizes)) + (f" {model.activation}" if len(sizes) > 2 else "")
    return f"{type(owner).__name__} {network}: {record.loss_name}, {record.n_rows} rows"


def _layers(model, record, alive):
    """The columns of the table of layers."""
    coefs, n_layers = model.coefs_, len(model.coefs_)
    columns = {
        "layer": list(range(n_layers)),
        "inputs": [coef.shape[0] for coef in coefs],
        "units": [coef.shape[1] for coef in coefs],
        "alive": [int(units.sum()) for units in alive],
        "weights": [coef.size for coef in coefs],
        "zeros": [int((coef == 0).sum()) for coef in coefs],
        "l1": list(record.l1),
        "group_l1": [record.group_l1, *[0.0] * (n_layers - 1)],
        "alpha": list(record.alpha),
        "penalty": record.penalties.tolist(),
    }
    if not record.group_l1:
        del columns["group_l1"]
    return columns


def _features(model):
    """The columns of the table of features."""
    names = getattr(model, "feature_names_in_", np.arange(model.n_features_in_))
    norms = model.feature_importances_
    order = np.argsort(-norms, kind="stable")
    columns = {"feature": names[order].tolist(), "norm": norms[order].tolist()}
    outputs = range(model.coefs_[-1].shape[1])
    suffix = {k: f"_{k}" if len(outputs) > 1 else "" for k in outputs}
    if len(model.coefs_) == 1:
        columns |= {f"coef{suffix[k]}": model.coefs_[0][order, k].tolist() for k in outputs}
    found = np.array([f.direction for f in check_monotonic(model)], dtype=object)
    found = found.reshape(len(names), -1)[order]
    return columns | {f"direction{suffix[k]}": found[:, k].tolist() for k in outputs}


def _fit(model, record):
    """Losses and scores of training."""
    explained = "R2" if record.is_squared and model.n_outputs_ == 1 else "explained share (D2)"
    facts = {
        "loss": record.loss,
        "loss of the best constant": float(record.constant_loss),
        explained: float(record.explained),
        "penalties": float(record.penalties.sum()),
        "objective F": model.objective_,
    }
    if getattr(model, "best_validation_score_", None) is not None:
        facts["validation score"] = float(model.best_validation_score_)
    return facts


def _optimality(model, record):
    """How the training ended, and how far from a minimum."""
    facts = {
        "solver": f"{record.solver}, {ENDS.get(record.status, record.status)}",
        "iterations" if record.solver == "lbfgs" else "epochs": model.n_iter_,
        "residual": model.optimality_,
        "tol": record.tol,
    }
    if record.has_kinks:
        facts["residual is"] = f"no certificate: minimisers lie on kinks of {model.activation}"
    if hasattr(model, "dual_gap_"):
        facts["duality gap"] = float(np.max(model.dual_gap_))
    return facts
