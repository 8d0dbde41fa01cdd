"""The PostgreSQL pool of a service, and what its failures mean to a caller.

A failover shows as lost connections or SQLSTATE 25006 (the old primary is read-only now, while
`SELECT 1` still succeeds there); both throw the pool's connections away and answer 503. A COMMIT
whose answer never came is reported as 503 too, never as done.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from titanium_kit.logs import get_logger
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Unavailable
from titanium_kit.resources import CHECK_TIMEOUT
from titanium_kit.settings import ServiceSettings
from titanium_kit.tracing import current_span
from titanium_kit.tracing.statements import statement_spans

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's classes are generic for type checkers only
    Connection = asyncpg.pool.PoolConnectionProxy
    Pool = asyncpg.Pool

logger = get_logger(__name__)

RECONNECT = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
)
OVERLOAD = (
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    TimeoutError,
)
# What a server that is not there, is starting or is going away does to a new connection.
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)
AGAIN = 0.1
# A server that was replaced answers no longer at the address that a proxy may still know.
CONNECT_AGAIN = 1.0
SHORT = 0.7 * CHECK_TIMEOUT
NO_SPACE = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.PostgresIOError)


class _PooledConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg is untyped
    """A connection that goes back to the pool without a round trip.

    asyncpg resets session state at every release, which doubles the cost of a one-query request.
    Nothing here uses session state: no SET without LOCAL, no LISTEN, no session advisory lock.
    A transaction left open is still rolled back.
    """

    def get_reset_query(self) -> str:
        return ""

    def _cancel_current_command(self, waiter: asyncio.Future[None], *_: object) -> None:
        """Leave the server, where asyncpg would ask it to stop.

        Asked to stop while it waits for a standby, PostgreSQL ends the wait, not the commit: others
        would see, and a repeated request confirm, what a failover takes back. What runs for too
        long the server stops by itself (statement_timeout, which does not count that wait; behind
        PgBouncer client_connection_check_interval).
        """

        def leave() -> None:
            self.terminate()
            if not waiter.done():
                waiter.set_result(None)

        self._loop.call_soon(leave)


class Database:
    """A lazily connected asyncpg pool. `connection()` and `transaction()` yield a connection.

    Connections keep their session state between users: change none (use SET LOCAL and
    pg_advisory_xact_lock).
    """

    name = "postgres"
    required = True

    def __init__(self, settings: ServiceSettings, metrics: Metrics | None = None) -> None:
        self._settings = settings
        self._pool: Pool | None = None
        self._answered = -math.inf  # the last check; the clock may be near zero after a boot
        self._metrics = metrics

    async def start(self) -> None:
        """Create the pool without connecting: a database that is away must not stop the start."""
        limit = self._settings.database_timeout
        self._pool = await asyncpg.create_pool(
            self._settings.database_url,
            password=self._settings.database_password.get_secret_value() or None,
            connection_class=_PooledConnection,
            min_size=0,
            max_size=self._settings.database_pool_size,
            command_timeout=limit,
            timeout=min(limit, CONNECT_AGAIN) if self._settings.database_wait else limit,
            server_settings={
                "application_name": self._settings.instance or self._settings.service,
                "statement_timeout": f"{limit * 1000:.0f}",
            },
        )
        if self._metrics:
            pool = self._pool
            self._metrics.pool_gauge("used").set_function(
                lambda: pool.get_size() - pool.get_idle_size()
            )
            self._metrics.pool_gauge("idle").set_function(pool.get_idle_size)
            self._metrics.pool_gauge("free").set_function(
                lambda: pool.get_max_size() - pool.get_size()
            )

    async def stop(self) -> None:
        """Close the pool; connections that do not finish in time are cut."""
        if self._pool is not None:
            self._pool.terminate()

    async def check(self) -> None:
        """Prove that a primary answers, or did while requests would still wait for it."""
        wait = self._settings.database_wait
        try:
            async with asyncio.timeout(SHORT if wait else None):
                await self._ask()
        except (Unavailable, TimeoutError):
            if time.monotonic() - self._answered >= wait:
                raise
        else:
            self._answered = time.monotonic()

    async def _ask(self) -> None:
        """Raises `Unavailable` for a standby, too."""
        async with self.connection(wait=0) as connection:
            # On for a standby, and for a primary that takes no writes.
            setting = "SELECT current_setting('transaction_read_only')"
            read_only = await connection.fetchval(setting) == "on"
        if read_only:
            await self._expire()
            raise Unavailable("The database is read-only.")

    @asynccontextmanager
    async def connection(self, wait: float | None = None) -> AsyncIterator[Connection]:
        """A connection outside of a transaction. Raises `Unavailable` when there is none.

        `wait`: for how many seconds to try for one, by default the setting `database_wait`.
        """
        pool = self._pool
        if pool is None:
            raise Unavailable("The database is not open yet.")
        try:
            connection = await self._acquire(
                pool, self._settings.database_wait if wait is None else wait
            )
            try:
                span = current_span.get()
                if span is None:
                    yield connection
                else:
                    with connection.query_logger(statement_spans(span)):
                        yield connection
            finally:
                await pool.release(connection)
        except (asyncpg.DataError, asyncpg.UnsupportedClientFeatureError):
            raise  # InterfaceErrors too, but the caller's: a value that its column cannot hold
        except OVERLOAD as error:  # first, because a TimeoutError is an OSError as well
            logger.warning("database_overloaded", reason=_reason(error))
            raise Unavailable("The database is busy. Try again in a moment.") from error
        except RECONNECT as error:
            logger.warning("database_lost", reason=_reason(error))
            await self._expire()
            raise Unavailable("The database is away. Try again in a moment.") from error
        except NO_SPACE as error:
            logger.critical("database_out_of_space", reason=_reason(error))
            raise Unavailable("The database cannot take more data.", retry_after=30) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction that commits at the end of the block."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def _acquire(self, pool: Pool, wait: float) -> Connection:
        """Nothing has been asked yet: to try again is always safe."""
        deadline = time.monotonic() + wait
        while True:
            try:
                connection = await pool.acquire(timeout=self._settings.database_timeout)
                if wait:
                    await self._prove(pool, connection)
            except AWAY:
                if time.monotonic() >= deadline:
                    raise
                await asyncio.sleep(AGAIN)
            else:
                return connection

    @staticmethod
    async def _prove(pool: Pool, connection: Connection) -> None:
        """A round trip, so that no statement is the first to meet a server that has gone."""
        try:
            await connection.execute("SELECT", timeout=CONNECT_AGAIN)
        except BaseException as error:
            await pool.release(connection)
            if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
                raise ConnectionError(str(error)) from error  # closed since it was acquired
            raise

    async def _expire(self) -> None:
        if self._pool is not None:
            await self._pool.expire_connections()


def _reason(error: BaseException) -> str:
    code = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' {code}' if code else ''}"
