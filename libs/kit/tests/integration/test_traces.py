"""Spans of an application with a database, Redis and a callee, received over a Unix socket."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response

from conftest import PostgresServer
from tests.otlp_support import ReceivedSpan, Receiver
from tests.redis_support import RedisServer
from titanium_kit.app import api_router, build_app
from titanium_kit.cache import Entry, ResponseCache
from titanium_kit.client import MeshClient
from titanium_kit.context import current_request
from titanium_kit.database import Database
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.testing import serving
from titanium_kit.tracing import Span
from titanium_kit.tracing.export import Exporter

pytestmark = pytest.mark.integration


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "otlp.sock") as receiver:
        yield receiver


@pytest.fixture
async def app(
    tmp_path: Path,
    postgres: PostgresServer,
    redis_server: RedisServer,
    settings: Callable[..., ServiceSettings],
) -> FastAPI:
    """A service with one route of each kind; nobody listens on its egress socket."""
    database_settings = await postgres.create_database()
    configured = settings(
        instance="test-0",
        egress=f"unix:{tmp_path}/egress.sock",
        redis_url=f"unix://{redis_server.socket}",
        otel_exporter_otlp_endpoint=f"unix://{tmp_path}/otlp.sock",
        **database_settings.environment(),
    )
    metrics = Metrics(configured.service)
    database, client = Database(configured), MeshClient(configured)
    cache = ResponseCache(configured, metrics)
    router = api_router()

    @router.get("/things/{number}")
    async def thing(number: int) -> dict[str, str]:
        async with database.transaction() as connection:
            found: int = await connection.fetchval("SELECT $1::int\n  + 1", number)
        return {"found": str(found), "traceparent": current_request.get().traceparent}

    @router.get("/cached")
    async def cached(request: Request) -> Response:
        async def build() -> Entry:
            return Entry.of(b"{}", "application/json")

        return await cache.respond(request.scope, ("tag",), build, shared=True)

    @router.get("/broken")
    async def broken() -> None:
        async with database.connection() as connection:
            await connection.execute("SELECT * FROM nowhere")

    @router.get("/calls")
    async def calls() -> None:
        await client.request("GET", "user", "/internal/thing?private=1")

    app = build_app(
        configured,
        metrics,
        title="test",
        routers=[router],
        resources=[database, client],
        cache=cache,
    )
    app.state.metrics = metrics
    return app


@pytest.fixture
async def client(receiver: Receiver, app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(app) as client:
        yield client


class Asked:
    """Asks `client` for a trace and waits for its spans."""

    def __init__(self, client: httpx2.AsyncClient, receiver: Receiver) -> None:
        self._client = client
        self._receiver = receiver
        self.answer = httpx2.Response(0)

    async def __call__(self, path: str, spans: int) -> dict[str, ReceivedSpan]:
        """The spans of one GET by name, once there are so many."""
        trace = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "x-request-id": "the-id"}
        self.answer = await self._client.get(path, headers=headers)
        await asyncio.to_thread(
            self._receiver.wait_for, lambda: len(self._receiver.trace(trace)) >= spans, "spans"
        )
        found = self._receiver.trace(trace)
        assert len(found) == spans
        return {span.name: span for span in found}


@pytest.fixture
def asked(client: httpx2.AsyncClient, receiver: Receiver) -> Asked:
    return Asked(client, receiver)


async def test_a_request_and_its_statements_are_one_trace(asked: Asked) -> None:
    spans = await asked("/things/41?private=1", 4)
    assert set(spans) == {"GET /things/{number}", "BEGIN", "SELECT", "COMMIT"}
    server, select = spans["GET /things/{number}"], spans["SELECT"]
    assert (server.kind, server.parent, server.error) == (2, "00f067aa0ba902b7", False)
    assert server.resource["service.name"] == "test"
    assert server.resource["service.instance.id"] == "test-0"
    assert server.attributes == {
        "http.request.method": "GET",
        "http.route": "/things/{number}",
        "http.response.status_code": 200,
        "url.path": "/things/41",
        "url.scheme": "http",
        "titanium.request_id": "the-id",
    }
    assert (select.kind, select.parent) == (3, server.span_id)
    assert select.attributes == {
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "db.query.text": "SELECT $1::int + 1",
    }
    assert 0 < select.seconds <= server.seconds
    assert asked.answer.json()["traceparent"] == f"00-{server.trace_id}-{server.span_id}-01"


async def test_a_failing_statement_and_its_request_are_marked(asked: Asked) -> None:
    spans = await asked("/broken", 2)
    assert asked.answer.status_code == 500
    assert spans["SELECT"].attributes["error.type"] == "42P01"
    assert spans["GET /broken"].attributes["error.type"] == "UndefinedTableError"
    assert spans["SELECT"].error
    assert spans["GET /broken"].error


async def test_a_cached_answer_has_a_span_too(asked: Asked, client: httpx2.AsyncClient) -> None:
    first = await asked("/cached", 4)
    assert set(first) == {"GET /cached", "MGET", "GET", "SET"}
    assert first["MGET"].attributes == {"db.system.name": "redis", "db.operation.name": "MGET"}
    assert "titanium.cache" not in first["GET /cached"].attributes
    await client.get("/cached")  # the entry of the first has grown old while its spans travelled
    second = await asked("/cached", 1)
    assert second["GET /cached"].attributes["titanium.cache"] == "hit"
    assert second["GET /cached"].attributes["http.response.status_code"] == 200


async def test_a_call_that_fails_is_a_span_below_the_request(asked: Asked) -> None:
    spans = await asked("/calls", 2)
    call = spans["GET user"]
    assert (call.kind, call.parent) == (3, spans["GET /calls"].span_id)
    assert call.attributes["url.path"] == "/internal/thing"
    assert call.attributes["server.address"] == "user"
    assert call.attributes["error.type"] == "ConnectError"
    assert spans["GET /calls"].attributes["error.type"] == "503"


async def test_a_request_that_is_not_sampled_makes_no_span(
    app: FastAPI, client: httpx2.AsyncClient, receiver: Receiver
) -> None:
    parent = f"00-{secrets.token_hex(16)}-00f067aa0ba902b7-00"
    for path in ("/things/1", "/cached", "/cached"):
        assert (await client.get(path, headers={"traceparent": parent})).status_code == 200
        assert (await client.get(path)).status_code == 200
    answer = await client.get("/things/1", headers={"traceparent": parent})
    assert answer.json()["traceparent"] == parent
    assert receiver.posts == 0
    assert b"titanium_spans_total{" not in app.state.metrics.exposition()


@pytest.mark.parametrize(("status", "delay"), [(500, 0.0), (200, 3.0)])
async def test_a_receiver_in_trouble_delays_neither_requests_nor_the_end(
    app: FastAPI, receiver: Receiver, status: int, delay: float
) -> None:
    receiver.status, receiver.delay = status, delay
    headers = {"traceparent": f"00-{secrets.token_hex(16)}-00f067aa0ba902b7-01"}
    async with serving(app) as client:
        began = time.monotonic()
        for _ in range(3):
            assert (await client.get("/cached", headers=headers)).status_code == 200
        assert time.monotonic() - began < 1
        began = time.monotonic()
    assert time.monotonic() - began < 2
    if status == 500:
        text: str = app.state.metrics.exposition().decode()
        assert 'titanium_spans_total{result="failed",service="test"}' in text


async def test_outside_of_a_request_nothing_is_traced(
    receiver: Receiver, tmp_path: Path, settings: Callable[..., ServiceSettings]
) -> None:
    client: Any = MeshClient(settings(egress=f"unix:{tmp_path}/egress.sock"))
    await client.start()
    with pytest.raises(Unavailable):
        await client.request("GET", "user", "/")
    await client.stop()
    assert receiver.posts == 0


def test_a_receiver_that_is_away_costs_nobody_anything() -> None:
    counts: Counter[str] = Counter()

    def count(result: str, spans: int) -> None:
        counts[result] += spans

    span = Span("GET", "server", f"00-{'a' * 32}-{'b' * 16}-01", {}, lambda _: None)
    exporter = Exporter("http://127.0.0.1:1", service="test", instance="", count=count)
    span.finish()
    exporter.add(span)
    began = time.monotonic()
    exporter.close(1.0)
    assert time.monotonic() - began < 1.5
    exporter.add(span)
    assert counts == {"failed": 1, "dropped": 1}
