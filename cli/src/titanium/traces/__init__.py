"""Traces of a run: spans received over OTLP, kept in bounded memory, drawn as a waterfall."""

from titanium.traces.model import Event, Span, Trace, TraceSummary
from titanium.traces.store import TraceStore
from titanium.traces.waterfall import Row, times_by_service, waterfall

__all__ = [
    "Event",
    "Row",
    "Span",
    "Trace",
    "TraceStore",
    "TraceSummary",
    "times_by_service",
    "waterfall",
]
