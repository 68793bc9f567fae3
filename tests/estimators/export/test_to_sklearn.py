"""Fitted networks as scikit-learn's: equal predictions, or an error that says what is missing."""

import pickle

import numpy as np
import pytest
from exported_models import (
    AS_SKLEARN,
    BEYOND_SKLEARN,
    NEW,
    SMALL,
    TARGETS,
    X,
    chosen,
    classifier,
    quiet_fit,
    regressor,
    with_offset,
    y,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor, RegularizedMLPRegressorCV


def exported(model):
    """scikit-learn's model, through a pickle."""
    model = model.to_sklearn()
    check_is_fitted(model)
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("name", AS_SKLEARN)
def test_regressors_predict_alike(name):
    ours = regressor(name)
    theirs = exported(ours)
    assert type(theirs) is MLPRegressor
    rows = NEW.astype(np.float32) if name == "float32" else NEW
    tolerance = 1e-6 if name == "float32" else 1e-12
    expected = ours.predict(rows)
    for given in (rows, sparse.csr_array(rows)):
        assert_allclose(theirs.predict(given), expected, rtol=tolerance)
    assert theirs.predict(rows).dtype == expected.dtype
    assert theirs.score(rows, 2 * expected) == pytest.approx(r2_score(2 * expected, expected))


@pytest.mark.parametrize("name", TARGETS)
def test_classifiers_predict_alike(name):
    ours = classifier(name)
    theirs = exported(ours)
    assert type(theirs) is MLPClassifier
    assert_array_equal(theirs.classes_, ours.classes_)
    assert_array_equal(theirs.predict(NEW), ours.predict(NEW))
    assert_allclose(theirs.predict_proba(NEW), ours.predict_proba(NEW), rtol=1e-12)
    assert_allclose(theirs.predict_log_proba(NEW), ours.predict_log_proba(NEW), rtol=1e-9)
    assert theirs.score(X, TARGETS[name]) == ours.score(X, TARGETS[name])


@pytest.mark.parametrize("name", ["y", "binary"])
def test_networks_chosen_by_cross_validation(name):
    ours = chosen(name)
    theirs = exported(ours)
    assert theirs.hidden_layer_sizes == tuple(map(len, ours.intercepts_[:-1]))
    assert_allclose(theirs.predict(NEW), ours.predict(NEW), rtol=1e-12)
    model = ours.path_.models[-1]
    assert_allclose(model.to_sklearn().predict(NEW), model.predict(NEW), rtol=1e-12)


@pytest.mark.parametrize("name", AS_SKLEARN)
def test_parameters_are_shared_where_scikit_learn_allows_them(name):
    ours, theirs = regressor(name), exported(regressor(name))
    theirs._validate_params()
    links = {"poisson": "poisson", "gamma": "poisson", "tweedie": "poisson"}
    assert theirs.loss == links.get(name, "squared_error")
    expected = MLPRegressor().get_params() if name == "alphas" else ours.get_params()
    assert theirs.alpha == expected["alpha"]
    for parameter in ("solver", "max_iter", "random_state", "hidden_layer_sizes"):
        assert getattr(theirs, parameter) == getattr(ours, parameter)
    assert theirs.n_iter_ == ours.n_iter_
    assert (theirs.n_layers_, theirs.out_activation_) == (ours.n_layers_, ours.out_activation_)


def test_names_of_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    theirs = (
        RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs").fit(frame, y).to_sklearn()
    )
    assert [*theirs.feature_names_in_] == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        theirs.predict(frame.rename(columns={"a": "z"}))


def test_weights_are_copies():
    ours = quiet_fit(RegularizedMLPRegressor(**SMALL), y)
    expected = ours.predict(NEW)
    theirs = ours.to_sklearn()
    for weights in (*theirs.coefs_, *theirs.intercepts_):
        weights[:] = 0
    assert_array_equal(ours.predict(NEW), expected)
    ours.coefs_[-1] = 2 * ours.coefs_[-1]
    assert_allclose(ours.to_sklearn().predict(NEW), ours.predict(NEW), rtol=1e-12)


def test_a_step_goes_on_from_the_weights():
    """On all rows, without momentum and penalties, it is ours."""
    step = {"solver": "sgd", "momentum": 0.0, "batch_size": 60, "alpha": 0.0}
    ours = RegularizedMLPRegressor(**{**SMALL, **step}, normalize_y=False).partial_fit(X, y / 100)
    theirs = ours.to_sklearn()
    ours.partial_fit(X, y / 100)
    theirs.partial_fit(X, y / 100)
    for mine, their in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_allclose(their, mine, rtol=1e-10)
    assert (theirs.t_, len(theirs.loss_curve_)) == (ours.t_, len(ours.loss_curve_))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_does_not_stop_at_once(early_stopping):
    """Though its losses are in the units of y, where ours were not."""
    params = {"early_stopping": early_stopping, "warm_start": True, "n_iter_no_change": 3}
    params |= {"tol": 0.0, "learning_rate_init": 1e-5}
    ours = quiet_fit(RegularizedMLPRegressor(**{**SMALL, **params}), y)
    theirs = ours.to_sklearn().set_params(max_iter=8)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(X, y)
    assert theirs.n_iter_ == 8


OBSTACLES = {
    "silu": "activation='silu', not one of .*'relu'",
    "gelu": "activation='gelu', not one of",
    "softplus": "activation='softplus', not one of",
    "leaky_relu": "activation='leaky_relu', not one of",
    "layer": "normalization='layer', which does not fold into weights",
    "quantiles": "link 'ordered', that of several quantiles in order",
}


@pytest.mark.parametrize("name", BEYOND_SKLEARN)
def test_what_scikit_learn_does_not_have(name):
    message = f"MLPRegressor cannot predict exactly what .*: it has .*{OBSTACLES[name]}"
    with pytest.raises(ValueError, match=message):
        regressor(name).to_sklearn()


def test_classifiers_that_scikit_learn_does_not_have():
    with pytest.raises(ValueError, match=r"MLPClassifier cannot .* activation='silu'"):
        classifier("named", activation="silu").to_sklearn()
    with pytest.raises(ValueError, match=r"MLPClassifier cannot .* normalization='layer'"):
        classifier("binary", normalization="layer").to_sklearn()
    alone = quiet_fit(RegularizedMLPClassifier(**SMALL), np.full(60, "a"))
    with pytest.raises(ValueError, match=r"a class beside the only one, .*'a'"):
        alone.to_sklearn()


def test_an_offset_is_refused_whether_or_not_it_was_warned_of():
    model = with_offset()
    with pytest.warns(UserWarning, match="fitted with an offset"):
        model.predict(NEW)
    for _ in range(2):
        with pytest.raises(ValueError, match="fitted with an offset, and predict takes none"):
            model.to_sklearn()


def test_an_offset_of_a_network_chosen_by_cross_validation():
    model = RegularizedMLPRegressorCV(n_strengths=3, cv=2, n_average=1, alphas=[1.0])
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.fit(X, y, offset=X[:, 2]).to_sklearn()


def test_a_loss_that_this_version_does_not_have(monkeypatch):
    """Before it had a log link."""
    constraints = MLPRegressor._parameter_constraints
    options = [type(constraints["loss"][0])({"squared_error"})]
    monkeypatch.setitem(constraints, "loss", options)
    with pytest.raises(ValueError, match="it has the link 'exp', of none of its losses"):
        regressor("gamma").to_sklearn()


@pytest.mark.parametrize("kind", [RegularizedMLPRegressor, RegularizedMLPRegressorCV])
def test_a_model_that_is_not_fitted(kind):
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted"):
        kind().to_sklearn()
