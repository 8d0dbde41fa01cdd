"""Spans for tests."""

from __future__ import annotations

from titanium.traces import Span
from titanium.traces.model import Status

TRACE = "a" * 32
SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND


def span(
    number: int,
    parent: int = 0,
    start: float = 0.0,
    end: float = 1.0,
    service: str = "blog",
    status: Status = "unset",
    trace: str = TRACE,
    **attributes: str | float | bool,
) -> Span:
    """Span `number` under span `parent` (0: none), `start` to `end` in milliseconds."""
    return Span(
        trace_id=trace,
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=f"span {number}",
        kind="server",
        service=service,
        start_ns=START + int(start * 1e6),
        end_ns=START + int(end * 1e6),
        attributes={name.replace("__", "."): value for name, value in attributes.items()},
        status=status,
    )
