"""Spans and traces. Names, attributes and events come from callers and may be hostile text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Status = Literal["unset", "ok", "error"]
Value = str | int | float | bool
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened within a span; `time_ns` since the epoch."""

    time_ns: int
    name: str
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work. Ids are lowercase hexadecimal; `parent_id` is "" for a first span.

    Times in nanoseconds since the epoch, `end_ns` never before `start_ns`. `attributes`
    include those of the process that made the span.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: Kind
    service: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Value] = field(default_factory=dict)
    status: Status = "unset"
    events: tuple[Event, ...] = ()

    @property
    def duration_ms(self) -> float:
        return (self.end_ns - self.start_ns) / 1e6

    @property
    def failed(self) -> bool:
        """Its status says so, or it is an answer of 500 and above."""
        if self.status == "error":
            return True
        code = self.attributes.get("http.response.status_code")
        if code is None:
            code = self.attributes.get("http.status_code", 0)
        try:
            return int(code) >= _SERVER_ERROR
        except (ValueError, OverflowError):
            return False


@dataclass(frozen=True, slots=True)
class Trace:
    """All spans of one request that have arrived, in the order of their beginnings.

    `dropped` counts spans beyond the store's bounds.
    """

    trace_id: str
    spans: tuple[Span, ...]
    dropped: int = 0

    @property
    def start_ns(self) -> int:
        return min(span.start_ns for span in self.spans)

    @property
    def end_ns(self) -> int:
        return max(span.end_ns for span in self.spans)

    @property
    def root(self) -> Span:
        """The span that began it: one without a parent, else one whose parent is not here."""
        known = {span.span_id for span in self.spans}
        firsts = [span for span in self.spans if not span.parent_id]
        orphans = [span for span in self.spans if span.parent_id not in known]
        return (firsts or orphans or list(self.spans))[0]


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One row of a list of traces. `start` in seconds since the epoch."""

    trace_id: str
    name: str
    service: str
    start: float
    duration_ms: float
    spans: int
    services: tuple[str, ...]
    errors: int
