"""OTLP in protobuf and in JSON become the same spans; anything else is refused in words."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from titanium.traces.decode import (
    LONGEST_VALUE,
    MOST_ATTRIBUTES,
    MalformedError,
    decode_json,
    decode_protobuf,
)

pytestmark = pytest.mark.unit

TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"


def document(**span: object) -> dict[str, Any]:
    """The example of the OTLP specification, with changes to its span."""
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "blog"}},
                        {"key": "host", "value": {"stringValue": "h"}},
                    ]
                },
                "scopeSpans": [
                    {
                        "scope": {"name": "my.library"},
                        "spans": [
                            {
                                "traceId": TRACE.upper(),
                                "spanId": SPAN,
                                "parentSpanId": PARENT,
                                "name": "I'm a span",
                                "startTimeUnixNano": "1544712660000000000",
                                "endTimeUnixNano": "1544712661000000000",
                                "kind": 2,
                                "status": {"code": 2, "message": "x"},
                                "attributes": [
                                    {"key": "n", "value": {"intValue": "9"}},
                                    {"key": "list", "value": {"arrayValue": {"values": []}}},
                                ],
                                "events": [
                                    {"timeUnixNano": 1544712660500000000, "name": "e"},
                                ],
                                "unknown": 1,
                                **span,
                            }
                        ],
                    }
                ],
            }
        ]
    }


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def protobuf() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "blog"
    resource.resource.attributes.add(key="host").value.string_value = "h"
    span = resource.scope_spans.add().spans.add(
        trace_id=bytes.fromhex(TRACE),
        span_id=bytes.fromhex(SPAN),
        parent_span_id=bytes.fromhex(PARENT),
        name="I'm a span",
        start_time_unix_nano=1544712660000000000,
        end_time_unix_nano=1544712661000000000,
        kind=2,
    )
    span.status.code = 2
    span.attributes.add(key="n").value.int_value = 9
    span.attributes.add(key="list").value.array_value.values.add().string_value = "a"
    span.events.add(time_unix_nano=1544712660500000000, name="e")
    return request


def test_both_encodings_become_the_same_span() -> None:
    (first,) = decode_json(encode(document())).spans
    (second,) = decode_protobuf(protobuf().SerializeToString()).spans
    assert (first.trace_id, first.span_id, first.parent_id) == (TRACE, SPAN, PARENT)
    assert (first.service, first.kind, first.status) == ("blog", "server", "error")
    assert first.duration_ms == 1000
    assert first.attributes["n"] == second.attributes["n"] == 9
    assert first.attributes["host"] == "h"
    assert second.attributes["list"] == '["a"]'
    for name in ("trace_id", "span_id", "parent_id", "name", "kind", "service", "status", "events"):
        assert getattr(first, name) == getattr(second, name)


@pytest.mark.parametrize(
    "span",
    [
        {"traceId": "0" * 32},
        {"traceId": "x" * 32},
        {"traceId": TRACE[:16]},
        {"traceId": None},
        {"spanId": "0" * 16},
        {"spanId": 5},
        {"spanId": ""},
    ],
)
def test_a_span_without_ids_is_refused_alone(span: dict[str, object]) -> None:
    export = decode_json(encode(document(**span)))
    assert (export.spans, export.refused) == ([], 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'"x"',
        encode({"resourceSpans": 5}),
        encode({"resourceSpans": [5]}),
        encode({"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}),
        encode(document(events=7)),
        encode(document(events=["x"])),
        encode(document(attributes=[None])),
        encode(document(status=5)),
        b"[" * 100_000,
    ],
)
def test_what_is_no_export_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_json(body)


def test_damaged_protobuf_is_refused() -> None:
    with pytest.raises(MalformedError):
        decode_protobuf(protobuf().SerializeToString()[:-3])
    request = protobuf()
    attribute = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="deep")
    value = attribute.value
    for _ in range(40):
        value = value.array_value.values.add()
    (span,) = decode_protobuf(request.SerializeToString()).spans
    assert span.attributes["deep"].count("[") < 12  # type: ignore[union-attr]
    # Deeper than protobuf's own bound: 200 times an array of one array.
    nested = b""
    for _ in range(200):
        inner = b"\x0a" + varint(len(nested)) + nested
        nested = b"\x2a" + varint(len(inner)) + inner
    pair = b"\x12" + varint(len(nested)) + nested
    resource = b"\x0a" + varint(len(pair)) + pair
    parts = b"\x0a" + varint(len(resource)) + resource
    with pytest.raises(MalformedError):
        decode_protobuf(b"\x0a" + varint(len(parts)) + parts)


def varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:
        encoded += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return encoded + bytes((number,))


def test_everything_in_a_span_is_bounded() -> None:
    many = [{"key": f"k{n}", "value": {"stringValue": "v" * 3_000}} for n in range(100)]
    events = [{"name": "n" * 9999, "attributes": many}] * 40
    changed = document(name="n" * 9999, attributes=many, events=events)
    (span,) = decode_json(encode(changed)).spans
    assert len(span.attributes) <= MOST_ATTRIBUTES + 2
    assert max(len(str(value)) for value in span.attributes.values()) == LONGEST_VALUE
    assert len(span.name) == 256
    assert len(span.events) == 32
    assert span.service == "blog"


@pytest.mark.parametrize("time", ["-5", str(1 << 70), "x", 1.5e300, None, [], "9" * 5000, True])
def test_strange_times_do_no_harm(time: object) -> None:
    (span,) = decode_json(encode(document(endTimeUnixNano=time))).spans
    assert span.end_ns >= span.start_ns


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    for decode in (decode_json, decode_protobuf):
        with contextlib.suppress(MalformedError):
            decode(body)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)
VALUE = st.dictionaries(st.sampled_from(["intValue", "stringValue", "arrayValue"]), JSON)


@given(
    st.dictionaries(
        st.sampled_from(["traceId", "spanId", "name", "kind", "events", "startTimeUnixNano"]), JSON
    ),
    VALUE,
)
def test_no_json_raises_anything_else(span: dict[str, object], value: object) -> None:
    with contextlib.suppress(MalformedError):
        decode_json(encode(document(attributes=[{"key": "k", "value": value}], **span)))
