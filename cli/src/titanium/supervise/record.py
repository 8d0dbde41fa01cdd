"""The record of what runs (`processes.json`): what the next supervisor needs to take over."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from titanium.files import write_atomically
from titanium.supervise import procfs


@dataclass(frozen=True, slots=True)
class Entry:
    """One process: enough to recognize it, to judge whether it fits, and to stop it.

    `ticks` is its start time (see procfs), `level` its depth in the plan: stopping goes from
    the deepest level up.
    """

    name: str
    pid: int
    ticks: int
    configuration: str
    level: int
    stop_signal: int
    stop_within: float
    ports: tuple[int, ...] = ()

    @property
    def alive(self) -> bool:
        return procfs.start_ticks(self.pid) == self.ticks


def save(path: Path, entries: dict[str, Entry]) -> None:
    body = {
        "boot": procfs.boot_id(),
        "processes": [asdict(entries[name]) for name in sorted(entries)],
    }
    write_atomically(path, json.dumps(body, indent=1) + "\n")


def load(path: Path) -> dict[str, Entry]:
    """Entries of processes that still run. A missing, damaged or older-boot record is empty:
    what it cannot tell, the supervisor finds by the marks in the processes' environments."""
    try:
        body: Any = json.loads(path.read_text("utf-8"))
        if body["boot"] != procfs.boot_id():
            return {}
        entries = [_entry(item) for item in body["processes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {entry.name: entry for entry in entries if entry.alive}


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(**{**item, "ports": tuple(item.get("ports", ()))})
