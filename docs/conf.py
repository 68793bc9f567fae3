"""The documentation site: `make docs`, or `make docs-gallery` to run the examples before it."""

import re
import zlib
from pathlib import Path

import skmlp

HERE = Path(__file__).parent
ROOT = HERE.parent
FIGURES = ROOT / "examples" / "figures"

project = "skmlp"
author = "skmlp developers"
version = release = skmlp.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "inventories"]
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # a function is a setting of sphinx-gallery

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_default_options = {"members": True, "inherited-members": True}
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "skmlp"
html_static_path = ["_static"]
html_css_files = ["site.css"]
alone = ["benchmarks", "exactness", "getting_started", "mathematics", "save_and_serve"]
html_sidebars = {page: [] for page in [*alone, "moving/index"]}  # whose table is wide
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def inventory(path):
    """A file for intersphinx of the names that are cited, so that a build needs no network."""
    head = f"# Sphinx inventory version 2\n# Project: {path.stem}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    made = HERE / "_build" / "inventories" / f"{path.stem}.inv"
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(head.encode() + zlib.compress(path.read_bytes()))
    return str(made)


intersphinx_mapping = {
    name: (url, inventory(HERE / "inventories" / f"{name}.txt"))
    for name, url in {
        "sklearn": "https://scikit-learn.org/stable/",
    }.items()
}


def in_order(path):
    """The main job first, the others by name."""
    return (not path.endswith("demo.py"), path)


plot_gallery = "False"  # they are run by themselves, and their figures are in the repository
sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/(demo|plot_\w+)\.py$",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": in_order,
    "backreferences_dir": None,
    "write_computation_times": False,
}


def show_figure(app, docname, source):
    """Put the figure of an example on its page, above the code."""
    figure = FIGURES / f"{Path(docname).name}.png"
    if docname.startswith("auto_examples/") and figure.exists():
        head, code, rest = source[0].partition(".. GENERATED FROM PYTHON SOURCE LINES")
        image = f".. image:: /../examples/figures/{figure.name}\n   :alt: the figure\n\n"
        source[0] = head + image + code + rest


def show_thumbnails(app):
    """Put small copies of the figures into the gallery."""
    from sphinx_gallery.utils import scale_image

    thumbs = HERE / "auto_examples" / "images" / "thumb"
    for figure in FIGURES.glob("*.png"):
        scale_image(str(figure), str(thumbs / f"sphx_glr_{figure.stem}_thumb.png"), 400, 280)


def link_to_gallery(app, docname, source):
    """Links to examples, which in the repository are files, lead to their pages."""
    link = re.compile(r"\((?:\.\./)+examples(?:/(\w+)\.py)?\)")
    source[0] = link.sub(lambda found: f"(/auto_examples/{found[1] or 'index'}.rst)", source[0])


def setup(app):
    app.connect("builder-inited", show_thumbnails, priority=900)
    app.connect("source-read", show_figure)
    app.connect("source-read", link_to_gallery)
