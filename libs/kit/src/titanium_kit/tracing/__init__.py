"""Spans of the application, for requests that somebody decided to trace.

The proxies decide: `traceparent` arrives with the sampled flag set or not. Without it, or without
`OTEL_EXPORTER_OTLP_ENDPOINT`, nothing here costs more than a look at that flag.
"""

from titanium_kit.tracing.span import Kind, Span, child_span, current_span
from titanium_kit.tracing.tracer import Tracer

__all__ = ["Kind", "Span", "Tracer", "child_span", "current_span"]
