"""Streaming rows through another process: order, failures, and what is not an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from titanium.errors import TitaniumError
from titanium.transfer.admin import AdminModule, Outcome, Row

pytestmark = pytest.mark.integration

ECHO = """
import json, sys
if sys.argv[1] == "import":
    for line in sys.stdin:
        row = json.loads(line)
        number = row["legacy_id"]
        if row.get("die"):
            sys.exit("no database")
        if row.get("quiet"):
            break
        if row.get("talk"):
            print("warning: slow", flush=True)
        print(json.dumps({"legacy_id": number, "id": number + 1, "status": "created"}), flush=True)
elif sys.argv[1] == "rotate-keys":
    print("key k signs from now on")
else:
    sys.exit("there is no user named 'x'")
"""


@pytest.fixture
def module(tmp_path: Path) -> AdminModule:
    package = tmp_path / "titanium_echo"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "admin.py").write_text(ECHO)
    return AdminModule("titanium_echo", {"PYTHONPATH": str(tmp_path)})


def test_outcomes_come_in_the_order_of_many_rows(module: AdminModule) -> None:
    rows: list[Row] = [{"legacy_id": n, "text": "글" * 500} for n in range(2000)]
    outcomes = list(module.stream(rows))
    assert outcomes == [Outcome(n, n + 1, "created") for n in range(2000)]


def test_no_rows_are_no_error(module: AdminModule) -> None:
    assert list(module.stream([])) == []


def test_lines_that_are_no_outcome_are_passed_over(module: AdminModule) -> None:
    assert len(list(module.stream([{"legacy_id": 1, "talk": True}, {"legacy_id": 2}]))) == 2


def test_a_module_that_fails_is_reported_with_its_last_line(module: AdminModule) -> None:
    rows: list[Row] = [{"legacy_id": 1}, {"legacy_id": 2, "die": True}, {"legacy_id": 3}]
    with pytest.raises(TitaniumError, match="failed with status 1 after 1 rows") as raised:
        list(module.stream(rows))
    assert raised.value.details == ("no database",)


def test_a_module_that_leaves_rows_out_is_reported(module: AdminModule) -> None:
    with pytest.raises(TitaniumError, match="did not answer every row"):
        list(module.stream([{"legacy_id": 1}, {"legacy_id": 2, "quiet": True}]))


def test_an_error_in_the_source_of_rows_ends_the_import_and_is_raised(module: AdminModule) -> None:
    def rows() -> Iterator[Row]:
        yield {"legacy_id": 1}
        raise TitaniumError("the file is damaged")

    with pytest.raises(TitaniumError, match="the file is damaged"):
        list(module.stream(rows()))


def test_a_command_returns_its_sentence_or_raises_its_reason(module: AdminModule) -> None:
    assert module.run("rotate-keys") == "key k signs from now on"
    with pytest.raises(TitaniumError, match="there is no user named 'x'") as raised:
        module.run("disable", "--", "x", hint="Check the name.")
    assert raised.value.hint == "Check the name."
