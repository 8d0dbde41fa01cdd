"""PostgreSQL and Redis are scraped as users that may do nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from titanium.exporter.postgres import MODES, STATES, PostgresMonitor
from titanium.exporter.redis import RedisMonitor
from titanium.layout import Home
from titanium.provision.secret_files import secret
from titanium.supervise.process import Process

pytestmark = pytest.mark.integration
Samples = dict[tuple[str, ...], float]


async def scrape(monitor: PostgresMonitor | RedisMonitor) -> Samples:
    """Every sample: its name and the values of its labels, and its value."""
    return {
        (family.name, *labels.values()): value
        for family in await monitor.families()
        for labels, value in family.samples
    }


@pytest.fixture
async def postgres_monitor(home: Home, database: Any) -> AsyncIterator[PostgresMonitor]:
    password = home.secret("exporter", "database_password")
    made = PostgresMonitor(home.postgres_sockets, password)
    yield made
    await made.close()


@pytest.fixture
def redis_monitor(home: Home, redis: Process) -> RedisMonitor:
    return RedisMonitor(home.redis_socket, home.secret("exporter", "redis_password"))


async def superuser(database: Any, name: str = "postgres") -> asyncpg.Connection:
    return await asyncpg.connect(
        host=str(database.folder), user="titanium", password=database.password, database=name
    )


async def test_postgres_is_described_by_its_own_figures(
    database: Any, postgres_monitor: PostgresMonitor
) -> None:
    """Transactions, locks and sizes of every database, seen from outside of it."""
    busy = await superuser(database, "observed")
    try:
        await busy.execute(
            "BEGIN; CREATE TABLE seen_busy (x int); INSERT INTO seen_busy VALUES (1)"
        )
        await asyncio.sleep(0.05)
        samples = await scrape(postgres_monitor)
    finally:
        await busy.close()
    assert samples["pg_up",] == 1
    assert samples["pg_settings_max_connections",] == 100
    assert samples["pg_replication_is_replica",] == 0
    assert samples["pg_replication_lag_seconds",] == 0
    assert samples["pg_wal_size_bytes",] >= 16 * 2**20
    assert samples["pg_database_size_bytes", "observed"] > 1_000_000
    assert samples["pg_stat_database_numbackends", "observed"] >= 1
    assert samples["pg_stat_database_blks_hit", "postgres"] > 0
    assert samples["pg_stat_activity_count", "observed", "idle in transaction"] == 1
    assert 0.04 < samples["pg_stat_activity_max_tx_duration", "observed", "idle in transaction"] < 5
    assert samples["pg_locks_count", "observed", "accessexclusivelock"] >= 1
    assert ("pg_stat_database_numbackends", "template1") not in samples
    for state in STATES:
        assert ("pg_stat_activity_count", "postgres", state) in samples
    for mode in MODES:
        assert ("pg_locks_count", "postgres", mode) in samples
    # track_io_timing is off: a time of 0 would be a lie.
    assert ("pg_stat_database_blk_read_time", "postgres") not in samples


async def test_the_monitor_may_read_no_table(home: Home, database: Any) -> None:
    """It does not even reach a service's database, and can change nothing where it is."""
    password = secret(home.secret("exporter", "database_password"))

    async def connect(name: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(home.postgres_sockets),
            user="titanium_monitor",
            password=password,
            database=name,
        )

    for name in ("observed", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connect(name)
    owner = await superuser(database)
    await owner.execute("CREATE TABLE IF NOT EXISTS not_for_monitors (x int)")
    monitor = await connect("postgres")
    try:
        for forbidden in (
            "SELECT * FROM not_for_monitors",
            "INSERT INTO not_for_monitors VALUES (1)",
            "CREATE TABLE t (x int)",
            "CREATE TEMP TABLE t (x int)",
            "CREATE ROLE r",
            "SELECT rolpassword FROM pg_authid",
            "SELECT pg_read_file('postgresql.conf')",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'titanium'",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SET ROLE titanium",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await monitor.execute(forbidden)
    finally:
        await monitor.close()
        await owner.execute("DROP TABLE not_for_monitors")
        await owner.close()


async def test_a_lost_connection_is_made_again(
    database: Any, postgres_monitor: PostgresMonitor
) -> None:
    """After a restart of the server the first scrape finds it."""
    assert (await scrape(postgres_monitor))["pg_up",] == 1
    admin = await superuser(database)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'titanium_monitor'"
    )
    await admin.close()
    await asyncio.sleep(0.05)
    assert (await scrape(postgres_monitor))["pg_up",] == 1


async def test_redis_is_described_by_its_own_figures(
    home: Home, redis_monitor: RedisMonitor
) -> None:
    from redis.asyncio import Redis

    path = str(home.redis_socket)
    async with Redis(unix_socket_path=path, username="blog", password="pw") as client:
        await client.set("blog:x", "1")
        await client.get("blog:x")
        await client.get("blog:none")
        samples = await scrape(redis_monitor)
    assert samples["redis_up",] == 1
    assert samples["redis_keyspace_hits_total",] == 1
    assert samples["redis_keyspace_misses_total",] == 1
    assert samples["redis_db_keys", "db0"] == 1
    assert samples["redis_memory_max_bytes",] == 32 * 2**20
    assert samples["redis_memory_used_bytes",] > 100_000
    assert samples["redis_connected_clients",] == 2
    assert samples["redis_commands_total", "get"] == 2
    assert samples["redis_commands_duration_seconds_total", "get"] > 0
    assert samples["redis_rejected_connections_total",] == 0


async def test_the_monitor_of_redis_may_only_ask_for_figures(home: Home, redis: Process) -> None:
    from redis.asyncio import Redis
    from redis.exceptions import NoPermissionError

    path, password = str(home.redis_socket), secret(home.secret("exporter", "redis_password"))
    async with Redis(unix_socket_path=path, username="monitor", password=password) as monitor:
        assert (await monitor.info("server"))["tcp_port"] == 0
        for refused in (
            monitor.get("blog:x"),
            monitor.set("monitor:x", "1"),
            monitor.keys("*"),
            monitor.publish("blog:invalidate", "x"),
            monitor.config_get("*"),
            monitor.client_list(),
            monitor.acl_list(),
            monitor.flushall(),
        ):
            with pytest.raises(NoPermissionError):
                await refused


async def test_stores_that_are_away_are_down_and_say_why(home: Home, redis: Process) -> None:
    """Stopped, never started, or with another password: one sample, 0."""
    postgres = PostgresMonitor(home.postgres_sockets, home.secret("exporter", "database_password"))
    assert await scrape(postgres) == {("pg_up",): 0}
    assert postgres.trouble
    password = home.secret("exporter", "redis_password")
    password.write_text("wrong")
    monitor = RedisMonitor(home.redis_socket, password)
    assert await scrape(monitor) == {("redis_up",): 0}
    assert "WRONGPASS" in monitor.trouble
    await redis.stop(signal.SIGTERM, 5)
    assert await scrape(monitor) == {("redis_up",): 0}


async def test_a_store_that_hangs_costs_less_than_three_seconds(
    home: Home, database: Any, postgres_monitor: PostgresMonitor, redis: Process
) -> None:
    """Both at once: one that took the connection and then stopped, one that never answers."""
    assert (await scrape(postgres_monitor))["pg_up",] == 1
    backend = await backend_of_the_monitor(database)
    monitor = RedisMonitor(home.redis_socket, home.secret("exporter", "redis_password"))
    os.kill(backend, signal.SIGSTOP)
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        found = await asyncio.gather(
            scrape(postgres_monitor), scrape(postgres_monitor), scrape(monitor)
        )
        took = time.monotonic() - began
    finally:
        os.kill(backend, signal.SIGCONT)
        os.kill(redis.pid, signal.SIGCONT)
    assert found[0] == {("pg_up",): 0}
    assert found[2] == {("redis_up",): 0}
    assert took < 3
    assert (await scrape(postgres_monitor))["pg_up",] == 1
    assert (await scrape(monitor))["redis_up",] == 1


async def backend_of_the_monitor(database: Any) -> int:
    admin = await superuser(database)
    try:
        pid = await admin.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'titanium-exporter'"
        )
    finally:
        await admin.close()
    assert isinstance(pid, int)
    return pid
