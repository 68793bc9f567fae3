"""Offsets: summands of the outputs that are known, in fits, paths, folds and pipelines."""

import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import TweedieRegressor
from sklearn.metrics import d2_tweedie_score

from skmlp import (
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    regularization_path,
    stability_selection,
)
from skmlp.training_data.validation_split import validation_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
EXPOSURE = RNG.uniform(0.1, 5, 120)
OFFSET = np.log(EXPOSURE)
COUNTS = RNG.poisson(EXPOSURE * np.exp(0.5 * X[:, 0] - 0.3 * X[:, 1])).astype(float)
Y = X @ [1.0, -1.0, 0.5, 0.0] + RNG.normal(size=120)
SHIFT = RNG.normal(size=120)
EXACT = {
    "hidden_layer_sizes": (),
    "solver": "lbfgs",
    "tol": 1e-12,
    "max_iter": 2000,
    "random_state": 0,
}
NETWORK = {"hidden_layer_sizes": 4, "activation": "tanh", "alpha": 2.0, "random_state": 0}
LOCATIONS = [
    {"loss": "squared_error"},
    {"loss": "huber"},
    {"loss": "absolute_error"},
    {"loss": "quantile", "quantile": 0.3},
    {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def linear(loss="poisson", **params):
    return RegularizedMLPRegressor(loss, **{**EXACT, "alpha": 3.0, **params})


@pytest.mark.parametrize("normalize_y", [False, True])
@pytest.mark.parametrize("power", [1, 1.5, 2])
def test_counts_with_exposure_are_rates_with_weights(power, normalize_y):
    """sum e^(2 - p) loss(y / e, f) is sum loss(y, f + log e), p the power of the variance."""
    weight = EXPOSURE ** (2 - power)
    y = COUNTS + (power == 2)
    rates = TweedieRegressor(power=power, alpha=0.1, link="log", tol=1e-12, max_iter=2000)
    rates.fit(X, y / EXPOSURE, sample_weight=weight)
    unit = y.mean() if normalize_y else 1.0
    alpha = 0.1 * weight.sum() / unit ** (2 - power)
    model = linear("tweedie", power=power, alpha=alpha, normalize_y=normalize_y)
    model.fit(X, y, offset=OFFSET)
    assert_allclose(model.coefs_[0][:, 0], rates.coef_, atol=1e-6)
    assert model.intercepts_[0][0] == pytest.approx(rates.intercept_, abs=1e-6)
    assert_allclose(model.predict(X, OFFSET), EXPOSURE * rates.predict(X), rtol=1e-5)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("params", LOCATIONS)
def test_an_offset_without_link_is_taken_from_y(params, solver):
    """Of several quantiles all move."""
    model = RegularizedMLPRegressor(solver=solver, max_iter=20, **NETWORK, **params)
    plain = sklearn.clone(model).fit(X, Y - SHIFT)
    model.fit(X, Y, offset=SHIFT)
    assert_array_equal(model.coefs_[0], plain.coefs_[0])
    expected = (plain.predict(X).T + SHIFT).T
    assert_allclose(model.predict(X, SHIFT), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_units_of_y_and_exposure_do_not_matter(loss, solver):
    """Networks with penalties as well: rates per day or year, counts in ones or thousands."""
    y, new = COUNTS + (loss == "gamma"), X[:5]
    model = RegularizedMLPRegressor(
        loss, solver=solver, max_iter=30, l1_per_layer=0.01, **NETWORK, tol=1e-5
    )
    first = sklearn.clone(model).fit(X, y, offset=OFFSET)
    other = sklearn.clone(model).fit(X, 1000 * y, offset=OFFSET + np.log(365.0))
    assert_allclose(
        other.predict(new, OFFSET[:5] + np.log(365.0)),
        1000 * first.predict(new, OFFSET[:5]),
        rtol=1e-6,
    )
    assert_array_equal(first.coefs_[0] == 0, other.coefs_[0] == 0)


def test_the_intercept_is_the_logarithm_of_the_total_rate():
    model = linear(alpha=0.0).fit(np.zeros((120, 1)), COUNTS, offset=OFFSET)
    assert model.intercepts_[0][0] == pytest.approx(np.log(COUNTS.sum() / EXPOSURE.sum()), rel=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_outputs_have_an_offset_each_or_share_one(loss):
    y, several = np.column_stack([COUNTS, COUNTS[::-1]]), np.column_stack([OFFSET, SHIFT])
    both = linear(loss, normalize_y=False).fit(X, y, offset=several)
    for k in range(2):
        single = linear(loss, normalize_y=False).fit(X, y[:, k], offset=several[:, k])
        assert_allclose(both.coefs_[0][:, k], single.coefs_[0][:, 0], atol=1e-6)
        found = both.predict(X, several)[:, k]
        assert_allclose(found, single.predict(X, several[:, k]), rtol=1e-5, atol=1e-7)
    shared = linear(loss).fit(X, y, offset=OFFSET)
    repeated = linear(loss).fit(X, y, offset=np.column_stack([OFFSET, OFFSET]))
    assert_array_equal(shared.coefs_[0], repeated.coefs_[0])


def test_a_row_of_weight_two_is_the_row_twice_and_of_weight_zero_none():
    weight = RNG.integers(0, 3, 120)
    weighted = linear().fit(X, COUNTS, sample_weight=weight.astype(float), offset=OFFSET)
    rows = np.repeat(np.arange(120), weight)
    repeated = linear().fit(X[rows], COUNTS[rows], offset=OFFSET[rows])
    assert_allclose(weighted.coefs_[0], repeated.coefs_[0], atol=1e-8)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_sparse_rows_have_the_network_of_dense_ones(solver):
    model = RegularizedMLPRegressor("poisson", solver=solver, max_iter=20, **NETWORK)
    dense = sklearn.clone(model).fit(X, COUNTS, offset=OFFSET)
    found = model.fit(sparse.csr_array(X), COUNTS, offset=OFFSET)
    assert_allclose(found.coefs_[0], dense.coefs_[0], rtol=1e-8, atol=1e-10)
    assert_allclose(found.predict(sparse.csr_array(X), OFFSET), dense.predict(X, OFFSET), rtol=1e-8)


@pytest.mark.parametrize(
    "offset, message",
    [
        (OFFSET[1:], r"offset must have shape \(120,\), got \(119,\)"),
        (np.zeros((120, 2)), r"offset must have shape \(120,\), got \(120, 2\)"),
        (np.full(120, np.inf), r"Input offset contains infinity"),
        (np.r_[np.nan, OFFSET[1:]], r"Input offset contains NaN"),
        (["a"] * 120, r"offset"),
        (1.0, r"offset"),
        (sparse.csr_array(OFFSET[:, None]), "offset must be a dense array"),
    ],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda given: linear().fit(X, COUNTS, offset=given),
        lambda given: linear().fit(X, COUNTS, offset=OFFSET).predict(X, given),
        lambda given: linear().fit(X, COUNTS, offset=OFFSET).score(X, COUNTS, offset=given),
        lambda given: regularization_path(linear(), X, COUNTS, offset=given),
        lambda given: RegularizedMLPRegressorCV(linear()).fit(X, COUNTS, offset=given),
        lambda given: stability_selection(linear(), X, COUNTS, offset=given),
    ],
    ids=["fit", "predict", "score", "path", "cv", "stability"],
)
def test_offsets_that_are_none(use, offset, message):
    with pytest.raises(ValueError, match=message):
        use(offset)


def test_several_quantiles_have_one_offset():
    model = linear("quantile", quantile=[0.2, 0.8])
    with pytest.raises(ValueError, match=r"offset must have shape \(120,\), got \(120, 2\)"):
        model.fit(X, Y, offset=np.zeros((120, 2)))


def test_prediction_without_the_offset_warns_once_and_has_none():
    model = linear().fit(X, COUNTS, offset=OFFSET)
    with pytest.warns(UserWarning, match="fitted with an offset"):
        first = model.predict(X)
    assert_allclose(first, model.predict(X, np.zeros(120)), rtol=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(model.predict(X), first)
        linear().fit(X, COUNTS).predict(X)


def test_score_is_scikit_learn_s_of_predictions_with_the_offset():
    model = linear("gamma").fit(X, COUNTS + 1, offset=OFFSET)
    expected = d2_tweedie_score(COUNTS + 1, model.predict(X, OFFSET), power=2)
    assert model.score(X, COUNTS + 1, offset=OFFSET) == pytest.approx(expected)


# Epochs


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_validation_rows_have_their_offset(loss):
    """A split of early stopping is the rows given, with their offsets."""
    params = {**NETWORK, "max_iter": 8, "early_stopping": True}
    train, others = slice(0, 90), slice(90, 120)
    y = COUNTS if loss == "poisson" else Y
    model = RegularizedMLPRegressor(loss, **params)
    model.fit(
        X[train], y[train], offset=OFFSET[train],
        X_val=X[others], y_val=y[others], offset_val=OFFSET[others],
    )  # fmt: skip
    deviance = {
        "squared_error": lambda f: 0.5 * (Y[others] - f - OFFSET[others]) ** 2,
        "poisson": lambda f: f - COUNTS[others] * np.log(f),
    }[loss]
    single = RegularizedMLPRegressor(loss, **{**params, "early_stopping": False, "max_iter": 1})
    single.set_params(normalize_y=False).fit(
        X[train], y[train], offset=OFFSET[train],
        X_val=X[others], y_val=y[others], offset_val=OFFSET[others],
    )  # fmt: skip
    predicted = single.predict(X[others], OFFSET[others])
    if loss == "squared_error":
        predicted = predicted - OFFSET[others]
    gap = deviance(predicted).mean() - single.validation_loss_curve_[-1]
    entropy = COUNTS[others] * np.log(np.maximum(COUNTS[others], 1)) - COUNTS[others]
    assert gap == pytest.approx(-entropy.mean() if loss == "poisson" else 0.0, abs=1e-10)
    assert len(model.validation_scores_) == model.n_iter_


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_early_stopping_s_own_split_carries_offsets(loss):
    """The rows drawn are as good as the same rows given."""
    model = RegularizedMLPRegressor(loss, **NETWORK, early_stopping=True, max_iter=8)
    own = sklearn.clone(model).fit(X, COUNTS, offset=OFFSET)
    mask = validation_rows(X, COUNTS[:, None], None, 0.1, 0)
    train, others = (X[~mask], COUNTS[~mask]), (X[mask], COUNTS[mask])
    validation = dict(zip(("X_val", "y_val"), others, strict=True), offset_val=OFFSET[mask])
    model.fit(*train, offset=OFFSET[~mask], **validation)
    assert_allclose(own.validation_scores_, model.validation_scores_, rtol=1e-10)


def test_validation_rows_need_an_offset_where_training_rows_have_one():
    model = RegularizedMLPRegressor("poisson", max_iter=1)
    with pytest.raises(ValueError, match="but offset_val was not provided"):
        model.fit(X, COUNTS, offset=OFFSET, X_val=X, y_val=COUNTS)
    with pytest.raises(ValueError, match="but offset was not provided"):
        model.fit(X, COUNTS, X_val=X, y_val=COUNTS, offset_val=OFFSET)
    with pytest.raises(ValueError, match="offset_val is provided, but X_val was not"):
        model.fit(X, COUNTS, offset=OFFSET, offset_val=OFFSET)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_partial_fit_goes_on_as_fit_does(loss):
    params = {**NETWORK, "max_iter": 3, "shuffle": False, "tol": 0.0}
    whole = RegularizedMLPRegressor(loss, **params).fit(X, COUNTS, offset=OFFSET)
    steps = RegularizedMLPRegressor(loss, **params)
    for _ in range(3):
        steps.partial_fit(X, COUNTS, offset=OFFSET)
    assert_allclose(steps.predict(X, OFFSET), whole.predict(X, OFFSET), rtol=1e-9)


def test_a_warm_start_from_the_solution_stays_there():
    model = linear(warm_start=True).fit(X, COUNTS, offset=OFFSET)
    before = model.coefs_[0].copy()
    model.set_params(tol=1e-6).fit(X, COUNTS, offset=OFFSET)
    assert_allclose(model.coefs_[0], before, atol=1e-8)
    assert model.n_iter_ <= 2
