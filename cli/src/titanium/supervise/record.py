"""The record of what runs (`processes.json`): what the next supervisor needs to take over."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace the file in one step: a reader sees the old or the new content, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_if_changed(path: Path, text: str) -> bool:
    """Like `write_atomically`, but leaves an equal file alone; True when it wrote."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text("utf-8") == text:
            return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, text)
    return True


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
