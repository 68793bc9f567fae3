"""Paths with parameters, data and scores at the edge of sense, or without a network."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.paths_of_networks import (
    N_FEATURES,
    N_ROWS,
    UNRELATED,
    WIDE,
    WIDE_Y,
    X,
    cv_of,
    network,
    path_of,
    y,
)
from support.searches_of_strengths import ENTRIES, NETWORK, run_path

from skmlp import RegularizedMLPRegressor, RegularizedMLPRegressorCV, default_network

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"strengths": [0.1, -1.0]}, r"strengths must be a list of finite .*, got \[0.1, -1.0\]"),
        ({"strengths": []}, "strengths must be a list of finite numbers > 0"),
        ({"strengths": [np.nan]}, "strengths must be a list of finite numbers > 0"),
        ({"strengths": [[0.1, 0.2]]}, r"strengths must be a list of .*, got \[\[0.1, 0.2\]\]"),
        ({"strengths": ["a"]}, r"strengths must hold numbers, got \['a'\]"),
        ({"param": "alpha"}, "'param' parameter"),
        ({"eps": 1.0}, "'eps' parameter"),
        ({"n_init": 0}, "'n_init' parameter"),
        ({"adaptive": "yes"}, "'adaptive' parameter"),
        ({"l1_ratio": -0.1}, "'l1_ratio' parameter"),
        ({"l1_ratio": 0.0}, "l1_ratio=0 is a path of L2 alone"),
    ],
)
def test_parameters_without_meaning(change, message):
    with pytest.raises(ValueError, match=message):
        path_of(**change)
    with pytest.raises(ValueError, match=message):
        cv_of(**change).fit(X, y)


def test_later_layers_need_a_penalty():
    for model in (network(alpha=9e-5), network(hidden_layer_sizes=(4, 3), alpha=[1.0, 1.0, 0.0])):
        with pytest.raises(ValueError, match="needs a penalty on every later layer"):
            path_of(model)
    assert path_of(network(alpha=0.0, l1_per_layer=[0, 0.01])).n_features[-1] == 0
    assert path_of(network(alpha=0.0), param="l1_per_layer").n_features[-1] == 0


def test_the_estimator_must_be_a_network():
    with pytest.raises(ValueError, match=r"must be a RegularizedMLPRegressor or .*, got Pipeline"):
        path_of(make_pipeline(StandardScaler(), network()))


def test_all_features_dropped():
    model = cv_of(strengths=[40.0, 80.0]).fit(X, y)
    assert not model.get_support().any()
    assert_allclose(model.predict(X[:3]), np.full(3, y.mean()), rtol=1e-12)
    assert model.strength_ == model.strength_1se_ == 80.0


def test_noise_alone_has_a_path_from_its_dense_end():
    """Also where the initial network of the adaptive penalty has dropped all features."""
    model = cv_of(strengths=[1e-4, 1.0, 50.0]).fit(X, UNRELATED)
    assert model.n_features_path_[0] > 0
    assert model.n_features_path_[-1] == 0
    assert model.strength_1se_ == 50.0


def test_no_penalty_strong_enough():
    model = cv_of(strengths=[1e-6, 1e-5], adaptive=False).fit(X, y)
    assert_array_equal(model.n_features_path_, [N_FEATURES, N_FEATURES])


@pytest.mark.parametrize("adaptive", [False, True])
def test_constant_and_equal_columns(adaptive):
    odd = np.column_stack([X, np.full(N_ROWS, 7.0), X[:, 0]])
    model = cv_of(adaptive=adaptive, n_strengths=8).fit(odd, y)
    assert model.n_features_path_[-1] == 0
    assert np.isfinite(model.mse_path_).all()
    assert model.score(odd, y) > 0.8
    assert not model.path_.support[3:, 6].any()


def test_more_features_than_rows():
    model = cv_of(n_strengths=10).fit(WIDE, WIDE_Y)
    assert model.get_support()[0]
    assert model.get_support().sum() < 30


def test_one_feature():
    model = cv_of().fit(X[:, :1], y)
    assert model.n_features_path_[-1] == 0
    assert model.get_support()[0]


def test_two_rows_a_fold():
    model = cv_of(adaptive=False, cv=6, n_strengths=3).fit(X[:12], y[:12])
    assert model.mse_path_.shape[1] == 6
    assert np.isfinite(model.mse_se_).all()


def test_constant_target():
    model = cv_of(n_strengths=3).fit(X, np.full(N_ROWS, 2.0))
    assert_allclose(model.predict(X), 2.0)


def test_strengths_with_scores_that_are_not_finite_are_not_chosen(monkeypatch):
    from skmlp.paths.running import choosing

    errors = choosing.held_out_errors

    def spoilt(problems, fits):
        table = errors(problems, fits)
        table[[0, -1], 0] = np.nan
        return table

    monkeypatch.setattr(choosing, "held_out_errors", spoilt)
    model = cv_of(adaptive=False, strengths=[1e-4, 0.05, 1.0]).fit(X, y)
    assert np.isnan(model.mse_mean_[[0, 2]]).all()
    assert model.strength_ == model.strength_1se_ == 0.05
    with pytest.raises(ValueError, match="No strength has a finite error"):
        cv_of(adaptive=False, strengths=[1e-4]).fit(X, y)


# The default network


def numbers_of(found):
    """What a run comes to, and the alpha of its network."""
    if isinstance(found, RegularizedMLPRegressorCV):
        return found.path_.objective, found.path_.models[0].alpha
    if hasattr(found, "models"):
        return found.feature_norms, found.models[0].alpha
    return found.frequency, 7


PLAIN_SETTINGS = {"adaptive": False, "strengths": [0.01, 0.1]}


@pytest.mark.parametrize("run", ENTRIES)
def test_a_plain_network_gets_the_alpha_of_the_default_one(run):
    plain = RegularizedMLPRegressor(**{**NETWORK, "alpha": 1e-4})
    with pytest.warns(UserWarning, match="default alpha=0.0001: alpha=7 is taken"):
        found = run(plain, **PLAIN_SETTINGS)
    expected = run(clone(plain).set_params(alpha=7), **PLAIN_SETTINGS)
    for one, other in zip(numbers_of(found), numbers_of(expected), strict=True):
        assert_array_equal(one, other)
    assert numbers_of(found)[1] == 7
    assert plain.alpha == 1e-4


def test_a_plain_network_keeps_its_alpha_where_it_can():
    plain, path = RegularizedMLPRegressor(**{**NETWORK, "alpha": 1e-4}), {"strengths": [0.1]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert run_path(plain, param="l1_per_layer", **path).models[0].alpha == 1e-4
        share = run_path(plain, l1_ratio=0.5, adaptive=False, relaxed=False, **path)
    assert share.models[0].alpha == pytest.approx(0.5 * 0.1 * 90)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("run", ENTRIES)
def test_none_is_the_default_network(run):
    found = run(None, **PLAIN_SETTINGS)
    for given in (default_network(), default_network(feature_groups=None, alpha=7.0)):
        for one, other in zip(
            numbers_of(found), numbers_of(run(given, **PLAIN_SETTINGS)), strict=True
        ):
            assert_array_equal(one, other)


def test_parameters_of_the_default_network_can_be_others():
    network = default_network(tol=1e-2, hidden_layer_sizes=(5, 4), feature_groups=[[0, 1]])
    expected = RegularizedMLPRegressor(
        hidden_layer_sizes=(5, 4),
        solver="lbfgs",
        alpha=7,
        tol=1e-2,
        random_state=0,
        feature_groups=[[0, 1]],
    )
    assert network.get_params() == expected.get_params()
    with pytest.raises(TypeError, match="unexpected keyword argument 'alphas'"):
        default_network(alphas=1.0)


@pytest.mark.parametrize("unit", [1 / 90, 50.0])
def test_the_alpha_of_the_default_network_is_for_weights_of_mean_one(unit):
    weight = np.full(90, unit)
    plain = RegularizedMLPRegressor(**{**NETWORK, "alpha": 1e-4})
    settings = {**PLAIN_SETTINGS, "relaxed": False, "sample_weight": weight}
    assert run_path(None, **settings).models[0].alpha == 7 * weight.mean()
    with pytest.warns(UserWarning, match=f"alpha={7 * unit:.4g} is taken"):
        found = run_path(plain, **settings)
    unweighted = run_path(clone(plain).set_params(alpha=7), relaxed=False, **PLAIN_SETTINGS)
    assert_allclose(found.objective, unweighted.objective, rtol=1e-3)
