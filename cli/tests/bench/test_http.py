"""The client and the mixed traffic against a server that answers what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from titanium.bench.http import Client, encode
from titanium.bench.mixed import drive

pytestmark = pytest.mark.integration

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"


class Server:
    """Counts connections; `answer` turns a request's first line into bytes, b"" hangs up."""

    def __init__(self, answer: Callable[[str], bytes]) -> None:
        self.answer = answer
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                answer = self.answer(head.split(b"\r\n")[0].decode())
                writer.write(answer)
                await writer.drain()
                if not answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Callable[[str], bytes]) -> AsyncIterator[tuple[Server, int]]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        yield server, listener.sockets[0].getsockname()[1]
        listener.close()


async def test_a_connection_is_used_again() -> None:
    async with serving(lambda _: OK) as (server, port):
        client = Client(port)
        bodies = [(await client.send(encode("GET", "/"))).body for _ in range(3)]
        await client.close()
    assert bodies == [b"ok"] * 3
    assert server.connections == 1


async def test_a_connection_that_the_server_closes_is_not() -> None:
    async with serving(lambda _: LAST) as (server, port):
        client = Client(port)
        for _ in range(2):
            await client.send(encode("GET", "/"))
        await client.close()
    assert server.connections == 2


async def test_chunks_are_put_together() -> None:
    async with serving(lambda _: CHUNKED) as (_, port):
        client = Client(port)
        answer = await client.send(encode("GET", "/"))
        await client.close()
    assert (answer.status, answer.body) == (200, b"abcde")


@pytest.mark.parametrize("garbage", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"])
async def test_what_is_no_answer_is_an_error(garbage: bytes) -> None:
    async with serving(lambda _: garbage) as (_, port):
        client = Client(port)
        with pytest.raises((EOFError, OSError)):
            await client.send(encode("GET", "/"))
        await client.close()


async def test_mixed_traffic_counts_answers_refusals_and_broken_connections() -> None:
    answers = {"/ok": OK, "/refused": REFUSED, "/gone": b""}
    async with serving(lambda line: answers[line.split(" ")[1]]) as (_, port):
        targets = ["/ok"] * 6 + ["/refused"] * 3 + ["/gone"]
        seen = await drive(port, [encode("GET", target) for target in targets], rate=500)
    assert (seen.requests, seen.refused, seen.broken) == (9, 3, 1)
    assert 0 < seen.p50 <= seen.p95 <= seen.p99


async def test_mixed_traffic_without_an_answer_is_all_broken() -> None:
    async with serving(lambda _: b"") as (_, port):
        seen = await drive(port, [encode("GET", "/")] * 3, rate=500)
    assert (seen.requests, seen.broken, seen.rate) == (0, 3, 0.0)
