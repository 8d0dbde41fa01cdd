"""docs/requirements.md names tests that exist, and covers the bars that it must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "requirements.md"
PROOF = re.compile(r"([A-Za-z0-9_./-]+\.py)::(\w+)")
BARS = (
    *(2, 3, 4, *range(6, 11), 12, 13, 15, 17, 18, 19, 21, 22, *range(24, 29), 30, 31),
    *(*range(33, 40), *range(41, 53), *range(54, 59)),
)


def rows() -> list[list[str]]:
    """The cells of every requirement: id, level, promise, proof."""
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.fullmatch(r"[A-Z]+-\d+", row[0])]


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
    row = next((row for row in rows() if row[2].startswith(f"Bar {bar}:")), None)
    assert row is not None
    assert f"::test_bar_{bar}_" in row[3]
    assert row[1] == "must"
