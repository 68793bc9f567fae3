"""Where the HTML representation of an estimator links to: its page in the documentation."""

DOCUMENTATION = "https://skmlp.readthedocs.io/en/latest"  # the one place that says where it is


class DocLinks:
    """Mixin: scikit-learn's HTML representation links to the page of the class, and by parameter.

    Classes of other packages that inherit from ours have no page, and no link.
    """

    _doc_link_module = "skmlp"
    _doc_link_template = f"{DOCUMENTATION}/api/generated/skmlp.{{name}}.html"

    def _doc_link_url_param_generator(self):
        return {"name": type(self).__name__}
