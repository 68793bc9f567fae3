"""The summary of a network that is chosen along a path: what was chosen, and from what."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...estimators.feature_selection import SelectsFeatures
from ...estimators.summaries.fit_summary import summary_of
from ...estimators.summaries.text_tables import frame_of
from ...parameters.loss_values import estimator_loss
from ...training_data.unit_warnings import unit_notes
from ..running.choosing import disagreement_notes


class SummarisesChoice(SelectsFeatures):
    """Mixin: the features of the network chosen, and the choice as a summary and as a table."""

    def summary(self):
        """The choice and the network chosen as a table, with advice in words.

        Returns
        -------
        summary : FitSummary
            As of :class:`RegularizedMLPRegressor`, with a section on the choice. Advice also says
            where the choice is at an end of what was compared, which fits of the path have not
            converged, and whether folds disagree.
        """
        check_is_fitted(self, "estimator_")
        return summary_of(self.estimator_, self, {"Choice": _facts(self)}, self._notes)

    def to_frame(self):
        """What was compared, as a table.

        Returns
        -------
        frame : pandas.DataFrame
            The columns of ``cv_results_``, a row for each network that was compared, and ``mark``:
            "chosen", and where they are others "min" and "1se" for the least error of the chosen
            alpha and the sparsest within one standard error of it.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        check_is_fitted(self, "estimator_")
        frame = frame_of(self.cv_results_)
        of_alpha = np.isclose(frame["alpha"], self.alpha_) if hasattr(self, "alpha_") else True
        frame["mark"] = ""
        marks = {"1se": self.strength_1se_, "min": self.strength_min_, "chosen": self.strength_}
        for mark, strength in marks.items():
            frame.loc[of_alpha & (frame["strength"] == strength), "mark"] = mark
        return frame

    def _say_choice(self, say, choice):
        """Print what was compared and chosen, where it was asked for."""
        if choice.refits is not None:
            for strength, error in zip(self.strengths_, self.mse_mean_, strict=True):
                say(f"Refits at {self.param} = {strength:.4g}: mean error {error:.6g}")
        n_features = int(self.estimator_.get_support().sum())
        kind = "" if not self.relaxed_ else ", refitted"
        kind += "" if choice.alpha is None else f" with alpha = {choice.alpha:.4g}"
        say(
            f"Chosen: {self.param} = {self.strength_:.4g}, {n_features} features{kind}, "
            f"mean error {self.mse_:.6g}"
        )


def error_name(model):
    """What the errors of the folds are."""
    if model.scoring is None:
        return estimator_loss(model.estimator_).error_name
    return f"Minus {model.scoring if isinstance(model.scoring, str) else 'the score'}"


def _facts(model):
    """The choice in numbers, by name."""
    n_compared, n_folds = len(model.cv_results_["strength"]), model.mse_path_.shape[1]
    strength = "0, all features" if model.strength_ == 0 else model.strength_
    facts = {"compared": f"{n_compared} networks in {n_folds} folds", model.param: strength}
    for name in ("alpha_", "l1_ratio_"):
        if hasattr(model, name):
            facts[name.removesuffix("_")] = getattr(model, name)
    facts["refitted without it"] = "yes" if model.relaxed_ else "no"
    facts[error_name(model)] = model.mse_
    facts["strength of the least error"] = model.strength_min_
    facts["largest within one standard error"] = model.strength_1se_
    return facts


def choice_notes(plan, task, strengths, n_features, choice):
    """What was warned of, and words where the choice is at an end of what was compared."""
    names = getattr(plan.estimator, "feature_names_in_", None)
    return (
        *unit_notes(task, names),
        *plan.tally.words(),
        *disagreement_notes(choice.errors, choice.index),
        *_on_strengths(strengths, n_features, choice),
        *_on_alphas(choice),
    )


def _on_strengths(strengths, n_features, choice):
    """Beyond the smallest strength lies that of all features, which is compared with alphas."""
    index, last = choice.index, len(strengths) - 1
    if last and index == last and not n_features[index]:
        return [
            "No feature is left in the network chosen, which is a constant: it predicts the rows "
            "left out no worse than any other by the rule of selection."
        ]
    if last and index == last:
        return [
            f"The strength chosen, {strengths[index]:.4g}, is the largest of the path, where "
            f"{n_features[index]} features are left: give strengths that go on."
        ]
    if last and index == 0 and not choice.alphas:
        return [
            f"The strength chosen, {strengths[0]:.4g}, is the smallest of the path: errors may be "
            "less below it. Give a smaller eps, or strengths that go on."
        ]
    return []


def _on_alphas(choice):
    """The first and the last alpha of several."""
    if len(choice.alphas) < 2 or choice.alpha not in (choice.alphas[0], choice.alphas[-1]):
        return []
    if choice.alpha == 0:
        return []
    end, way = (
        ("smallest", "smaller") if choice.alpha == choice.alphas[0] else ("largest", "larger")
    )
    return [f"alpha={choice.alpha:.4g} is the {end} of those compared: give {way} alphas, too."]
