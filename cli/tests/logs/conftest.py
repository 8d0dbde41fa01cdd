"""Folders of logs for tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from titanium.state import FORMAT

START = datetime(2026, 11, 20, 3, 0, 0, tzinfo=UTC).timestamp()


def entry(second: float, event: str = "request", level: str = "info", **members: object) -> str:
    """A JSON line, `second` seconds after START."""
    ts = datetime.fromtimestamp(START + second, UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"ts": ts, "level": level, "event": event, **members})


@dataclass(frozen=True)
class Logs:
    """A folder of logs."""

    folder: Path

    def write(self, name: str, *lines: str | bytes, end: bytes = b"\n") -> None:
        """Append lines to the file `name`."""
        written = [one if isinstance(one, bytes) else one.encode() for one in lines]
        with (self.folder / name).open("ab") as file:
            file.write(b"\n".join(written) + end)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    (tmp_path / "version").write_text(f"{FORMAT}\n")
    folder = tmp_path / "logs"
    folder.mkdir()
    return Logs(folder)
