"""A Prometheus that is absent, dies, is slow or answers garbage is said so, and quickly."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from cli.tests.conftest import free_port_base
from cli.tests.console.support import status
from titanium.console.poller import Poller
from titanium.console.prometheus import Prometheus, PrometheusUnavailable, QueryRefused
from titanium.errors import NotRunningError
from titanium.supervise.protocol import PlatformStatus

pytestmark = pytest.mark.integration

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
VECTOR = (
    b'{"status":"success","data":{"resultType":"vector","result":['
    b'{"metric":{"__name__":"up","job":"app"},"value":[1,"1"]},'
    b'{"metric":{"job":"odd"},"value":[1,"NaN"]},{"metric":{},"value":[1,"+Inf"]}]}}'
)
ALERTS = (
    b'{"status":"success","data":{"alerts":[{"labels":{"alertname":"A","severity":"critical"},'
    b'"annotations":{"summary":"s"},"state":"firing","value":"1e+00",'
    b'"activeAt":"2026-01-02T03:04:05.123456789Z"}]}}'
)


@asynccontextmanager
async def answering(answer: Answer, timeout: float = 0.5) -> AsyncIterator[Prometheus]:
    """A server that reads a request and does what `answer` does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Prometheus(f"http://127.0.0.1:{port}", timeout)
    try:
        async with server:
            yield client
    finally:
        await client.close()


def body(text: bytes, status_line: bytes = b"200 OK") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status_line, len(text), text)
        )
        await writer.drain()

    return answer


async def never(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def slowly(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(50):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def dies(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()


async def test_values_that_are_no_numbers_are_kept_apart() -> None:
    """NaN and infinity come as they are; whoever shows them decides."""
    async with answering(body(VECTOR)) as prometheus:
        first, odd, infinite = await prometheus.query("up")
    assert (first.labels["job"], first.value) == ("app", 1.0)
    assert math.isnan(odd.value)
    assert math.isinf(infinite.value)


async def test_alerts_tell_since_when() -> None:
    """Prometheus writes nanoseconds."""
    async with answering(body(ALERTS)) as prometheus:
        (alert,) = await prometheus.alerts()
    assert (alert.name, alert.state, alert.severity) == ("A", "firing", "critical")
    assert alert.active_since == pytest.approx(1767323045.123456)


@pytest.mark.parametrize(
    "answer",
    [
        never,
        slowly,
        dies,
        body(b""),
        body(b"<html>"),
        body(b"[]"),
        body(b'{"status":"success"}'),
        body(b'{"status":"success","data":{"resultType":"vector","result":[{}]}}'),
        body(b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}}'),
        body(b"\xff\xfe"),
        body(b"moved", b"302 Found\r\nLocation: http://127.0.0.1:1/"),
        body(b"busy", b"503 Service Unavailable"),
    ],
)
async def test_a_bad_answer_is_an_error_for_people(answer: Answer) -> None:
    """In time, with what to do next; never another exception."""
    began = time.monotonic()
    async with answering(answer) as prometheus:
        with pytest.raises(PrometheusUnavailable) as told:
            await prometheus.query("up")
    assert time.monotonic() - began < 3
    assert told.value.hint


async def test_a_refused_query_says_why() -> None:
    """That is a fault of the query, not of Prometheus."""
    refusal = body(b'{"status":"error","errorType":"bad_data","error":"no"}', b"400 Bad Request")
    async with answering(refusal) as prometheus:
        with pytest.raises(QueryRefused, match="no"):
            await prometheus.query("up{")


async def test_the_snapshot_survives_what_is_absent() -> None:
    """Without Prometheus there is still a status; without a supervisor neither, and it is said."""

    async def healthy() -> PlatformStatus:
        return status()

    async def gone() -> PlatformStatus:
        raise NotRunningError("no titanium is running", "Start it.")

    prometheus = Prometheus(f"http://127.0.0.1:{free_port_base(1)}")
    try:
        poller = Poller(healthy, prometheus)
        await poller.read_status()
        await poller.read_metrics()
        assert poller.snapshot.status is not None
        assert poller.snapshot.metrics_error is not None
        poller = Poller(gone, prometheus)
        await poller.read_status()
        assert poller.snapshot.status is None
        assert poller.snapshot.status_error is not None
    finally:
        await prometheus.close()


async def test_what_a_prometheus_told_before_it_died_is_not_shown_as_new() -> None:
    """Then nothing is; once it is back, what it tells."""
    vector, alerts, dead = body(VECTOR), body(ALERTS), body(b"", b"502 Bad Gateway")
    answers = [vector, alerts, dead, vector, alerts]

    async def one_after_the_other(writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(writer)

    async def healthy() -> PlatformStatus:
        return status()

    async with answering(one_after_the_other) as prometheus:
        poller = Poller(healthy, prometheus)
        for up in (True, False, True):
            await poller.read_metrics()
            shown = poller.snapshot
            assert (bool(shown.metrics), bool(shown.alerts)) == (up, up)
            assert (shown.metrics_error is None) == up
