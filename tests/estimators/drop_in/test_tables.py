"""Tables of pandas and polars: the numbers of arrays, and names that are kept and checked."""

from datetime import date, timedelta

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_diabetes

from skmlp import (
    BatchedGridSearchCV,
    RegularizedMLPClassifier,
    RegularizedMLPRegressor,
    RegularizedMLPRegressorCV,
    check_monotonic,
    regularization_path,
    stability_selection,
)

DATA = load_diabetes()
NAMES = DATA.feature_names
X, y = 20 * DATA.data, DATA.target
GROUPS = np.arange(len(y)) // 2
LASSO = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0, "l1_per_layer": 0.1}
SMALL = {"hidden_layer_sizes": 3, "max_iter": 3, "random_state": 0}
LINEAR = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
CHANGED = {"renamed": [*NAMES[:-1], "other"], "in another order": NAMES[::-1]}

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


def table(library, X=X, names=NAMES):
    return library.DataFrame({name: X[:, j] for j, name in enumerate(names)})


def test_numbers_are_those_of_arrays(library):
    data = table(library), library.Series(y)
    rows = {"sample_weight": library.Series(np.linspace(1, 2, len(y)))}
    model = RegularizedMLPRegressor(**SMALL).fit(*data, **rows, X_val=data[0], y_val=data[1])
    arrays = RegularizedMLPRegressor(**SMALL)
    arrays.fit(X, y, rows["sample_weight"].to_numpy(), X_val=X, y_val=y)
    assert_array_equal(model.feature_names_in_, NAMES)
    assert model.validation_loss_curve_ == arrays.validation_loss_curve_
    assert_array_equal(model.predict(data[0]), arrays.predict(X))
    assert model.score(*data) == arrays.score(X, y)
    going_on = RegularizedMLPRegressor(**SMALL).partial_fit(*data)
    assert_array_equal(going_on.feature_names_in_, NAMES)


@pytest.mark.parametrize(
    "by_name, by_place",
    [
        ({"penalty_factor": {"bmi": 0, "s1": 3}}, {"penalty_factor": [1, 1, 0, 1, 3, *[1] * 5]}),
        ({"upper_limits": {"bmi": 0}}, {"upper_limits": [*[np.inf] * 2, 0, *[np.inf] * 7]}),
        ({"feature_groups": ["s*"]}, {"feature_groups": [[1, *range(4, 10)]]}),
        ({"feature_groups": [["age", "s6"]]}, {"feature_groups": [[0, 9]]}),
    ],
    ids=str,
)
def test_parameters_by_name(library, by_name, by_place):
    is_grouped = "feature_groups" in by_name
    penalty = {**LASSO, "l1_per_layer": 0.0, "group_l1": 0.05} if is_grouped else LASSO
    named = RegularizedMLPRegressor(**penalty, **by_name).fit(table(library), y)
    placed = RegularizedMLPRegressor(**penalty, **by_place).fit(X, y)
    assert_array_equal(named.coefs_[0], placed.coefs_[0])
    plain = RegularizedMLPRegressor(**penalty).fit(X, y)
    assert (named.coefs_[0] != plain.coefs_[0]).any()
    assert_array_equal(named.selected_features_, np.array(NAMES)[named.get_support()])


def test_monotone_by_name(library):
    params = {**SMALL, "activation": "tanh", "monotonic_cst": {"bmi": 1, "s3": -1}}
    model = RegularizedMLPRegressor(**params).fit(table(library), y)
    found = {f.feature: f.direction for f in check_monotonic(model, table(library))}
    assert (found["bmi"], found["s3"]) == ("increasing", "decreasing")
    assert list(found) == NAMES


def fits(library):
    """What predicts or looks at a table, by name."""
    data, target = table(library), library.Series(y)
    network = RegularizedMLPRegressor(**SMALL).fit(data, target)
    linear = LINEAR.fit(data, target)
    path = regularization_path(linear, data, target, n_strengths=3)
    cv = RegularizedMLPRegressorCV(linear, n_strengths=3, keep_folds=True, cv=3)
    cv.fit(data, target, groups=library.Series(GROUPS))
    search = BatchedGridSearchCV(RegularizedMLPRegressor(**SMALL), {"alpha": [1, 2]}, cv=2)
    labels = library.Series(np.where(y > 150, "a", "b"))
    classes = RegularizedMLPClassifier(**SMALL).fit(data, labels)
    return {
        "network": network.predict,
        "path": lambda X: path.predict(X, path.strengths[0]),
        "cv": cv.predict,
        "strength": lambda X: cv.predict(X, strength=cv.strengths_[0]),
        "interval": cv.predict_interval,
        "search": search.fit(data, target).predict,
        "classes": classes.predict,
        "probabilities": classes.predict_proba,
        "validation": lambda X: RegularizedMLPRegressor(**SMALL).fit(
            data, target, X_val=X, y_val=target
        ),
        "check_monotonic": lambda X: check_monotonic(network, X),
    }


def test_names_are_checked_wherever_rows_are_handed_over(library):
    for call in fits(library).values():
        call(table(library))
        for columns in CHANGED.values():
            changed = table(library, names=columns)
            with pytest.raises(ValueError, match="feature names should match"):
                call(changed)


def test_choices_have_names(library):
    data, target = table(library), library.Series(y)
    path = regularization_path(LINEAR, data, target, n_strengths=3)
    assert_array_equal(path.feature_names, NAMES)
    groups = library.Series([f"patient {g:03}" for g in GROUPS])
    settings = {"n_subsamples": 6, "n_strengths": 8, "max_false": 5, "random_state": 0}
    found = stability_selection(LINEAR, data, target, groups=groups, **settings)
    assert {"bmi", "s5"} <= {*found.selected_features} < {*NAMES}
    placed = stability_selection(LINEAR, X, y, groups=GROUPS, **settings)
    assert_array_equal(found.frequency, placed.frequency)
    cv = RegularizedMLPRegressorCV(LINEAR, n_strengths=3, selection="1se", cv=3).fit(data, target)
    assert {*cv.selected_features_} < {*NAMES}


def test_single_precision_is_kept(library):
    data = table(library, X.astype(np.float32))
    model = RegularizedMLPRegressor(**SMALL).fit(data, y, X_val=data, y_val=y)
    single = X.astype(np.float32)
    arrays = RegularizedMLPRegressor(**SMALL).fit(single, y, X_val=single, y_val=y)
    assert {coef.dtype for coef in model.coefs_} == {np.dtype("float32")}
    assert_array_equal(model.predict(data), arrays.predict(single))
    assert model.validation_loss_curve_ == arrays.validation_loss_curve_


@pytest.mark.parametrize("value", [date(2020, 1, 1), timedelta(days=1)])
def test_dates_are_no_numbers(library, value):
    days = np.array([value] * len(y), dtype="O")
    if library.__name__ == "pandas":
        days = library.to_datetime(days) if isinstance(value, date) else library.to_timedelta(days)
    data = library.DataFrame({"bmi": X[:, 0], "day": list(days)})
    with pytest.raises(ValueError, match="X must hold numbers, got values of dtype"):
        RegularizedMLPRegressor(**LASSO).fit(data, y)
    with pytest.raises(ValueError, match="y must hold numbers, got values of dtype"):
        RegularizedMLPRegressor(**LASSO).fit(X, data["day"])


def test_missing_values_are_named(library):
    data = library.DataFrame({"bmi": [None, *X[1:, 0]], "s1": X[:, 1]})
    with pytest.raises(ValueError, match="Input X contains NaN"):
        RegularizedMLPRegressor(**LASSO).fit(data, y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        RegularizedMLPRegressor(**LASSO).fit(X, data["bmi"])
