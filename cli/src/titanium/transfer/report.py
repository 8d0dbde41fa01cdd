"""What an import did, for people and as a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from titanium.errors import EXIT_REJECTED, TitaniumError
from titanium.files import write_atomically
from titanium.transfer.sqlite_file import Value


class RejectedRowsError(TitaniumError):
    """Everything else was moved; these rows are in a file."""

    exit_code = EXIT_REJECTED

    def __init__(self, number: int, path: Path) -> None:
        rows = "1 row was" if number == 1 else f"{number} rows were"
        super().__init__(
            f"{rows} rejected; {path} has them whole, with the reasons",
            "Correct them in the SQLite file and run the command again: it adds what is missing.",
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not moved: its table, its stored values and why."""

    table: str
    row: Mapping[str, Value]
    reason: str

    @property
    def label(self) -> str:
        """The row's id as people write it."""
        value = self.row.get("id")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    @property
    def order(self) -> int:
        """Sorts rows of one table; what has no number comes first."""
        value = self.row.get("id")
        return value if isinstance(value, int) else 0


@dataclass(slots=True)
class Tally:
    """Rows of one table; `ready` counts rows that a dry run found good."""

    read: int = 0
    created: int = 0
    existing: int = 0
    rejected: int = 0
    ready: int = 0


@dataclass(slots=True)
class Report:
    """The whole import. `kept` are posts (legacy ids) that were changed or deleted on the
    platform after an earlier import; `mismatches` are sentences about what was not read back
    as it was written, and should never have a member."""

    users: Tally = field(default_factory=Tally)
    posts: Tally = field(default_factory=Tally)
    rejected: list[Rejected] = field(default_factory=list)
    placeholders: list[str] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    verified: int = 0
    mismatches: list[str] = field(default_factory=list)


def _plain(value: Value) -> Any:
    """A stored value as JSON; bytes that are no text become `{"base64": ...}`."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


def write_rejected(report: Report, source: Path, moment: datetime, folder: Path) -> Path:
    """Write every rejected row, whole, to `import-rejected-<time>.json` (0600: it has password
    hashes) in `folder`; returns its path."""
    path = folder / f"import-rejected-{moment:%Y%m%dT%H%M%S}.json"
    body = {
        "file": str(source),
        "time": moment.isoformat(),
        "rejected": [
            {
                "table": item.table,
                "reason": item.reason,
                "row": {name: _plain(value) for name, value in item.row.items()},
            }
            for item in report.rejected
        ],
    }
    try:
        write_atomically(path, json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise TitaniumError(
            f"{path} cannot be written: {error.strerror}",
            "Run the command again in a folder that you may write to; "
            "what was imported stays imported.",
        ) from None
    return path
