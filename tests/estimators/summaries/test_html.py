"""The HTML representation links to the page of the class in the documentation."""

import re

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmlp
from skmlp import RegularizedMLPClassifier, RegularizedMLPRegressor
from skmlp.doc_links import DOCUMENTATION

ESTIMATORS = [
    getattr(skmlp, name) for name in skmlp.__all__ if hasattr(getattr(skmlp, name), "get_params")
]


def instance(estimator):
    is_search = estimator.__name__.startswith("Batched")
    return estimator(RegularizedMLPRegressor(), {"alpha": [1]}) if is_search else estimator()


def test_all_estimators_are_looked_at():
    assert {RegularizedMLPRegressor, RegularizedMLPClassifier} < set(ESTIMATORS)
    assert len(ESTIMATORS) >= 6


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_page_of_the_class(estimator):
    page = f"{DOCUMENTATION}/api/generated/skmlp.{estimator.__name__}.html"
    links = re.findall(r'href="([^"#]*)', instance(estimator)._repr_html_())
    assert page in links


def test_page_inside_a_pipeline():
    html = make_pipeline(StandardScaler(), RegularizedMLPRegressor())._repr_html_()
    links = re.findall(r'href="([^"#]*)', html)
    assert f"{DOCUMENTATION}/api/generated/skmlp.RegularizedMLPRegressor.html" in links
    assert any("StandardScaler" in link and "scikit-learn.org" in link for link in links)


def test_classes_of_others_have_no_page():
    class Own(RegularizedMLPRegressor):
        """Of another package."""

    assert Own()._get_doc_link() == ""
