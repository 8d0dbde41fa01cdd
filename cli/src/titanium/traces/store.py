"""The newest traces, in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from titanium.traces.model import Span, Trace, TraceSummary

MOST_SPANS = 2_000
# What Python needs for a span besides its texts, measured.
_SPAN_BYTES = 1_200
_VALUE_BYTES = 120


@dataclass(slots=True)
class _Entry:
    spans: dict[str, Span] = field(default_factory=dict)
    size: int = 0
    dropped: int = 0


class TraceStore:
    """Keeps at most `max_traces` traces and about `max_bytes` of memory; thread-safe.

    What is over the bounds goes: the trace that has been quiet longest. One trace keeps
    MOST_SPANS spans.
    """

    def __init__(self, max_traces: int = 500, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_traces = max_traces
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        # The one that has been quiet longest first: under load one goes for each that comes.
        self._traces: OrderedDict[str, _Entry] = OrderedDict()
        self._size = 0
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every change: equal versions, equal lists."""
        return self._version

    @property
    def size(self) -> int:
        """About how many bytes the spans take."""
        return self._size

    def add(self, spans: Iterable[Span]) -> None:
        """Put spans into their traces; one that is here already is replaced."""
        with self._lock:
            for span in spans:
                self._add(span)
            self._evict()
            self._version += 1

    def get(self, trace_id: str) -> Trace | None:
        with self._lock:
            entry = self._traces.get(trace_id)
            if entry is None or not entry.spans:
                return None
            return _trace(trace_id, entry)

    def list(
        self,
        service: str | None = None,
        min_ms: float = 0,
        error_only: bool = False,
        limit: int = 100,
    ) -> list[TraceSummary]:
        """The newest first: those that passed through `service`, took `min_ms`, failed."""
        with self._lock:
            traces = [_trace(key, entry) for key, entry in self._traces.items() if entry.spans]
        found = [_summary(trace) for trace in traces]
        chosen = [
            summary
            for summary in found
            if (service is None or service in summary.services)
            and summary.duration_ms >= min_ms
            and (summary.errors or not error_only)
        ]
        chosen.sort(key=lambda summary: summary.start, reverse=True)
        return chosen[:limit]

    def services(self) -> set[str]:
        """Every service that a trace passed through."""
        with self._lock:
            return {s.service for entry in self._traces.values() for s in entry.spans.values()}

    def _add(self, span: Span) -> None:
        entry = self._traces.setdefault(span.trace_id, _Entry())
        self._traces.move_to_end(span.trace_id)
        known = entry.spans.get(span.span_id)
        size = _size(span) - (_size(known) if known is not None else 0)
        too_many = known is None and len(entry.spans) >= MOST_SPANS
        if too_many or entry.size + size > self._max_bytes // 2:
            entry.dropped += 1
            return
        entry.spans[span.span_id] = span
        entry.size += size
        self._size += size

    def _evict(self) -> None:
        while self._traces and (
            len(self._traces) > self._max_traces or self._size > self._max_bytes
        ):
            _, oldest = self._traces.popitem(last=False)
            self._size -= oldest.size


def _trace(trace_id: str, entry: _Entry) -> Trace:
    spans = sorted(entry.spans.values(), key=lambda span: (span.start_ns, -span.end_ns))
    return Trace(trace_id, tuple(spans), entry.dropped)


def _summary(trace: Trace) -> TraceSummary:
    root = trace.root
    return TraceSummary(
        trace_id=trace.trace_id,
        name=root.name,
        service=root.service,
        start=trace.start_ns / 1e9,
        duration_ms=(trace.end_ns - trace.start_ns) / 1e6,
        spans=len(trace.spans),
        services=tuple(sorted({span.service for span in trace.spans})),
        errors=sum(span.failed for span in trace.spans),
    )


def _size(span: Span) -> int:
    values = [span.attributes, *(event.attributes for event in span.events)]
    return (
        _SPAN_BYTES
        + len(span.name)
        + sum(200 + len(event.name) for event in span.events)
        + sum(
            _VALUE_BYTES + len(key) + (2 * len(value) if isinstance(value, str) else 0)
            for one in values
            for key, value in one.items()
        )
    )
