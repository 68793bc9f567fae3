"""What summary() says of a fit is what the data and the published network say."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import d2_tweedie_score, log_loss
from sklearn.preprocessing import scale

from skmlp import (
    RegularizedMLPClassifier,
    RegularizedMLPRegressor,
    check_monotonic,
    regularization_path,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
X, counts = X.apply(scale), np.round(y / 50)
LABELS = np.where(y > 150, "high", "low")
SPARSE = {"solver": "lbfgs", "activation": "tanh", "max_iter": 1000, "random_state": 0}
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0}
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(y))


def fitted(sample_weight=None, target=y, **params):
    mlp = RegularizedMLPRegressor(**{"hidden_layer_sizes": 6, "random_state": 0, **params})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlp.fit(X, target, sample_weight)


# Numbers

FITS = {
    "adam": {"max_iter": 5},
    "l1": {**SPARSE, "l1_per_layer": 0.02},
    "groups": {**SPARSE, "group_l1": 0.05, "alpha": 1, "feature_groups": [[0, 1], [2, 3, 4]]},
    "factors": {**SPARSE, "l1_per_layer": 0.02, "alpha": 2, "penalty_factor": {"bmi": 0, "s1": 3}},
    "excluded": {**SPARSE, "l1_per_layer": 0.02, "penalty_factor": {"bmi": np.inf}},
    "batch": {"normalization": "batch", "alpha": 5, "max_iter": 5},
    "layer": {"normalization": "layer", "alpha": 5, "max_iter": 5},
    "two layers": {"hidden_layer_sizes": (5, 4), "alpha": [1, 2, 3], "max_iter": 5},
    "early stopping": {"early_stopping": True, "max_iter": 5},
    "poisson": {"loss": "poisson", "max_iter": 5},
    "quantiles": {"loss": "quantile", "quantile": [0.2, 0.7], "max_iter": 5},
    "huber": {"loss": "huber", "l1_per_layer": 0.02, "max_iter": 5, "normalize_y": False},
    "lasso": {**LINEAR, "l1_per_layer": 0.1},
    "ridge": {**LINEAR, "alpha": 10},
    "group lasso": {**LINEAR, "group_l1": 0.1, "feature_groups": [[0, 1], [2, 3, 4]]},
    "median": {**LINEAR, "loss": "absolute_error", "l1_per_layer": 0.01},
    "as it is": {**LINEAR, "l1_per_layer": 1, "normalize_y": False},
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("params", FITS.values(), ids=FITS)
def test_loss_and_penalties_are_those_of_the_objective(params, weight):
    """The loss, which is F less the penalties, explains what the score of the rows says."""
    model = fitted(weight, **params)
    numbers = model.summary().sections["Training fit"]
    assert numbers["objective F"] == model.objective_
    assert_allclose(numbers["loss"] + numbers["penalties"], model.objective_, rtol=1e-12)
    if model.early_stopping or model.loss == "poisson":  # other rows, another score
        return
    share = numbers.get("R2", numbers.get("explained share (D2)"))
    if model.n_outputs_ == 1:
        assert_allclose(share, model.score(X, y, weight), rtol=1e-6, atol=1e-6)


def test_share_that_is_explained_of_counts():
    """Half the deviance, over that of the mean."""
    model = fitted(target=counts, loss="poisson", max_iter=5)
    numbers = model.summary().sections["Training fit"]
    expected = d2_tweedie_score(counts, model.predict(X), power=1)
    assert_allclose(numbers["explained share (D2)"], expected, rtol=1e-6)


def test_loss_of_classes_is_the_log_loss():
    model = RegularizedMLPClassifier(6, max_iter=5, random_state=0, alpha=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, LABELS)
    numbers = model.summary().sections["Training fit"]
    assert_allclose(numbers["loss"], log_loss(LABELS, model.predict_proba(X)), rtol=1e-6)
    share = np.unique(LABELS, return_counts=True)[1] / len(y)
    constant = np.tile(share, (len(y), 1))
    assert_allclose(numbers["loss of the best constant"], log_loss(LABELS, constant), rtol=1e-9)


def test_numbers_along_a_path_are_those_of_each_strength():
    lasso = RegularizedMLPRegressor(**LINEAR)
    path = regularization_path(lasso, X, y, param="l1_per_layer", n_strengths=4)
    for strength, model, r2 in zip(path.strengths, path.models, path.r2, strict=True):
        found = model.summary()
        assert found.layers["l1"] == [strength]
        numbers = found.sections["Training fit"]
        assert_allclose(numbers["R2"], r2, atol=1e-12)
        expected = strength * np.abs(model.coefs_[0]).sum() / y.std(ddof=0)
        assert_allclose(numbers["penalties"], expected, rtol=1e-9)
    relaxed = [model.summary().sections["Training fit"]["R2"] for model in path.relaxed_models]
    assert_allclose(relaxed, path.relaxed_r2, atol=1e-12)


# Layers and units


def test_layers():
    model = fitted(**{**FITS["l1"], "hidden_layer_sizes": (6, 5)})
    layers = model.summary().layers
    assert layers["layer"] == [0, 1, 2]
    assert layers["inputs"] == [10, 6, 5]
    assert layers["units"] == [6, 5, 1]
    assert layers["weights"] == [60, 30, 5]
    assert_array_equal(np.divide(layers["zeros"], layers["weights"]), model.sparsity_)
    assert layers["l1"] == [0.02] * 3
    assert "group_l1" not in layers
    by_hand = [0.02 * np.abs(coef).sum() for coef in model._trained.plain.coefs]
    expected = np.add(by_hand, [1e-4 / 2 / 442 * (c**2).sum() for c in model._trained.plain.coefs])
    assert_allclose(layers["penalty"], expected, rtol=1e-12)


def moves(model, k):
    """Which units of hidden layer k differ between training rows, and predictions with them."""
    hidden, alive = X.to_numpy(), []
    for coef, intercept in zip(model.coefs_[: k + 1], model.intercepts_[: k + 1], strict=True):
        hidden = np.maximum(hidden @ coef + intercept, 0)
    for unit in range(hidden.shape[1]):
        changed = [array.copy() for array in model.intercepts_]
        changed[k][unit] -= 1e-6  # what is zero stays so
        other = clone(model)
        vars(other).update(vars(model), intercepts_=changed)
        moves = bool((other.predict(X) != model.predict(X)).any())
        alive.append(moves and bool(np.ptp(hidden[:, unit])))
    return alive


@pytest.mark.parametrize(
    "params",
    [
        {"learning_rate_init": 0.3, "hidden_layer_sizes": (20, 10)},
        {"learning_rate_init": 0.1, "hidden_layer_sizes": 30, "l1_per_layer": 0.01},
        {"learning_rate_init": 0.1, "hidden_layer_sizes": 30, "loss": "absolute_error"},
        {"solver": "lbfgs", "hidden_layer_sizes": 30, "l1_per_layer": 0.01},
    ],
)
def test_units_that_are_alive_are_those_that_move_predictions(params):
    model = fitted(max_iter=30, **params)
    alive = model.summary().layers["alive"]
    expected = [sum(moves(model, k)) for k in range(len(model.coefs_) - 1)]
    assert alive[:-1] == expected
    assert min(a / n for a, n in zip(alive, model.summary().layers["units"], strict=True)) < 1


def test_units_cut_off_by_zeros():
    """A unit without inputs, and one without outputs; the second is all that led to a third."""
    model = fitted(hidden_layer_sizes=(3, 2), activation="tanh", max_iter=2)
    model.coefs_[0][:, 0] = 0
    model.coefs_[1][1] = 0
    model.coefs_[1][2] = [0, 1]
    model.coefs_[2][1] = 0
    model.coefs_[1][0] = [1, 1]
    assert model.summary().layers["alive"] == [0, 0, 0]
    model.coefs_[0][:, 0] = 1
    assert model.summary().layers["alive"] == [1, 1, 1]
    advice = " ".join(model.summary().advice)
    assert (
        "2 of the 3 units of layer 0 (counted from 0) are cut off by zeros: a layer of 1" in advice
    )


# Features


def test_features_have_names_norms_and_signs():
    model = fitted(**FITS["l1"])
    features = model.summary().features
    assert_array_equal(np.sort(features["feature"]), np.sort(X.columns))
    by_name = dict(zip(X.columns, model.feature_importances_, strict=True))
    assert features["norm"] == sorted(by_name.values(), reverse=True)
    assert [by_name[name] for name in features["feature"]] == features["norm"]
    found = dict(zip(features["feature"], features["direction"], strict=True))
    assert found == {f.feature: f.direction for f in check_monotonic(model)}
    assert len(set(found.values())) > 1


def test_linear_models_have_coefficients():
    model = fitted(target=np.c_[y, -y], **FITS["lasso"])
    features = model.summary().features
    order = [X.columns.get_loc(name) for name in features["feature"]]
    assert features["coef_0"] == model.coefs_[0][order, 0].tolist()
    assert features["coef_1"] == model.coefs_[0][order, 1].tolist()
    opposite = {"increasing": "decreasing", "decreasing": "increasing", "constant": "constant"}
    assert [opposite[word] for word in features["direction_0"]] == features["direction_1"]


# Advice


def advice(**params):
    return "\n".join(fitted(**params).summary().advice)


def test_warnings_of_a_fit_are_advice():
    """Word for word."""
    data = X.assign(large=1000 * X["s1"])
    mlp = RegularizedMLPRegressor(
        hidden_layer_sizes=6, max_iter=3, l1_per_layer=[0.01, 0], random_state=0
    )
    with pytest.warns(UserWarning, match="scale of the columns") as caught:
        mlp.fit(data, y)
    words = {str(one.message) for one in caught}
    assert len(words) == 3
    assert words == {*mlp.summary().advice} - {a for a in mlp.summary().advice if "hardly" in a}
    assert any("['large']" in word for word in words)
    assert any(word.startswith("Layers 1 (counted from 0) have no penalty") for word in words)
    assert any("Maximum iterations (3)" in word for word in words)


def test_classes_told_apart_are_advice():
    mlp = RegularizedMLPClassifier((), solver="lbfgs", alpha=0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="nothing is penalised") as caught:
        mlp.fit(X, X["bmi"] > 0)
    assert str(caught[-1].message) in mlp.summary().advice


def test_loss_no_better_than_a_constant():
    assert "hardly better than that of the best constant, 0.5" in advice(max_iter=1)
    zero = advice(**{**SPARSE, "l1_per_layer": 1.0})
    assert "hardly better" in zero
    assert "All weights of layers [0, 1] (counted from 0) are zero" in zero
    assert "cut off" not in zero


def test_nothing_to_say():
    assert not fitted(**FITS["lasso"]).summary().advice


def test_not_converged():
    assert "lbfgs failed to converge after 2 iteration(s)" in advice(solver="lbfgs", max_iter=2)
    late = fitted(solver="lbfgs", max_iter=2).summary().sections["Optimality"]
    assert late["solver"] == "lbfgs, not converged"
    assert late["iterations"] == 2
    assert "kinks of relu" in late["residual is"]


# As text, HTML and data


def test_text_and_html_hold_the_tables():
    model = fitted(**FITS["lasso"])
    found = model.summary()
    text, html = str(found), found._repr_html_()
    assert repr(found) == text
    assert text.startswith("RegularizedMLPRegressor 10-1: squared_error, 442 rows\n")
    assert f"Features kept: {model.get_support().sum()} of 10" in text
    for name in model.selected_features_:
        assert f"\n{name} " in text
        assert f"<td>{name}</td>" in html
    for name in set(X.columns) - set(model.selected_features_):
        assert f"\n{name} " not in text
    assert f"{model.objective_:.4g}" in text
    assert f"{model.objective_:.4g}" in html


def test_names_are_escaped_in_html():
    data = X.rename(columns={"bmi": "<b>&"})
    html = RegularizedMLPRegressor(**LINEAR).fit(data, y).summary()._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>&" not in html


def test_many_features_are_cut_in_print_and_all_in_the_frame():
    pytest.importorskip("pandas")
    wide = np.random.default_rng(0).normal(size=(60, 30))
    found = RegularizedMLPRegressor(**LINEAR).fit(wide, wide[:, 0]).summary()
    assert "and 10 more, in to_frame()" in str(found)
    assert len(found.to_frame()) == 30
    assert found.to_frame()["feature"][0] == 0


def test_frames():
    pytest.importorskip("pandas")
    found = fitted(**FITS["l1"]).summary()
    assert list(found.to_frame()) == ["feature", "norm", "direction"]
    assert found.to_frame("layer").to_dict("list") == found.layers
    with pytest.raises(ValueError, match="by must be 'feature' or 'layer', got 'unit'"):
        found.to_frame("unit")


def test_unfitted():
    with pytest.raises(NotFittedError):
        RegularizedMLPRegressor().summary()


def test_summary_of_a_pickled_model():
    model = fitted(**FITS["groups"])
    assert str(pickle.loads(pickle.dumps(model)).summary()) == str(model.summary())
