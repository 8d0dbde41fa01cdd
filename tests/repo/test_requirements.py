"""docs/requirements.md names tests that exist, and covers the bars that it must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "requirements.md"
PROOF = re.compile(r"([A-Za-z0-9_./-]+\.py)::(\w+)")
# What a row promises: "Bar 2: ...", "Bars 1, 13 and 14: ...".
PROMISED = re.compile(r"Bars? ([\d, and]+):")
BARS = (
    *(*range(1, 16), 17, 18, 19, *range(21, 29), 30, 31),
    *(*range(33, 40), *range(41, 53), *range(54, 59)),
)


def rows() -> list[list[str]]:
    """The cells of every requirement: id, level, promise, proof."""
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.fullmatch(r"[A-Z]+-\d+", row[0])]


def promised(promise: str) -> set[int]:
    """The bars that a row says it reaches."""
    found = PROMISED.match(promise)
    return {int(number) for number in re.findall(r"\d+", found[1])} if found else set()


def defines(path: Path, name: str) -> bool:
    """Whether `path` is a file with a test function of that name."""
    definition = re.compile(rf"^\s*(async )?def {name}\(", re.MULTILINE)
    return path.is_file() and definition.search(path.read_text("utf-8")) is not None


def test_every_test_that_is_named_exists() -> None:
    named = PROOF.findall(PAGE.read_text("utf-8"))
    assert len(named) > len(BARS)
    assert [f"{path}::{name}" for path, name in named if not defines(ROOT / path, name)] == []


def test_every_row_is_whole_and_has_an_id_of_its_own() -> None:
    found = rows()
    names = [row[0] for row in found]
    assert len(set(names)) == len(names)
    for row in found:
        assert len(row) == 4, row[0]
        assert row[1] in ("must", "should", "could"), row[0]
        assert row[2].endswith("."), row[0]
        proven = PROOF.search(row[3]) or "`" in row[3]
        assert proven or row[1] == "could", f"{row[0]}: no test and no command"


@pytest.mark.parametrize("bar", BARS)
def test_every_bar_has_a_row_and_a_test_with_its_number(bar: int) -> None:
    found = [row for row in rows() if bar in promised(row[2])]
    assert found
    for row in found:
        assert re.search(rf"::test_bars?_(\d+_(and_)?)*{bar}_", row[3]), row[0]
        assert row[1] == "must", row[0]
