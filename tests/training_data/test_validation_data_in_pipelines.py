"""Validation rows are transformed as training rows are where a Pipeline is told to."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skmlp import RegularizedMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)) * [1.0, 100.0, 0.01] + [0.0, 50.0, 3.0]
y = np.tanh(X[:, 0]) + X[:, 1] / 100
TRAIN, VALIDATION = slice(0, 60), slice(60, 80)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pipeline_scales_validation_rows_by_the_training_rows(early_stopping):
    params = {"early_stopping": early_stopping, "max_iter": 15, "random_state": 0}
    scaler = StandardScaler().fit(X[TRAIN])
    by_hand = RegularizedMLPRegressor(**params).fit(
        scaler.transform(X[TRAIN]),
        y[TRAIN],
        X_val=scaler.transform(X[VALIDATION]),
        y_val=y[VALIDATION],
    )
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = RegularizedMLPRegressor(**params).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("mlp", mlp)]
        model = Pipeline(steps, transform_input=["X_val"])
        model.fit(X[TRAIN], y[TRAIN], X_val=X[VALIDATION], y_val=y[VALIDATION])
    assert_array_equal(mlp.validation_loss_curve_, by_hand.validation_loss_curve_)
    assert_array_equal(model.predict(X), by_hand.predict(scaler.transform(X)))
