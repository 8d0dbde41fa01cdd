"""The exporter's own process beside a real PostgreSQL, a real Redis and apps on Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from cli.tests.conftest import free_port_base
from cli.tests.exporter.support import STATUS, StandIn, process
from titanium.layout import Home, Ports
from titanium.supervise.process import Process

pytestmark = pytest.mark.integration
Start = Callable[..., Process]

CONTRACT = {
    "/platform/metrics": """
        titanium_supervisor_up titanium_process_ready titanium_process_restarts_total
        titanium_process_resident_memory_bytes titanium_process_cpu_seconds_total
        titanium_process_start_time_seconds titanium_certificate_expiry_timestamp_seconds
        titanium_fault_active node_filesystem_avail_bytes node_filesystem_size_bytes
        node_memory_MemTotal_bytes node_memory_MemAvailable_bytes node_cpu_seconds_total
        node_load1
    """,
    "/postgres/metrics": """
        pg_up pg_stat_database_numbackends pg_stat_database_xact_commit
        pg_stat_database_xact_rollback pg_stat_database_blks_hit pg_stat_database_blks_read
        pg_stat_database_tup_returned pg_stat_database_tup_fetched pg_stat_database_tup_inserted
        pg_stat_database_tup_updated pg_stat_database_tup_deleted pg_stat_database_deadlocks
        pg_stat_database_temp_bytes pg_database_size_bytes pg_settings_max_connections
        pg_stat_activity_count pg_stat_activity_max_tx_duration pg_locks_count
        pg_replication_lag_seconds pg_replication_is_replica pg_wal_size_bytes
    """,
    "/redis/metrics": """
        redis_up redis_memory_used_bytes redis_memory_max_bytes redis_connected_clients
        redis_keyspace_hits_total redis_keyspace_misses_total redis_evicted_keys_total
        redis_expired_keys_total redis_commands_processed_total redis_db_keys
        redis_uptime_in_seconds redis_rejected_connections_total redis_commands_total
        redis_commands_duration_seconds_total
    """,
}
TEXT = b"# TYPE x counter\nx 1\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024
ANSWERS = {
    "good": HEAD + b"Content-Length: %d\r\n\r\n" % len(TEXT) + TEXT,
    "chunked": CHUNKED + b"%x\r\n" % len(TEXT) + TEXT + b"\r\n0\r\n\r\n",
    "failing": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "large": HEAD + b"Content-Length: %d\r\n\r\n" % (9 * MIB),
    "largechunked": CHUNKED + (b"%x\r\n" % MIB + b"x" * MIB + b"\r\n") * 9,
    "halved": HEAD + b"Content-Length: 100\r\n\r\n" + TEXT,
    "endless": CHUNKED + b"-5\r\n",
    "babbling": b"\x00\x01\x02\r\n\r\n",
}


@pytest.fixture
def base() -> int:
    return free_port_base(8)


@pytest.fixture
async def start(home: Home, base: int) -> AsyncIterator[Start]:
    """A function that starts the exporter; it is stopped at the end."""
    made: list[Process] = []

    def run(**env: str) -> Process:
        argv = (sys.executable, "-P", "-m", "titanium.exporter", str(home.root))
        variables = {"TITANIUM_PORT_BASE": str(base), **env}
        made.append(Process.start(argv, folder=home.root, log=home.log("exporter"), env=variables))
        return made[-1]

    yield run
    for each in made:
        await each.stop(signal.SIGTERM, 5)


@pytest.fixture
async def client(home: Home, base: int) -> AsyncIterator[httpx2.AsyncClient]:
    token = home.secret("observability", "scrape_token").read_text()
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{Ports(base).exporter}",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=10,
    ) as made:
        yield made


async def until_healthy(client: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(15):
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if (await client.get("/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


def names_in(text: str) -> set[str]:
    """Metrics that have a sample."""
    return {
        line.split("{")[0].split(" ")[0]
        for line in text.splitlines()
        if line and not line.startswith("#")
    }


async def test_every_metric_of_the_contract_is_there(
    supervisor: StandIn,
    database: Any,
    redis: Process,
    start: Start,
    client: httpx2.AsyncClient,
    home: Home,
) -> None:
    """Rules, alerts and dashboards rely on these names; nothing else is told."""
    from redis.asyncio import Redis

    path = str(home.redis_socket)
    async with Redis(unix_socket_path=path, username="blog", password="pw") as blog:
        await blog.get("blog:x")
    start()
    await until_healthy(client)
    for path, names in CONTRACT.items():
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert names_in(answer.text) == set(names.split()), path
    groups = (await client.get("/sd")).json()
    assert groups[0]["targets"] == [client.base_url.netloc.decode()]
    await supervisor.stop()
    await asyncio.sleep(1.1)
    assert (await client.get("/sd")).json() == groups
    assert "titanium_supervisor_up 0\n" in (await client.get("/platform/metrics")).text


async def test_one_look_at_the_supervisor_serves_a_round_of_scrapes(
    supervisor: StandIn, start: Start, client: httpx2.AsyncClient
) -> None:
    """A status costs the supervisor more than it costs the exporter."""
    start()
    await until_healthy(client)
    paths = ["/sd", "/platform/metrics", "/processes/blog-0/metrics"] * 5
    await asyncio.gather(*(client.get(path) for path in paths))
    assert supervisor.asked == 1


@pytest.fixture
async def apps(home: Home, supervisor: StandIn) -> AsyncIterator[None]:
    """One app for each of ANSWERS, and one that says nothing."""
    servers: list[asyncio.Server] = []

    def answering(content: bytes) -> Callable[..., Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            assert request.startswith(b"GET /internal/metrics HTTP/1.1\r\n")
            with contextlib.suppress(OSError):
                if content:
                    writer.write(content)
                    await writer.drain()
                else:
                    await reader.read()
            writer.close()

        return handle

    names = {**ANSWERS, "silent": b""}
    for name, content in names.items():
        (home.run / name).mkdir()
        servers.append(
            await asyncio.start_unix_server(answering(content), str(home.app_socket(name)))
        )
    supervisor.status = replace(
        STATUS, processes=tuple(process(name, "app", "blog") for name in (*names, "absent"))
    )
    yield
    for server in servers:
        server.close()


async def test_an_apps_own_metrics_are_passed_on_or_the_fault_is_named(
    apps: None, start: Start, client: httpx2.AsyncClient
) -> None:
    """Whole answers only, whatever an app does: too much, too little, nonsense or nothing."""
    start()
    await until_healthy(client)
    for name in ("good", "chunked"):
        answer = await client.get(f"/processes/{name}/metrics")
        assert (answer.status_code, answer.content) == (200, TEXT), name
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    said = {
        "failing": "failing answered its metrics with status 500.",
        "large": "large did not answer: the answer is too large.",
        "largechunked": "largechunked did not answer: the answer is too large.",
        "halved": "halved did not answer",
        "endless": "endless did not answer",
        "babbling": "babbling did not answer: the answer is not HTTP.",
        "absent": "absent did not answer",
        "silent": "silent did not answer within 2.9 s.",
    }
    answers = await asyncio.gather(*(client.get(f"/processes/{n}/metrics") for n in said))
    for name, answer in zip(said, answers, strict=True):
        assert answer.status_code == 502, name
        assert said[name] in answer.json()["detail"]
        assert answer.elapsed.total_seconds() < 3.5


async def test_it_stops_in_order_and_logs_json(
    supervisor: StandIn, start: Start, client: httpx2.AsyncClient, home: Home
) -> None:
    """SIGTERM ends it at once; that a store is away is told once, not at each scrape."""
    running = start()
    await until_healthy(client)
    for _ in range(3):
        await client.get("/redis/metrics")
    assert await running.stop(signal.SIGTERM, 4)
    lines = [json.loads(line) for line in home.log("exporter").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["serving", "redis does not answer", "stopped"]
    for line in lines:
        assert line.keys() >= {"ts", "level", "service", "instance", "event"}
        assert line["service"] == "exporter"
    token = home.secret("observability", "scrape_token").read_text()
    assert token not in home.log("exporter").read_text()


@pytest.mark.parametrize("fault", ["no token", "empty token", "port base", "port taken"])
async def test_what_keeps_it_from_starting_is_said(
    home: Home, start: Start, base: int, fault: str
) -> None:
    """In one line of its log, without a traceback."""
    token = home.secret("observability", "scrape_token")
    server = None
    if fault == "no token":
        token.unlink()
    elif fault == "empty token":
        token.write_text("")
    elif fault == "port taken":
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", Ports(base).exporter)
    running = start(**({"TITANIUM_PORT_BASE": "9x"} if fault == "port base" else {}))
    async with asyncio.timeout(15):
        assert await running.wait() != 0
    if server is not None:
        server.close()
    text = home.log("exporter").read_text()
    assert "Traceback" not in text
    assert "error" in [json.loads(line)["level"] for line in text.splitlines()]
