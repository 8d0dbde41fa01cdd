"""The receiver over a real Unix socket: takes exports, refuses everything else, stays small."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from cli.tests.traces.test_decode import TRACE, document, encode, protobuf
from titanium.traces import TraceStore
from titanium.traces.otlp import LARGEST, PATH, receiver

pytestmark = pytest.mark.integration

JSON = {"Content-Type": "application/json; charset=utf-8"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def store() -> TraceStore:
    return TraceStore()


@pytest.fixture
async def client(store: TraceStore, short_folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    socket = short_folder / "otlp.sock"
    config = uvicorn.Config(receiver(store), uds=str(socket), log_level="critical", lifespan="on")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    async with httpx2.AsyncClient(transport=transport, base_url="http://otlp", timeout=20) as made:
        yield made
    server.should_exit = True
    await task


async def test_both_encodings_are_taken(client: httpx2.AsyncClient, store: TraceStore) -> None:
    answer = await client.post(PATH, content=encode(document()), headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    trace = store.get(TRACE)
    assert trace is not None
    body = gzip.compress(protobuf().SerializeToString())
    answer = await client.post(PATH, content=body, headers={**PROTOBUF, "Content-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()


async def test_refused_spans_are_counted_in_the_answer(client: httpx2.AsyncClient) -> None:
    body = encode(document(traceId=""))
    answer = await client.post(PATH, content=body, headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    request = protobuf()
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b"short"
    answer = await client.post(PATH, content=request.SerializeToString(), headers=PROTOBUF)
    assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1


async def test_malformed_bodies_are_a_400_in_the_senders_format(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, content=b"{", headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["code"] == 3
    assert "no JSON" in answer.json()["message"]
    answer = await client.post(PATH, content=b"\xff\xff", headers=PROTOBUF)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/x-protobuf"
    words = b"the body is no ExportTraceServiceRequest"
    assert answer.content == b"\x08\x03\x12" + bytes((len(words),)) + words
    zipped = {**JSON, "Content-Encoding": "gzip"}
    for body in (b"not gzip", gzip.compress(b"{}")[:-4], b"\x1f\x8b"):
        answer = await client.post(PATH, content=body, headers=zipped)
        assert answer.status_code == 400, body


async def test_large_bodies_are_a_413(client: httpx2.AsyncClient, store: TraceStore) -> None:
    answer = await client.post(PATH, content=b" " * (LARGEST + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, 8)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(LARGEST // 65536 + 1):
            yield b" " * 65536

    answer = await client.post(PATH, content=parts(), headers=JSON)
    assert answer.status_code == 413
    bomb = zlib.compressobj(wbits=31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(200)) + bomb.flush()
    members = gzip.compress(bytes(1 << 20)) * 5
    for body in (packed, members):
        answer = await client.post(PATH, content=body, headers={**JSON, "Content-Encoding": "gzip"})
        assert answer.status_code == 413
    assert store.list() == []


async def test_other_formats_methods_and_paths_are_refused(client: httpx2.AsyncClient) -> None:
    for headers in ({"Content-Type": "text/plain"}, {}, {**JSON, "Content-Encoding": "br"}):
        answer = await client.post(PATH, content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, 3)
    answer = await client.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await client.post("/v1/metrics", content=b"{}", headers=JSON)).status_code == 404


async def test_a_sender_that_goes_away_harms_nobody(
    client: httpx2.AsyncClient, short_folder: Path
) -> None:
    _, writer = await asyncio.open_unix_connection(str(short_folder / "otlp.sock"))
    writer.write(
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    answers = [
        client.post(PATH, content=json.dumps(document()).encode(), headers=JSON) for _ in range(20)
    ]
    assert {answer.status_code for answer in await asyncio.gather(*answers)} == {200}
