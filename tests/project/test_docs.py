"""The site and the README: what they link to is there, and the API is all of it."""

import re
from pathlib import Path

import pytest

import skmlp

ROOT = Path(__file__).parents[2]
MADE = {"_build", "auto_examples", "generated"}
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if not MADE & set(path.relative_to(ROOT).parts)
]


def anchors(path):
    """Those of the headings of a page, as GitHub and the site name them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.M | re.S)
    for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", text):
        file, _, anchor = link.partition("#")
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_api_has_every_public_name():
    listed = re.findall(r"^   (\w+)$", (ROOT / "docs" / "api" / "index.md").read_text(), re.M)
    assert sorted(listed) == sorted(skmlp.__all__)


def test_every_figure_is_of_an_example():
    examples = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert {path.stem for path in (ROOT / "examples" / "figures").glob("*.png")} == examples


def test_the_readme_is_one_page():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
