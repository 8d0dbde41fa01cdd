"""Calls to another service: a real server on a Unix socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from titanium_kit.client import MeshClient
from titanium_kit.context import RequestContext, current_request
from titanium_kit.problems import Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.testing import listening

pytestmark = pytest.mark.integration

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Peer:
    """Answers by path: /status/404, /slow, /drip, /text, anything else echoes as JSON."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.body = (await receive()).get("body", b"")
        path, status, body = scope["path"], 200, b'{"ok": true}'
        if path.startswith("/status/"):
            status = int(path.rpartition("/")[2])
        if path == "/text":
            body = b"hello"
        if path == "/slow":
            await asyncio.sleep(1)
        await send({"type": "http.response.start", "status": status, "headers": []})
        if path == "/drip":
            for _ in range(20):
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    peer = Peer()
    async with listening(peer, tmp_path / "egress.sock"):
        yield peer


@pytest.fixture
async def client(
    peer: Peer, tmp_path: Path, settings: Callable[..., ServiceSettings]
) -> AsyncIterator[MeshClient]:
    client = MeshClient(settings(egress=f"unix:{tmp_path}/egress.sock"))
    await client.start()
    yield client
    await client.stop()


async def test_the_request_and_its_identifiers_arrive(peer: Peer, client: MeshClient) -> None:
    token = current_request.set(RequestContext.of("abc", TRACE, "vendor=1"))
    answer = await client.request("POST", "user", "/internal/x", json={"이름": 1})
    current_request.reset(token)
    assert answer.status_code == 200
    assert peer.headers["host"] == "user.titanium.internal"
    assert peer.headers["x-request-id"] == "abc"
    assert peer.headers["traceparent"] == TRACE
    assert peer.headers["tracestate"] == "vendor=1"
    assert peer.body == '{"이름":1}'.encode()
    await client.check()


async def test_outside_of_a_request_there_are_no_identifiers(
    peer: Peer, client: MeshClient
) -> None:
    await client.request("GET", "user", "/")
    assert peer.headers.keys().isdisjoint({"x-request-id", "traceparent", "tracestate"})


@pytest.mark.parametrize("status", [200, 204, 401, 404, 409])
async def test_answers_below_500_are_the_callers_business(status: int, client: MeshClient) -> None:
    assert (await client.request("GET", "user", f"/status/{status}")).status_code == status


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_peer_in_trouble_is_503(status: int, client: MeshClient) -> None:
    with pytest.raises(Unavailable, match="user service cannot answer now"):
        await client.request("GET", "user", f"/status/{status}")


@pytest.mark.parametrize("path", ["/slow", "/drip"])
async def test_the_time_out_is_for_the_whole_answer(path: str, client: MeshClient) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        await client.request("GET", "user", path, timeout=0.2)
    assert time.monotonic() - began < 0.5
    assert (await client.request("GET", "user", "/")).status_code == 200


async def test_json_of_a_200_and_nothing_else(client: MeshClient) -> None:
    assert await client.get_json("user", "/") == {"ok": True}
    with pytest.raises(Unavailable, match="answered 404"):
        await client.get_json("user", "/status/404")
    with pytest.raises(Unavailable, match="something else"):
        await client.get_json("user", "/text")


@pytest.mark.parametrize("egress", ["unix:/nowhere/egress.sock", ""])
async def test_nobody_there_is_503(egress: str, settings: Callable[..., ServiceSettings]) -> None:
    client = MeshClient(settings(egress=egress))
    with pytest.raises(Unavailable, match="starting"):
        await client.request("GET", "user", "/")
    await client.stop()
    await client.start()
    with pytest.raises(Unavailable, match="does not answer"):
        await client.request("GET", "localhost.invalid", "/")
    await client.stop()
