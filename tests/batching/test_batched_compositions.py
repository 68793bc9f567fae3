"""Whatever scikit-learn builds of our estimator gives the same bits in a block, in stacks."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from support.counting import (
    ALPHAS,
    GRID,
    X,
    Y,
    assert_same_search,
    network,
    pipeline,
    plain_and_batched,
    y,
)

CV = KFold(4, shuffle=True, random_state=0)
NAME = "regularizedmlpregressor__alpha"


def importances(model):
    """Size of the first layer's weights of each feature."""
    return np.abs(model.coefs_[0]).sum(axis=1)


WRAPPED = {
    "alone": (network(), "alpha"),
    "pipeline": (pipeline(), NAME),
    "pipeline in pipeline": (
        make_pipeline(QuantileTransformer(n_quantiles=10), pipeline()),
        f"pipeline__{NAME}",
    ),
    "target": (
        TransformedTargetRegressor(pipeline(), func=np.arcsinh, inverse_func=np.sinh),
        f"regressor__{NAME}",
    ),
    "target in pipeline": (
        make_pipeline(
            StandardScaler(), TransformedTargetRegressor(network(), transformer=StandardScaler())
        ),
        "transformedtargetregressor__regressor__alpha",
    ),
}


def same_in_own_threads(function):
    """The result as it is and in a block of two threads, where compiled fits need no company."""
    return plain_and_batched(function, own_threads=True, n_jobs=2)[:2]


@pytest.mark.parametrize("name", WRAPPED)
def test_grid_search_of_pipelines(name):
    estimator, parameter = WRAPPED[name]
    search = GridSearchCV(estimator, {parameter: ALPHAS}, cv=5)
    plain, batched, sizes = plain_and_batched(lambda: clone(search).fit(X, y))
    assert_same_search(plain, batched)
    assert sizes == [20, 1]
    assert_same_search(*same_in_own_threads(lambda: clone(search).fit(X, y)))


@pytest.mark.parametrize(
    "params, expected",
    [
        ({"scoring": ["r2", "neg_mean_squared_error"], "refit": "r2"}, [12, 1]),
        ({"scoring": lambda m, X, y: {"a": m.score(X, y), "b": 1.0}, "refit": "a"}, [12, 1]),
        ({"return_train_score": True}, [12, 1]),
        ({"refit": False}, [12]),
        ({"refit": lambda results: 2}, [12, 1]),
        ({"n_jobs": -1, "pre_dispatch": "all"}, [12, 1]),
        ({"n_jobs": 2, "pre_dispatch": 3}, [3, 3, 3, 3, 1]),
        ({"n_jobs": 1}, [1] * 13),
    ],
)
def test_options_of_searches(params, expected):
    search = GridSearchCV(pipeline(), GRID, cv=3, **params)
    plain, batched, sizes = plain_and_batched(lambda: clone(search).fit(X, y))
    assert_same_search(plain, batched)
    assert sizes == expected


@pytest.mark.parametrize(
    "search, expected",
    [
        (RandomizedSearchCV(pipeline(), {NAME: np.logspace(-3, 1, 50)}, n_iter=7), [35, 1]),
        (HalvingGridSearchCV(network(), {"alpha": ALPHAS}, factor=2, cv=3), [12, 6, 3, 1]),
        (
            HalvingRandomSearchCV(
                network(), {"alpha": np.logspace(-3, 1, 50)}, n_candidates=6, factor=3, cv=3
            ),
            [18, 6, 1],
        ),
    ],
)
def test_other_searches(search, expected):
    search.set_params(random_state=0)
    plain, batched, sizes = plain_and_batched(lambda: clone(search).fit(X, y))
    assert_same_search(plain, batched)
    assert sizes == expected


@pytest.mark.parametrize(
    "grid",
    [
        {"activation": ["relu", "tanh", "logistic", "gelu"]},
        {"solver": ["adam", "sgd", "lbfgs"], "l1_per_layer": [0.0, 0.01]},
        {"normalization": [None, "batch", "layer"], "dropout": [0.0, 0.3]},
        {"early_stopping": [False, True], "batch_size": [7, 200], "max_iter": [4, 40]},
        {"hidden_layer_sizes": [(), (3,), (4, 2)], "positive_weights": [False, True]},
    ],
    ids=lambda grid: next(iter(grid)),
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_kind_of_network(grid, dtype):
    """Folds of unequal size, and models that leave their stack early."""
    data = X[:58].astype(dtype), y[:58]
    search = GridSearchCV(network(), grid, cv=3, return_train_score=True)
    plain, batched, sizes = plain_and_batched(lambda: clone(search).fit(*data))
    assert_same_search(plain, batched)
    for a, b in zip(plain.best_estimator_.coefs_, batched.best_estimator_.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sizes == [3 * len(plain.cv_results_["params"]), 1]
    assert_same_search(*same_in_own_threads(lambda: clone(search).fit(*data)))


COMPOSITIONS = {
    "cross_validate": (
        lambda: cross_validate(pipeline(), X, y, cv=CV, return_train_score=True)["train_score"],
        [4],
    ),
    "cross_val_predict": (lambda: cross_val_predict(pipeline(), X, y, cv=CV), [4]),
    "learning_curve": (
        lambda: np.hstack(learning_curve(pipeline(), X, y, cv=CV, train_sizes=[0.3, 1.0])[1:3]),
        [8],
    ),
    "validation_curve": (
        lambda: np.hstack(
            validation_curve(pipeline(), X, y, param_name=NAME, param_range=ALPHAS, cv=CV)
        ),
        [16],
    ),
    # The folds of one permutation are fitted in a loop inside of its task.
    "permutation_test_score": (
        lambda: permutation_test_score(pipeline(), X, y, cv=CV, n_permutations=9, random_state=0)[
            1
        ],
        [1] * 4 + [9] * 4,
    ),
    "bagging": (
        lambda: BaggingRegressor(pipeline(), 11, random_state=0).fit(X, y).predict(X),
        [11],
    ),
    "several outputs": (lambda: MultiOutputRegressor(pipeline()).fit(X, Y).predict(X), [3]),
    "chain": (lambda: RegressorChain(pipeline()).fit(X, Y).predict(X), [1, 1, 1]),
    "stacking": (
        lambda: (
            StackingRegressor([("a", pipeline()), ("b", network(alpha=5.0)), ("r", Ridge())], cv=CV)
            .fit(X, y)
            .predict(X)
        ),
        [2, 8],
    ),
    "voting": (
        lambda: (
            VotingRegressor([("a", pipeline()), ("b", network(alpha=5.0))]).fit(X, y).predict(X)
        ),
        [2],
    ),
    "rfecv": (
        lambda: (
            RFECV(network(), cv=CV, importance_getter=importances)
            .fit(X, y)
            .cv_results_["mean_test_score"]
        ),
        [4, 4, 4, 4],
    ),
    "nested search": (
        lambda: cross_val_score(GridSearchCV(pipeline(), GRID, cv=3), X, y, cv=CV),
        [48, 4],
    ),
    "search of bags": (
        lambda: (
            GridSearchCV(
                BaggingRegressor(pipeline(), 3, random_state=0),
                {f"estimator__{NAME}": ALPHAS},
                cv=CV,
            )
            .fit(X, y)
            .cv_results_["mean_test_score"]
        ),
        [16, 16, 16, 3],
    ),
    "bag of searches": (
        lambda: (
            BaggingRegressor(GridSearchCV(pipeline(), GRID, cv=2), 3, random_state=0)
            .fit(X, y)
            .predict(X)
        ),
        [24, 3],
    ),
    "with a forest": (
        lambda: (
            StackingRegressor(
                [("a", pipeline()), ("f", RandomForestRegressor(2, n_jobs=2, random_state=0))],
                cv=CV,
            )
            .fit(X, y)
            .predict(X)
        ),
        [1, 4],
    ),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_compositions(name):
    function, expected = COMPOSITIONS[name]
    plain, batched, sizes = plain_and_batched(function)
    np.testing.assert_array_equal(plain, batched)
    assert sizes[: len(expected)] == expected
    np.testing.assert_array_equal(*same_in_own_threads(function))


def test_weights_and_groups_by_metadata_routing():
    weights, groups = np.linspace(0.5, 2.0, 60), np.arange(60) % 6

    def fit():
        with sklearn.config_context(enable_metadata_routing=True):
            model = network().set_fit_request(sample_weight=True)
            model.set_score_request(sample_weight=True)
            search = GridSearchCV(model, {"alpha": ALPHAS}, cv=GroupKFold(3))
            return search.fit(X, y, sample_weight=weights, groups=groups)

    plain, batched, sizes = plain_and_batched(fit)
    assert_same_search(plain, batched)
    assert sizes == [12, 1]


def test_global_random_state_is_drawn_in_the_same_order():
    """Clones of a RandomState draw equally; random_state=None does not touch numpy's global one."""

    def fit():
        np.random.seed(0)  # noqa: NPY002
        state = np.random.RandomState(3)
        cv = KFold(3, shuffle=True)
        scores = cross_val_score(network(random_state=state), X, y, cv=cv)
        return [*scores, np.random.rand()]  # noqa: NPY002

    plain, batched, sizes = plain_and_batched(fit)
    np.testing.assert_array_equal(plain, batched)
    assert sizes == [3]


def test_other_estimators_are_not_concerned():
    """Two trees: the sum of more depends on which thread ends first, in a block or not."""
    forest = RandomForestRegressor(2, n_jobs=2, random_state=0)
    plain, batched, sizes = plain_and_batched(lambda: cross_val_score(forest, X, y, cv=CV))
    np.testing.assert_array_equal(plain, batched)
    assert sizes == []
