"""CONTRIBUTING.md draws the house that stands: its rooms, its floors, its files."""

import re
from pathlib import Path

import pytest
from test_structure import ENGINE, FACE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
HOUSE = TEXT.split("## The house")[1].split("## ")[0]
FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in ("skmlp", "tests", "docs")
    for path in (ROOT / folder).rglob("*.*")
]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"[\w/]+\.(?:py|md)\b", TEXT))))
def test_files_named_exist(name):
    found = [file for file in FILES if f"/{file}".endswith(f"/{name}")]
    assert found or (ROOT / name).exists()


def test_rooms_are_drawn_from_the_top_down():
    """Line by line, as far as two spaces part the names from what they are."""
    drawn = [re.split(r"\s{2,}", line.strip())[0] for line in re.findall(r"^ {4,}.*$", HOUSE, re.M)]
    floors = [sorted(re.findall(r"\w+", line)) for line in drawn if not line.startswith("skmlp")]
    engine = [sorted(floor) for floor in ENGINE]
    assert floors == [[room] for room in FACE[:-1]] + engine
    assert [line for line in drawn if line.startswith("skmlp")] == ["skmlp/", "skmlp/engine/"]
