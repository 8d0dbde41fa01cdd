"""The middleware: request context, metrics with the whole path template, body limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from titanium_kit.app import api_router
from titanium_kit.asgi import BodyLimitMiddleware, RequestMiddleware
from titanium_kit.context import current_request
from titanium_kit.logs import configure_logging
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings
from titanium_kit.testing import serving

pytestmark = pytest.mark.unit


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    router = api_router(prefix="/api")

    @router.get("/posts/{post_id}")
    async def show(post_id: int) -> str:
        return current_request.get().request_id

    @router.post("/posts")
    async def create(request: Request) -> int:
        return len(await request.body())

    @router.post("/json")
    async def create_json(body: dict[str, str]) -> int:
        return len(body)

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one"
            raise RuntimeError("in the middle")

        return StreamingResponse(parts())

    nested = api_router()

    @nested.get("/deep/{name}")
    async def deep(name: str) -> str:
        return name

    async def plain(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("plain")

    nested.routes.append(Route("/plain/{name:path}", plain))
    middle = APIRouter()
    middle.include_router(nested, prefix="/b")
    outer = APIRouter()
    outer.include_router(middle, prefix="/a")
    return make_app(router, outer, max_body_bytes=100)


def exposed(app: FastAPI) -> str:
    text: str = app.state.metrics.exposition().decode()
    return text


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/posts/1", "/api/posts/{post_id}", 200),
        ("GET", "/api/posts/x", "/api/posts/{post_id}", 422),
        ("PUT", "/api/posts/1", "/api/posts/{post_id}", 405),
        ("GET", "/a/b/deep/x", "/a/b/deep/{name}", 200),
        ("GET", "/a/b/plain/x/y", "/a/b/plain/{name}", 200),
        ("GET", "/nowhere", "(unmatched)", 404),
        ("GET", "/internal/livez", "/internal/livez", 200),
    ],
)
async def test_requests_are_counted_under_the_whole_template(
    app: FastAPI, method: str, path: str, route: str, status: int
) -> None:
    async with serving(app) as client:
        assert (await client.request(method, path)).status_code == status
    labels = (
        f'http_request_method="{method}",http_response_status_code="{status}",'
        f'http_route="{route}",service="test"'
    )
    assert f"http_server_request_duration_seconds_count{{{labels}}} 1.0" in exposed(app)


async def test_unknown_methods_and_paths_add_no_labels(app: FastAPI) -> None:
    async with serving(app) as client:
        for number in range(20):
            await client.request(f"BREW{number}", f"/nowhere/{number}")
            await client.request(f"BREW{number}", f"/api/posts/{number}")
    text = exposed(app)
    counts = [line for line in text.splitlines() if "duration_seconds_count" in line]
    assert len(counts) == 2
    assert all('http_request_method="_OTHER"' in line for line in counts)
    assert all(line.endswith(" 20.0") for line in counts)


async def test_a_request_has_the_callers_id_or_one_of_its_own(app: FastAPI) -> None:
    async with serving(app) as client:
        given = await client.get("/api/posts/1", headers={"x-request-id": "abc"})
        first = await client.get("/api/posts/1")
        second = await client.get("/api/posts/1", headers={"x-request-id": "a b"})
    assert given.json() == "abc"
    assert len({first.json(), second.json()}) == 2
    assert current_request.get().request_id == ""


@pytest.mark.parametrize("path", ["/api/posts", "/api/json"])
async def test_an_announced_body_over_the_limit_is_413(app: FastAPI, path: str) -> None:
    async with serving(app) as client:
        fits = await client.post(path, json={"a": "x" * 80})
        over = await client.post(path, json={"a": "x" * 101})
        absurd = await client.post(path, content=b"x", headers={"content-length": "9" * 5000})
    assert fits.status_code == 200
    assert (over.status_code, absurd.status_code) == (413, 413)
    assert "100 bytes" in over.json()["detail"]


@pytest.mark.parametrize("path", ["/api/posts", "/api/json"])
async def test_a_streamed_body_over_the_limit_is_413(app: FastAPI, path: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 10

    async with serving(app) as client:
        answer = await client.post(
            path, content=body(), headers={"content-type": "application/json"}
        )
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The request body is larger than 100 bytes."


async def test_an_error_after_the_start_ends_the_connection(
    app: FastAPI, settings: Callable[..., ServiceSettings]
) -> None:
    configure_logging(settings())
    messages: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {}

    async def send(message: Message) -> None:
        messages.append(message)

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/stream",
        "raw_path": b"/api/stream",
        "query_string": b"",
        "headers": [],
    }
    with pytest.raises(RuntimeError, match="in the middle"):
        await app(scope, receive, send)
    assert [message["type"] for message in messages] == [
        "http.response.start",
        "http.response.body",
    ]


async def test_other_scopes_pass_through(make_app: Callable[..., FastAPI]) -> None:
    seen: list[str] = []

    async def inner(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def nothing() -> Message:
        return {}

    async def drop(_message: Message) -> None: ...

    for outer in (RequestMiddleware(inner, Metrics("test")), BodyLimitMiddleware(inner, 1)):
        await outer({"type": "lifespan"}, nothing, drop)
    assert seen == ["lifespan", "lifespan"]


async def test_a_websocket_is_no_business_of_the_cache(make_app: Callable[..., FastAPI]) -> None:
    router = APIRouter()

    @router.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope: Scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b""}
    await make_app(router, cached=True)(scope, receive, send)
    assert sent == ["websocket.accept", "websocket.close"]


async def test_the_transport_of_tests_can_be_used_directly(app: FastAPI) -> None:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/internal/livez")).json() == {"status": "ok"}
