"""What a log line is, and what can be asked about many of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

LEVELS = ("debug", "info", "warning", "error", "critical")
_ALL_LEVELS = frozenset(LEVELS)
_NAME = re.compile(r"(?:migrate-)?(.+?)(?:-\d+)?(?:-sidecar|-access|-admin)?")


def levels_from(lowest: str) -> frozenset[str]:
    """`lowest` and every level above it; ValueError when there is no such level."""
    return frozenset(LEVELS[LEVELS.index(lowest) :])


def service_of(process: str) -> str:
    """The service that a process belongs to: `blog` of `blog-0`, `blog-0-sidecar`."""
    found = _NAME.fullmatch(process)
    return found[1] if found else process


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log.

    `ts` in seconds since the epoch; a line without a time has that of the line before it.
    `process` is the name of the log, `service` whose process it is. `fields` are the members
    that have no attribute here. `raw` is the line as written, at most `reading.LONGEST`
    bytes of it, invalid UTF-8 replaced; everything here may come from an attacker.
    """

    ts: float
    level: str
    service: str
    process: str
    event: str
    request_id: str = ""
    trace_id: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """Which lines to show; every condition that is set must hold.

    `services` holds names of services (all their processes) or of processes, `processes`
    names of processes alone; `levels` names out of LEVELS; `text` is found in any case, in the
    line as written or in a member; `since` and `until` are seconds since the epoch, both
    included.
    """

    services: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    text: str = ""
    request_id: str = ""
    trace_id: str = ""
    since: float | None = None
    until: float | None = None
    processes: frozenset[str] = frozenset()

    @property
    def is_filter(self) -> bool:
        """Whether it leaves out lines of the logs that it reads."""
        return any(
            (
                self.levels and self.levels != _ALL_LEVELS,
                self.text,
                self.request_id,
                self.trace_id,
                self.since is not None,
                self.until is not None,
            )
        )

    def reads(self, process: str) -> bool:
        """Whether the log of that process can hold a wanted line."""
        if self.processes and process not in self.processes:
            return False
        names = (process, service_of(process), process.removesuffix("-sidecar"))
        return not self.services or not self.services.isdisjoint(names)

    def matches(self, line: Line) -> bool:
        """Whether a line of a log that it reads is wanted."""
        return (
            (not self.levels or line.level in self.levels)
            and (self.since is None or line.ts >= self.since)
            and (self.until is None or line.ts <= self.until)
            and (not self.request_id or line.request_id == self.request_id)
            and (not self.trace_id or line.trace_id == self.trace_id)
            and (not self.text or _contains(line, self.text.lower()))
        )


def _contains(line: Line, text: str) -> bool:
    if text in line.raw.lower() or text in line.event.lower():
        return True
    return any(isinstance(value, str) and text in value.lower() for value in line.fields.values())


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Lines found, the newest last; not `complete` when older ones may match, too.

    `scanned_bytes` counts what was read from disk.
    """

    lines: list[Line]
    scanned_bytes: int
    complete: bool
