"""OTLP trace exports, protobuf and JSON, as spans; everything in them is bounded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from titanium.traces.model import Event, Kind, Span, Status, Value

_KINDS: tuple[Kind, ...] = ("internal", "internal", "server", "client", "producer", "consumer")
_STATUSES: tuple[Status, ...] = ("unset", "ok", "error")
MOST_ATTRIBUTES = 64
MOST_EVENTS = 32
LONGEST_NAME = 256
LONGEST_VALUE = 2048
_DEEPEST = 8
_LATEST_NS = 1 << 63
_HEX = re.compile(r"(?:[0-9a-f]{16}){1,2}")


class MalformedError(ValueError):
    """The body is no export of traces; the message says why."""


@dataclass(frozen=True, slots=True)
class Export:
    """Spans of one request, and how many were refused because their ids are no ids."""

    spans: list[Span]
    refused: int


def decode_protobuf(body: bytes) -> Export:
    """Raises MalformedError."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise MalformedError("the body is no ExportTraceServiceRequest") from None
    made = _Maker()
    for resource in request.resource_spans:
        common = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                made.add(_from_protobuf(span, common))
    return made.export()


def decode_json(body: bytes) -> Export:
    """OTLP/JSON: ids in hexadecimal, names in camelCase. Raises MalformedError."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"the body is no JSON: {str(error)[:200]}") from None
    made = _Maker()
    for resource in _list(_dict(document), "resourceSpans"):
        common = _json_attributes(_dict(_dict(resource).get("resource", {})))
        for scope in _list(_dict(resource), "scopeSpans"):
            for span in _list(_dict(scope), "spans"):
                made.add(_from_json(_dict(span), common))
    return made.export()


class _Maker:
    """Collects spans, counts what is no span."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._refused = 0

    def add(self, span: Span | None) -> None:
        if span is None:
            self._refused += 1
        else:
            self._spans.append(span)

    def export(self) -> Export:
        return Export(self._spans, self._refused)


def _span(
    ids: tuple[str, str, str],
    name: str,
    kind: int,
    times: tuple[int, int],
    status: int,
    own: Mapping[str, Value],
    common: Mapping[str, Value],
    events: Iterable[Event],
) -> Span | None:
    trace_id, span_id, parent_id = ids
    if not _is_id(trace_id, 32) or not _is_id(span_id, 16):
        return None
    service = common.get("service.name") or own.get("service.name") or "unknown"
    start = min(max(times[0], 0), _LATEST_NS)
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id if _is_id(parent_id, 16) else "",
        name=name[:LONGEST_NAME],
        kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else "internal",
        service=str(service)[:LONGEST_NAME],
        start_ns=start,
        end_ns=min(max(times[1], start), _LATEST_NS),
        attributes={**common, **own},
        status=_STATUSES[status] if 0 <= status < len(_STATUSES) else "unset",
        events=tuple(events),
    )


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and _HEX.fullmatch(text) is not None and text.strip("0") != ""


def _bounded(pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for key, value in pairs:
        if len(kept) >= MOST_ATTRIBUTES:
            break
        kept[key[:LONGEST_NAME]] = value[:LONGEST_VALUE] if isinstance(value, str) else value
    return kept


# --- protobuf ----------------------------------------------------------------------------


def _from_protobuf(span: trace_pb2.Span, common: Mapping[str, Value]) -> Span | None:
    return _span(
        (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()),
        span.name,
        span.kind,
        (span.start_time_unix_nano, span.end_time_unix_nano),
        span.status.code,
        _attributes(span.attributes),
        common,
        [
            Event(event.time_unix_nano, event.name[:LONGEST_NAME], _attributes(event.attributes))
            for event in span.events[:MOST_EVENTS]
        ],
    )


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, Value]:
    return _bounded((pair.key, _value(pair.value)) for pair in pairs[:MOST_ATTRIBUTES])


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind in ("array_value", "kvlist_value", "bytes_value"):
        return _as_text(_plain(value, 0))
    return "" if kind is None else _finite(getattr(value, kind))


def _plain(value: AnyValue, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth > _DEEPEST:
        return None
    if kind == "array_value":
        return [_plain(one, depth + 1) for one in value.array_value.values[:MOST_ATTRIBUTES]]
    if kind == "kvlist_value":
        pairs = value.kvlist_value.values[:MOST_ATTRIBUTES]
        return {pair.key: _plain(pair.value, depth + 1) for pair in pairs}
    found = getattr(value, kind)
    return found[:LONGEST_VALUE].hex() if isinstance(found, bytes) else found


# --- JSON --------------------------------------------------------------------------------


def _from_json(span: dict[str, Any], common: Mapping[str, Value]) -> Span | None:
    return _span(
        (_id(span, "traceId"), _id(span, "spanId"), _id(span, "parentSpanId")),
        _string(span.get("name")),
        _integer(span.get("kind")),
        (_integer(span.get("startTimeUnixNano")), _integer(span.get("endTimeUnixNano"))),
        _integer(_dict(span.get("status") or {}).get("code")),
        _json_attributes(span),
        common,
        [
            Event(
                _integer(event.get("timeUnixNano")),
                _string(event.get("name"))[:LONGEST_NAME],
                _json_attributes(event),
            )
            for event in map(_dict, _list(span, "events")[:MOST_EVENTS])
        ],
    )


def _json_attributes(holder: dict[str, Any]) -> dict[str, Value]:
    pairs = map(_dict, _list(holder, "attributes")[:MOST_ATTRIBUTES])
    return _bounded((_string(pair.get("key")), _json_value(pair.get("value"))) for pair in pairs)


def _json_value(value: object) -> Value:
    if not isinstance(value, dict) or not value:
        return ""
    kind, found = next(iter(value.items()))
    if kind == "intValue":
        return _integer(found)
    if kind in ("stringValue", "boolValue", "doubleValue") and isinstance(found, str | int | float):
        return _finite(found)
    return _as_text(found)


def _dict(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"an object was expected, not {_as_text(value)[:40]}")
    return value


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name) or []
    if not isinstance(value, list):
        raise MalformedError(f"{name} is no array")
    return value


def _id(span: dict[str, Any], name: str) -> str:
    return _string(span.get(name)).lower()


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int:
    """64-bit integers are strings in JSON."""
    if isinstance(value, str) and len(value) > 20:
        return 0
    try:
        found = int(value) if isinstance(value, str | int | float) else 0
    except (ValueError, OverflowError):
        return 0
    return found if -_LATEST_NS <= found < 2 * _LATEST_NS else 0


# --- both --------------------------------------------------------------------------------


def _finite(value: Value) -> Value:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _as_text(value: object) -> str:
    try:
        return orjson.dumps(value, default=str).decode()[:LONGEST_VALUE]
    except TypeError:
        return "(cannot be shown)"
