"""Refits of several alphas: their errors, the choice among them, and the mean of several."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.linear_model import Lasso, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import KFold
from support.paths_of_networks import X, cv_of, network, y

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV
from skmlp.paths.running.choosing import disagreement_notes
from skmlp.paths.running.refit_surface import RefitSurface, Smoothness

ALPHAS = [0.5, 5.0, 50.0]
FOLDS = [*KFold(3).split(X)]
LINEAR = RegularizedMLPRegressor(
    hidden_layer_sizes=(), solver="lbfgs", alpha=0, normalize_y=False, random_state=0
)
FX, FY = make_friedman1(150, 7, noise=0.5, random_state=0)
FX = (FX - FX.mean(0)) / FX.std(0)
SMALL = {"n_strengths": 6, "eps": 1e-3, "adaptive": False}


def smooth_cv(**params):
    return RegularizedMLPRegressorCV(**{**SMALL, "n_average": 2, **params})


@pytest.fixture(scope="module")
def chosen():
    return smooth_cv().fit(FX, FY)


# What is compared


def test_errors_of_linear_refits_are_those_of_ridge_on_the_lasso_s_features():
    """Of all cells of the surface that were looked at, and of all features."""
    strengths = [0.01, 0.1, 0.5]
    params = {"param": "l1_per_layer", "strengths": strengths, "alphas": ALPHAS, "n_average": 1}
    model = RegularizedMLPRegressorCV(LINEAR, cv=FOLDS, **params).fit(X, y)
    results = model.cv_results_
    assert {*results["strength"]} == {0.0, *strengths}
    cells = zip(results["strength"], results["alpha"], strict=True)
    for row, (strength, alpha) in enumerate(cells):
        for k, (rows, others) in enumerate(FOLDS):
            inside = np.ones(X.shape[1], dtype=bool)
            if strength > 0:
                inside = Lasso(strength, tol=1e-12).fit(X[rows], y[rows]).coef_ != 0
            ridge = Ridge(alpha).fit(X[rows][:, inside], y[rows])
            error = np.mean((y[others] - ridge.predict(X[others][:, inside])) ** 2)
            assert results[f"fold{k}_error"][row] == pytest.approx(error, rel=1e-7)
    mean = np.mean([results[f"fold{k}_error"] for k in range(3)], axis=0)
    assert_allclose(results["mean_error"], mean, rtol=1e-12)
    ridge = Ridge(model.alpha_).fit(X[:, model.get_support()], y)
    assert_allclose(model.coefs_[0][model.get_support(), 0], ridge.coef_, rtol=1e-7)


def test_errors_of_the_alpha_chosen_are_those_of_the_path(chosen):
    results = chosen.cv_results_
    for place, strength in enumerate(chosen.strengths_):
        row = (results["strength"] == strength) & (results["alpha"] == chosen.alpha_)
        if row.any():
            assert results["mean_error"][row] == pytest.approx(chosen.mse_mean_[place], rel=1e-13)
            assert results["n_features"][row] == chosen.n_features_path_[place]
        else:
            assert np.isnan(chosen.mse_path_[place]).all()
    row = (results["strength"] == chosen.strength_) & (results["alpha"] == chosen.alpha_)
    assert chosen.mse_ == results["mean_error"][row]


def test_the_choice_predicts_and_selects(chosen):
    assert chosen.score(FX, FY) > 0.9
    assert chosen.relaxed_
    assert chosen.get_support()[:5].all()


# The rule


class _Known(RefitSurface):
    """A surface of known errors, with a standard error each."""

    def __init__(self, mean, standard_error, kinds, doubt=0.0):
        self.kinds, self._known = kinds, [np.array(mean), np.array(standard_error)]
        self.doubt = doubt

    @property
    def mean_errors(self):
        return self._known


KINDS = [Smoothness("tanh", 0.1), Smoothness("tanh", 1.0), Smoothness("tanh", 10.0)]
ERRORS = [[1.1, 1.02, 1.5], [1.0, 1.04, 1.5], [1.3, 1.05, 1.12], [np.nan, 1.09, 2.0]]


@pytest.mark.parametrize(
    "selection, error, expected",
    [
        ("min", 0.0, (1, 0)),
        ("min", 0.1, (0, 1)),  # half an error allows 1.05: alpha 1, where it is least
        ("min", 0.3, (2, 2)),
        ("1se", 0.01, (1, 0)),
        ("1se", 0.1, (3, 1)),
        ("1se", 0.13, (3, 1)),
    ],
)
def test_the_smoothest_or_the_sparsest_about_as_good(selection, error, expected):
    surface = _Known(ERRORS, np.full((4, 3), error), KINDS)
    assert surface.choose(selection) == expected


@pytest.mark.parametrize("selection", ["min", "1se"])
@pytest.mark.parametrize("doubt, error", [(0.05, 0.1), (0.3, 0.0), (0.13, 0.01)])
def test_no_standard_error_is_taken_for_less_than_the_doubt(selection, doubt, error):
    choices = [
        _Known(ERRORS, np.full((4, 3), e), KINDS, d).choose(selection)
        for e, d in [(error, doubt), (max(error, doubt), 0.0)]
    ]
    assert choices[0] == choices[1]


def test_nothing_finite_is_no_choice():
    assert _Known(np.full((2, 3), np.nan), np.zeros((2, 3)), KINDS).choose("min") is None


# The mean of several


def test_the_network_chosen_is_the_mean_of_single_ones():
    """n_average=1 with each seed of theirs, from which the network of two is made."""
    two = smooth_cv(alphas=[2.0], estimator=network(hidden_layer_sizes=5)).fit(FX, FY)
    assert [coef.shape for coef in two.coefs_] == [(7, 10), (10, 1)]
    halves = [two.coefs_[0][:, k : k + 5] for k in (0, 5)]
    outputs = [2 * two.coefs_[1][k : k + 5] for k in (0, 5)]
    biases = [two.intercepts_[0][k : k + 5] for k in (0, 5)]
    members = [
        np.tanh(FX @ first + bias) @ output + two.intercepts_[1]
        for first, bias, output in zip(halves, biases, outputs, strict=True)
    ]
    assert_allclose(two.predict(FX), np.mean(members, axis=0)[:, 0], rtol=1e-10)
    one = smooth_cv(alphas=[2.0], n_average=1, estimator=network(hidden_layer_sizes=5)).fit(FX, FY)
    assert_allclose(one.coefs_[0], halves[0], rtol=1e-12)


def test_networks_with_layer_normalisation_have_no_mean():
    normal = network(normalization="layer", hidden_layer_sizes=4, max_iter=20)
    params = {"estimator": normal, "alphas": [1.0], "strengths": [0.1]}
    assert smooth_cv(**params, n_average="auto").fit(FX, FY).coefs_[0].shape == (7, 4)
    with pytest.raises(ValueError, match="n_average=2: networks with normalization='layer'"):
        smooth_cv(**params).fit(FX, FY)


def test_the_alpha_of_the_mean_is_that_of_its_members(chosen):
    """Its L2 is the mean of theirs."""
    model = chosen.estimator_
    (first, last), squares = model.alpha, [(coef**2).sum() for coef in model.coefs_]
    assert first * 2 == pytest.approx(chosen.alpha_)
    assert last == pytest.approx(2 * chosen.alpha_)
    members = chosen.alpha_ * (squares[0] + 4 * squares[1]) / 2
    assert first * squares[0] + last * squares[1] == pytest.approx(members)
    assert model.hidden_layer_sizes == (model.coefs_[0].shape[1],)


# Rows


@pytest.mark.parametrize("estimator", [None, network(hidden_layer_sizes=5)])
def test_the_order_of_rows_does_not_matter(estimator):
    """Tables sorted by y, and by a feature, give the choice and the bits of the plain one."""
    params = {"estimator": estimator, "n_average": "auto", "subsample": 140, "adaptive": True}
    orders = [np.arange(len(FY)), np.argsort(FY), np.argsort(FX[:, 3], kind="stable")]
    plain, *sorted_ones = (smooth_cv(**params).fit(FX[order], FY[order]) for order in orders)
    for model in sorted_ones:
        assert_array_equal(model.mse_path_, plain.mse_path_)
        assert model.strength_ == plain.strength_
        assert_array_equal(model.predict(FX), plain.predict(FX))


def test_equal_rows_and_groups_lie_in_one_fold():
    """Rows that are twice there have the errors of folds that leave out both."""
    twice = np.repeat(np.arange(40), 2)
    model = cv_of(cv=4, adaptive=False).fit(X[twice], y[twice])
    grouped = cv_of(cv=4, adaptive=False).fit(X[twice], y[twice], groups=twice)
    assert 0.5 < model.mse_path_.sum() / grouped.mse_path_.sum() < 2
    apart = cv_of(cv=KFold(4, shuffle=True, random_state=0), adaptive=False)
    apart.fit(X[twice], y[twice])
    assert model.mse_path_[0].mean() > 1.3 * apart.mse_path_[0].mean()
    with pytest.raises(ValueError, match="cv=4 folds need as many groups, got n_groups=2"):
        cv_of(cv=4).fit(X, y, groups=X[:, 0] > 0)


def test_subsample_chooses_on_some_rows_and_trains_on_all():
    model = smooth_cv(subsample=60).fit(FX, FY)
    assert model.path_.models[0].objective_ != smooth_cv().fit(FX, FY).path_.models[0].objective_
    residual = FY - model.predict(FX)
    assert np.mean(residual**2) < 0.2 * FY.var()
    all_rows = smooth_cv(subsample=None).fit(FX, FY)
    assert_array_equal(all_rows.mse_path_, smooth_cv(subsample=150).fit(FX, FY).mse_path_)


def test_folds_that_disagree_are_a_warning():
    errors = np.array([[1.0, 1.0, 9.0], [1.1, 1.2, 1.0]])
    (note,) = disagreement_notes(errors, 0)
    assert "in 1 of 3 of them" in note
    assert not disagreement_notes(errors, 1)


# Around the choice


def test_other_scores_choose():
    strengths = [0.01, 0.1, 0.5]
    params = {"param": "l1_per_layer", "strengths": strengths, "cv": FOLDS}
    scored = RegularizedMLPRegressorCV(LINEAR, scoring="neg_mean_absolute_error", **params)
    scored.fit(X, y)
    for j, strength in enumerate(strengths):
        for k, (rows, others) in enumerate(FOLDS):
            lasso = Lasso(strength, tol=1e-12).fit(X[rows], y[rows])
            error = mean_absolute_error(y[others], lasso.predict(X[others]))
            assert scored.mse_path_[j, k] == pytest.approx(error, rel=1e-8)
    r2 = RegularizedMLPRegressorCV(LINEAR, scoring="r2", **params).fit(X, y)
    assert (r2.mse_mean_ < 0).any()


def test_networks_of_other_strengths_predict(chosen):
    for place in (0, 3):
        expected = chosen.path_.models[place].predict(FX)
        assert_array_equal(chosen.predict(FX, strength=chosen.strengths_[place]), expected)
    with pytest.raises(ValueError, match=r"strength must be one of the path's, .*, got 12345"):
        chosen.predict(FX, strength=12345)


def test_the_path_may_be_left_out():
    model = smooth_cv(keep_path=False, alphas=[1.0]).fit(FX, FY)
    assert not hasattr(model, "path_")
    with pytest.raises(ValueError, match="keep_path=False"):
        model.predict(FX, strength=model.strengths_[0])


def test_table_of_what_was_compared(chosen):
    frame = chosen.to_frame()
    assert_array_equal(frame["mean_error"], chosen.cv_results_["mean_error"])
    marked = frame[frame["mark"] == "chosen"]
    assert marked["strength"].tolist() == [chosen.strength_]
    assert marked["alpha"].tolist() == [chosen.alpha_]
    assert chosen.strengths_[chosen.index_min_] == chosen.strength_min_
    assert chosen.strengths_[chosen.index_1se_] == chosen.strength_1se_


def test_several_shares_of_l1():
    params = {"param": "l1_per_layer", "n_strengths": 5, "cv": FOLDS}
    several = RegularizedMLPRegressorCV(LINEAR, l1_ratio=[0.2, 0.9], **params).fit(X, y)
    single = [RegularizedMLPRegressorCV(LINEAR, l1_ratio=r, **params).fit(X, y) for r in (0.2, 0.9)]
    best = min(single, key=lambda model: model.mse_)
    assert several.l1_ratio_ == best.l1_ratio
    assert_array_equal(several.coefs_[0], best.coefs_[0])
    assert_array_equal(several.mse_path_, best.mse_path_)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"relaxed": False, "alphas": [1.0]}, "with relaxed=False give alphas=False"),
        ({"alphas": False, "n_average": 3}, "n_average=3 is the number of refits"),
        ({"alphas": [-1.0]}, r"alphas must be finite numbers >= 0, got \[-1.0\]"),
        ({"alphas": []}, "alphas must be finite numbers"),
        ({"alphas": [["a"]]}, "alphas must be finite numbers"),
        ({"l1_ratio": [0.5, 2.0]}, r"l1_ratio must hold numbers in \[0, 1\], got \[0.5, 2.0\]"),
    ],
)
def test_parameters_that_do_not_go_together(params, message):
    with pytest.raises(ValueError, match=message):
        smooth_cv(**params).fit(FX, FY)


def test_verbose_shows_what_is_compared(capsys):
    model = smooth_cv(alphas=[1.0, 10.0], verbose=True).fit(FX, FY)
    lines = capsys.readouterr().out.splitlines()
    compared = [line for line in lines if line.startswith("Refits of ")]
    errors = {float(line.split()[-1]) for line in compared}
    assert len(compared) == len(model.cv_results_["mean_error"])
    assert errors == {float(f"{error:.6g}") for error in model.cv_results_["mean_error"]}
    assert f"with alpha = {model.alpha_:.4g}, mean error" in lines[-1]
