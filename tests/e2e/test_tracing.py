"""One request through every part of the platform is one trace."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import uvicorn

from tests.support import Platform, running_platform, wait_until
from titanium.layout import Home
from titanium.traces import Span, Trace, TraceStore, waterfall
from titanium.traces.otlp import receiver

pytestmark = pytest.mark.e2e


@contextmanager
def receiving(socket: Path) -> Iterator[TraceStore]:
    """The console's receiver and store, in this process and in the console's place."""
    store = TraceStore()
    config = uvicorn.Config(receiver(store), uds=str(socket), log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 10, "the receiver")
    yield store
    server.should_exit = server.force_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with running_platform(observability=True) as platform:
        yield platform


@pytest.fixture(scope="module")
def traces(platform: Platform) -> Iterator[TraceStore]:
    platform.titanium("stop", "console")
    socket = Home(platform.home).otlp_socket
    socket.unlink(missing_ok=True)
    with receiving(socket) as store:
        yield store


Part = tuple[str, str, str]
"""A service, `proxy` or `app`, and the kind of its span."""


def part(span: Span) -> Part:
    where = "proxy" if span.attributes.get("component") == "proxy" else "app"
    return span.service, where, span.kind


def traced(store: TraceStore, request: httpx2.Request, parts: set[Part]) -> Trace:
    """The trace of `request`, once it has spans of all `parts`."""
    trace_id = secrets.token_hex(16)
    request.headers["traceparent"] = f"00-{trace_id}-{secrets.token_hex(8)}-01"
    with httpx2.Client(trust_env=False, timeout=30) as client:
        assert client.send(request).status_code == 200
    found = Trace(trace_id, ())

    def complete() -> bool:
        nonlocal found
        found = store.get(trace_id) or found
        return parts <= {part(span) for span in found.spans}

    wait_until(complete, 10, f"spans of {parts}")
    return found


READING: set[Part] = {
    ("gateway", "proxy", "server"),
    ("blog", "proxy", "server"),
    ("blog", "app", "server"),
}


def test_gateway_sidecar_and_application_are_one_trace(
    platform: Platform, traces: TraceStore
) -> None:
    trace = traced(traces, httpx2.Request("GET", f"{platform.url}/api/posts?limit=3"), READING)
    spans = {part(span): span for span in trace.spans}
    gateway = spans["gateway", "proxy", "server"]
    sidecar = spans["blog", "proxy", "server"]
    application = spans["blog", "app", "server"]
    assert application.name == "GET /api/posts"
    assert application.parent_id == sidecar.span_id
    assert sidecar.parent_id == gateway.span_id
    requests = {span.attributes["guid:x-request-id"] for span in (gateway, sidecar)}
    assert requests == {application.attributes["titanium.request_id"]}


def test_a_login_shows_the_call_between_services_and_its_statements(
    platform: Platform, traces: TraceStore
) -> None:
    person = platform.register()
    body = {"username": person.username, "password": person.password}
    request = httpx2.Request("POST", f"{platform.url}/api/login", json=body)
    way = [
        ("gateway", "proxy", "server"),
        ("auth", "proxy", "server"),
        ("auth", "app", "server"),
        ("auth", "app", "client"),
        ("auth", "proxy", "client"),
        ("user", "proxy", "server"),
        ("user", "app", "server"),
        ("user", "app", "client"),
    ]
    trace = traced(traces, request, set(way))
    spans = {span.span_id: span for span in trace.spans}
    lowest = next(one for one in trace.spans if part(one) == way[-1])
    ancestors = [lowest]
    while ancestors[-1].parent_id in spans:
        ancestors.append(spans[ancestors[-1].parent_id])
    assert [part(span) for span in reversed(ancestors)] == way
    assert "SELECT" in {span.name for span in trace.spans if "db.query.text" in span.attributes}
    assert {row.orphan for row in waterfall(trace)[1:]} == {False}
    assert person.password not in str(trace)
    assert person.username not in str(trace)


def test_a_request_that_nobody_asks_about_is_rarely_traced(
    platform: Platform, traces: TraceStore
) -> None:
    before = len(traces.list(limit=500))
    for _ in range(100):
        assert platform.client.get("/api/posts?limit=3").status_code == 200
    traced(traces, httpx2.Request("GET", f"{platform.url}/api/posts?limit=3"), READING)
    assert len(traces.list(limit=500)) - before < 20
