"""The pool against a real PostgreSQL: loss, read-only primaries, overload, unconfirmed commits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from titanium_kit import database as module
from titanium_kit.database import Database
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Problem, Unavailable
from titanium_kit.settings import ServiceSettings

pytestmark = pytest.mark.integration

SOCKET = ".s.PGSQL.5432"


class Link:
    """A Unix socket in front of PostgreSQL's that can be cut, or swallow the server's answers."""

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder, self._target = folder, target
        self.swallow = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, str(self.folder / SOCKET))

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        (self.folder / SOCKET).unlink(missing_ok=True)
        for writer in tuple(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_unix_connection(str(self._target / SOCKET))
        self._writers |= {writer, down}
        for task in (
            asyncio.create_task(self._pump(reader, down, answers=False)),
            asyncio.create_task(self._pump(up, writer, answers=True)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: Any, writer: asyncio.StreamWriter, answers: bool) -> None:
        try:
            while data := await reader.read(65536):
                if not (answers and self.swallow):
                    writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


@pytest.fixture
async def link(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Link]:
    link = Link(tmp_path_factory.mktemp("pg", numbered=True), postgres.folder)
    await link.join()
    yield link
    await link.cut()


@pytest.fixture
async def own(postgres: Any) -> Any:
    """A database of this test alone."""
    return await postgres.create_database()


@pytest.fixture
async def opened(own: Any, settings: Callable[..., ServiceSettings]) -> AsyncIterator[Any]:
    """A function: settings -> a started Database on `own`."""
    made: list[Database] = []

    async def start(metrics: Metrics | None = None, **values: Any) -> Database:
        database = Database(settings(**{**own.environment(), **values}), metrics)
        made.append(database)
        await database.start()
        return database

    yield start
    for database in made:
        await database.stop()


Opened = Callable[..., Awaitable[Database]]


def through(link: Link, own: Any) -> dict[str, str]:
    before, _, _ = own.url.partition("?host=")
    return {"database_url": f"{before}?host={link.folder}"}


async def test_queries_and_transactions(opened: Opened) -> None:
    database = await opened()
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE t (id int)")
        await connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(Problem, match="not yours"):  # noqa: PT012 - the failure is the block's
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (2)")
            raise Problem(403, "not yours")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM t") == 1
    await database.check()


async def test_before_the_start_it_is_503(settings: Callable[..., ServiceSettings]) -> None:
    database = Database(settings(database_url="postgresql://x@/x"))
    with pytest.raises(Unavailable):
        async with database.connection():
            pass
    await database.stop()


async def test_the_start_does_not_need_the_server(
    settings: Callable[..., ServiceSettings], tmp_path: Path
) -> None:
    database = Database(settings(database_url=f"postgresql://x@/x?host={tmp_path}"))
    await database.start()
    with pytest.raises(Unavailable):
        await database.check()
    await database.stop()


@pytest.mark.parametrize("wrong", ["password", "database"])
async def test_a_server_that_does_not_let_in_is_503(wrong: str, opened: Opened, own: Any) -> None:
    values = {
        "password": {"database_password": "wrong"},
        "database": {"database_url": own.url.replace("/t_", "/u_")},
    }
    database = await opened(**values[wrong])
    with pytest.raises(Unavailable):
        await database.check()


async def test_the_callers_own_errors_stay_what_they_are(opened: Opened) -> None:
    database = await opened()
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE t (id bigint PRIMARY KEY)")
        first = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.execute("INSERT INTO t VALUES (1)")
    for query, argument, kind in (
        ("INSERT INTO t VALUES ($1)", 1, asyncpg.UniqueViolationError),
        ("INSERT INTO t VALUES ($1)", 2**70, asyncpg.DataError),
        ("INSERT INTO t VALUES ($1)", "x", asyncpg.DataError),
        ("SELECT * FROM nowhere WHERE id = $1", 1, asyncpg.UndefinedTableError),
    ):
        with pytest.raises(kind):
            async with database.transaction() as connection:
                await connection.execute(query, argument)
    async with database.connection() as connection:
        same = await connection.fetchval("SELECT pg_backend_pid()")
    assert same == first, "a caller's error must not throw connections away"


async def test_a_transaction_left_open_does_not_reach_the_next_user(opened: Opened) -> None:
    database = await opened(database_pool_size=1)
    async with database.connection() as connection:
        await connection.execute("BEGIN")
        await connection.execute("CREATE TABLE t (id int)")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('t')") is None
        assert not connection.is_in_transaction()


async def test_a_terminated_connection_is_503_and_the_next_one_works(
    opened: Opened, own: Any
) -> None:
    database = await opened()
    admin = await asyncpg.connect(own.url, password=own.password)
    with pytest.raises(Unavailable):  # noqa: PT012 - the failure is the block's
        async with database.connection() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await admin.execute("SELECT pg_terminate_backend($1)", pid)
            await connection.fetchval("SELECT pg_sleep(1)")
    await admin.close()
    await database.check()


async def test_bar_12_a_lost_server_is_503_at_once_and_recovers_when_it_is_back(
    opened: Opened, own: Any, link: Link
) -> None:
    database = await opened(**through(link, own))
    await database.check()
    began = time.monotonic()
    await link.cut()
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            await database.check()
        assert caught.value.headers == {"Retry-After": "1"}
    assert time.monotonic() - began < 1.0
    await link.join()
    await database.check()


async def test_with_a_wait_requests_do_not_notice_a_restart_of_the_server(
    opened: Opened, own: Any, link: Link
) -> None:
    """More of them than connections; and the service counts as ready."""
    database = await opened(**through(link, own), database_wait=10, database_pool_size=2)
    await database.check()
    await link.cut()

    async def one() -> int:
        async with database.transaction() as connection:
            value: int = await connection.fetchval("SELECT 1")
            return value

    began = time.monotonic()
    requests = [asyncio.create_task(one()) for _ in range(6)]
    await database.check()
    assert time.monotonic() - began < 0.5
    await asyncio.sleep(0.3)
    assert not any(request.done() for request in requests)
    await link.join()
    assert await asyncio.gather(*requests) == [1] * 6


async def test_the_wait_for_a_server_ends(opened: Opened, own: Any, link: Link) -> None:
    database = await opened(**through(link, own), database_wait=0.4)
    await database.check()
    await link.cut()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        async with database.connection():
            pass
    assert 0.4 <= time.monotonic() - began < 1.5
    with pytest.raises(Unavailable):
        await database.check()


async def test_a_wait_makes_no_server_ready_that_never_answered(
    settings: Callable[..., ServiceSettings], tmp_path: Path
) -> None:
    database = Database(
        settings(database_url=f"postgresql://x@/x?host={tmp_path}", database_wait=10)
    )
    await database.start()
    with pytest.raises(Unavailable):
        await database.check()
    await database.stop()


async def test_a_connection_lost_inside_a_transaction_is_503(
    opened: Opened, own: Any, link: Link
) -> None:
    database = await opened(**through(link, own))
    with pytest.raises(Unavailable):  # noqa: PT012 - the failure is the block's
        async with database.transaction() as connection:
            await connection.fetchval("SELECT 1")
            await link.cut()
            await connection.fetchval("SELECT 1")


@pytest.mark.parametrize("ending", ["cut", "silence"])
async def test_bar_13_a_commit_without_an_answer_is_never_a_success(
    ending: str, opened: Opened, own: Any, link: Link
) -> None:
    database = await opened(**through(link, own), database_timeout=0.3)
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE t (id int)")
    confirmed = False
    with pytest.raises(Unavailable):  # noqa: PT012 - the failure is the block's
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
            link.swallow = True
            if ending == "cut":
                asyncio.get_running_loop().call_later(
                    0.1, lambda: asyncio.ensure_future(link.cut())
                )
        confirmed = True
    assert not confirmed
    witness = await asyncpg.connect(own.url, password=own.password)
    assert await witness.fetchval("SELECT count(*) FROM t") == 1, "it was done, and not known"
    await witness.close()


@pytest.mark.parametrize("in_transaction", [True, False])
async def test_bar_12_a_commit_that_waits_for_a_standby_is_not_cut_short(
    in_transaction: bool, own_postgres: Any, settings: Callable[..., ServiceSettings]
) -> None:
    """Nobody sees it before a standby has it: a failover would take back what was read."""
    own = await own_postgres.create_database()
    database = Database(settings(**own.environment(), database_timeout=0.3))
    await database.start()
    admin = await asyncpg.connect(own.url, password=own.password)
    await admin.execute("CREATE TABLE t (id int)")

    async def standby(name: str) -> None:
        await admin.execute("SET synchronous_commit = local")
        await admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        await admin.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.2)

    await standby("gone")
    try:
        with pytest.raises(Unavailable):
            async with database.transaction() if in_transaction else database.connection() as one:
                await one.execute("INSERT INTO t VALUES (1)")
        await asyncio.sleep(0.3)
        assert await admin.fetchval("SELECT count(*) FROM t") == 0
    finally:  # the server is the whole module's
        await standby("")
    for _ in range(100):
        await asyncio.sleep(0.05)
        if seen := await admin.fetchval("SELECT count(*) FROM t"):
            break
    assert seen == 1
    await admin.close()
    await database.stop()


async def test_bar_14_a_read_only_primary_is_503_and_is_left_within_moments(
    opened: Opened, own: Any
) -> None:
    database = await opened()
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE t (id int)")
        name = await connection.fetchval("SELECT current_database()")
        before = await connection.fetchval("SELECT pg_backend_pid()")
    admin = await asyncpg.connect(own.url, password=own.password)
    await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with database.connection() as connection:
        # As a demoted primary: connections made before it became read-only are read-only too.
        await connection.execute("SET default_transaction_read_only = on")
        assert await connection.fetchval("SELECT 1") == 1
    with pytest.raises(Unavailable):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(Unavailable, match="read-only"):
        await database.check()
    await admin.execute("SET default_transaction_read_only = off")
    await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
    await admin.close()
    began = time.monotonic()
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO t VALUES (1)")
        assert await connection.fetchval("SELECT pg_backend_pid()") != before
    assert time.monotonic() - began < 1.0


async def test_an_exhausted_pool_is_503_after_the_time_out(opened: Opened) -> None:
    metrics = Metrics("test")
    database = await opened(metrics, database_pool_size=1, database_timeout=0.2)
    async with database.connection() as connection:
        await connection.fetchval("SELECT 1")
        assert b'pool_connections{service="test",state="used"} 1.0' in metrics.exposition()
        began = time.monotonic()
        with pytest.raises(Unavailable, match="busy"):
            async with database.connection():
                pass
        assert 0.15 < time.monotonic() - began < 0.5
    await database.check()
    assert b'pool_connections{service="test",state="idle"} 1.0' in metrics.exposition()


async def test_a_query_that_takes_too_long_is_503(opened: Opened) -> None:
    database = await opened(database_timeout=0.1)
    with pytest.raises(Unavailable, match="busy"):
        async with database.connection() as connection:
            await connection.fetchval("SELECT pg_sleep(5)")
    await database.check()


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (asyncpg.DiskFullError("x"), "30"),
        (asyncpg.DeadlockDetectedError("x"), "1"),
        (asyncpg.CrashShutdownError("x"), "1"),
        (ConnectionResetError(), "1"),
    ],
)
async def test_each_kind_of_failure_says_when_to_come_back(
    error: Exception, retry_after: str, opened: Opened
) -> None:
    database = await opened()
    with pytest.raises(Unavailable) as caught:
        async with database.connection():
            raise error
    assert caught.value.headers == {"Retry-After": retry_after}


def test_reasons_name_the_sqlstate() -> None:
    assert module._reason(asyncpg.DiskFullError("x")) == "DiskFullError 53100"
    assert module._reason(OSError()) == "OSError"
