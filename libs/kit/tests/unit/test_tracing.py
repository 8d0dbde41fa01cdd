"""Spans without a network: when there are any, what they say, and what happens to too many."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from titanium_kit.context import RequestContext, is_sampled
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings
from titanium_kit.tracing import Span, Tracer, child_span, current_span
from titanium_kit.tracing.export import QUEUE_SPANS, Exporter
from titanium_kit.tracing.statements import statement_spans

pytestmark = pytest.mark.unit

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def finished() -> list[Span]:
    return []


@pytest.fixture
def server_span(finished: list[Span]) -> Span:
    return Span("GET", "server", PARENT, {}, finished.append)


@pytest.fixture
def tracer(settings: Callable[..., ServiceSettings]) -> Tracer:
    configured = settings(otel_exporter_otlp_endpoint="unix:///nowhere/otlp.sock")
    tracer = Tracer.from_settings(configured, Metrics("test"))
    assert tracer is not None
    return tracer


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (PARENT, True),
        (PARENT[:-2] + "00", False),
        (PARENT[:-2] + "02", False),
        (PARENT[:-2] + "03", True),
        (PARENT[:-2] + "ff", True),
        ("", False),
        ("1", False),
        ("nonsense-01", False),
    ],
)
def test_only_the_sampled_flag_of_a_valid_traceparent_counts(header: str, sampled: bool) -> None:
    assert RequestContext.of("id", header, "").sampled is sampled
    assert is_sampled(header.encode()) or not sampled


def test_without_an_endpoint_there_is_no_tracer(settings: Callable[..., ServiceSettings]) -> None:
    assert Tracer.from_settings(settings(), Metrics("test")) is None


@pytest.mark.parametrize("endpoint", ["otlp.sock", "unix:otlp.sock", "grpc://collector:4317"])
def test_another_kind_of_endpoint_is_refused(
    settings: Callable[..., ServiceSettings], endpoint: str
) -> None:
    with pytest.raises(ValueError, match="otel_exporter_otlp_endpoint"):
        settings(otel_exporter_otlp_endpoint=endpoint)


def test_without_an_open_span_a_child_is_nothing() -> None:
    with child_span("GET", {}) as span:
        assert span is None


def test_children_hang_together(server_span: Span, finished: list[Span]) -> None:
    token = current_span.set(server_span)
    with child_span("outer", {"a": 1}) as outer, child_span("inner", {}) as inner:
        assert current_span.get() is inner
    assert current_span.get() is server_span
    current_span.reset(token)
    assert outer is not None
    assert inner is not None
    assert finished == [inner, outer]
    assert (outer.parent_id, inner.parent_id) == (server_span.span_id, outer.span_id)
    assert {span.trace_id for span in finished} == {TRACE}
    assert outer.traceparent == f"00-{TRACE}-{outer.span_id}-01"
    assert outer.start <= inner.start <= inner.end <= outer.end


def test_an_exception_marks_a_child_and_goes_on(server_span: Span, finished: list[Span]) -> None:
    token = current_span.set(server_span)
    with pytest.raises(KeyError), child_span("GET", {}):
        raise KeyError
    current_span.reset(token)
    assert (finished[0].error, finished[0].attributes["error.type"]) == (True, "KeyError")


@pytest.mark.parametrize(
    ("route", "method", "status", "name", "error"),
    [
        ("/api/posts/{post_id}", "GET", 404, "GET /api/posts/{post_id}", False),
        ("/api/posts", "POST", 503, "POST /api/posts", True),
        ("(unmatched)", "GET", 404, "GET", False),
        ("(unmatched)", "BREW", 404, "HTTP", False),
    ],
)
def test_a_server_span_is_named_by_its_route(
    tracer: Tracer, route: str, method: str, status: int, name: str, error: bool
) -> None:
    context = RequestContext.of("the-id", PARENT, "")
    span = tracer.begin(context, method, "/api/posts/1")
    span.report = lambda _: None
    tracer.end(span, route, status)
    assert (span.name, span.error, span.parent_id) == (name, error, "00f067aa0ba902b7")
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes["titanium.request_id"] == "the-id"
    assert span.attributes.get("http.route", "(unmatched)") == route
    assert span.attributes.get("error.type") == (str(status) if error else None)


@pytest.mark.parametrize("flags", ["00", "zz"])
def test_a_cached_answer_is_traced_only_when_asked(tracer: Tracer, flags: str) -> None:
    headers = [(b"host", b"x"), (b"traceparent", PARENT[:-2].encode() + flags.encode())]
    assert tracer.cached(headers, "/") is None
    assert tracer.cached(headers[:1], "/") is None
    span = tracer.cached([(b"traceparent", PARENT.encode())], "/api/posts")
    assert span is not None
    assert span.attributes["titanium.cache"] == "hit"
    assert tracer.cached([(b"traceparent", b"nonsense-01")], "/") is None


@pytest.mark.parametrize(
    ("query", "operation"),
    [
        ("SELECT 1", "SELECT"),
        ("\n  -- why\n /* what */ insert INTO posts VALUES ($1)", "INSERT"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "WITH"),
        ("COMMIT;", "COMMIT"),
        (";", "SQL"),
    ],
)
def test_statements_are_named_by_their_operation(
    server_span: Span, finished: list[Span], query: str, operation: str
) -> None:
    record: Any = SimpleNamespace(query=query, args=("secret",), elapsed=0.25, exception=None)
    statement_spans(server_span)(record)
    (span,) = finished
    assert span.name == span.attributes["db.operation.name"] == operation
    assert span.attributes["db.query.text"] == " ".join(query.split())
    assert "secret" not in str(span.attributes)
    assert (span.end - span.start) / 1e9 == pytest.approx(0.25, abs=0.05)


def test_too_many_spans_are_dropped_and_counted(server_span: Span) -> None:
    counts: Counter[str] = Counter()

    def count(result: str, spans: int) -> None:
        counts[result] += spans

    exporter = Exporter("unix:///nowhere/otlp.sock", service="test", instance="", count=count)
    exporter._thread = threading.current_thread()  # as if it were busy
    for _ in range(QUEUE_SPANS + 10):
        exporter.add(server_span)
    assert counts == {"dropped": 10}
