"""Our spans in OTLP's protobuf. Imported only by the thread that sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from titanium_kit.tracing.span import Span

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}


def encoder(resource: Mapping[str, str], scope: str) -> Callable[[list[Span]], bytes]:
    """A function: spans -> an ExportTraceServiceRequest with this resource."""
    about = Resource(dict(resource))
    instrumentation = InstrumentationScope(scope)

    def encode(spans: list[Span]) -> bytes:
        readable = [_readable(span, about, instrumentation) for span in spans]
        message: bytes = encode_spans(readable).SerializeToString()
        return message

    return encode


def _readable(span: Span, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id, remote=False),
        parent=_context(span.trace_id, span.parent_id, remote=span.kind == "server"),
        resource=resource,
        attributes=span.attributes,
        kind=_KINDS[span.kind],
        status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=scope,
    )


def _context(trace_id: str, span_id: str, *, remote: bool) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), remote, TraceFlags(1))
