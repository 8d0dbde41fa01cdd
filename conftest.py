"""Fixtures for every test: a real PostgreSQL in a temporary folder, databases for each test."""

from __future__ import annotations

import asyncio
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from tests.redis_support import DelayingProxy, RedisServer
from titanium.provision.account import database_prefix
from titanium.provision.cluster import create_cluster
from titanium.tools import find_postgres_bin

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("titanium", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("titanium")


@dataclass(frozen=True)
class TestDatabase:
    """An empty or migrated database: `url` has no password, `password` is the owner's."""

    __test__ = False

    url: str
    password: str

    @property
    def name(self) -> str:
        """In its server."""
        return self.url.partition("?")[0].rpartition("/")[2]

    def environment(self) -> dict[str, object]:
        """Keyword arguments for a service's settings."""
        return {"database_url": self.url, "database_password": self.password}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its socket folder and the superuser's password."""

    folder: Path
    password: str
    templates: dict[str, str] = field(default_factory=dict)
    """Package -> a database at its newest revision, to be copied."""

    async def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            connection = await self._connect()
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    async def create_database(self, template: str = "template0") -> TestDatabase:
        """A fresh database of its own for one test."""
        name = f"t_{secrets.token_hex(6)}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return TestDatabase(f"postgresql://titanium@/{name}?host={self.folder}", self.password)

    async def drop_database(self, name: str) -> None:
        """Whoever still uses it is cut off: hundreds of them would fill the disk, or the memory."""
        await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(self.folder), user="titanium", password=self.password, database="postgres"
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole session, on a Unix socket in a temporary folder."""
    with _running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server of one module's own, for tests of what the whole server shares: roles."""
    with _running_postgres() as server:
        yield server


@contextmanager
def _running_postgres() -> Iterator[PostgresServer]:
    binaries = find_postgres_bin()
    with tempfile.TemporaryDirectory(prefix="ti-pg-") as name:
        folder = Path(name)
        password = secrets.token_urlsafe(16)
        (folder / "password").write_text(password)
        prefix = database_prefix(binaries / "postgres", (folder,))
        create_cluster(binaries, folder / "data", folder / "password", prefix)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "shared_buffers": "32MB",
            "fsync": "off",
            "max_connections": "100",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, str(binaries / "postgres"), "-D", str(folder / "data"), *options],
                stdout=log,
                stderr=log,
            )
        try:
            deadline = time.monotonic() + 20
            server = PostgresServer(folder, password)
            while not asyncio.run(server.answers()):
                assert time.monotonic() < deadline, (folder / "log").read_text()
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing here is to be kept
            process.wait(20)


@pytest.fixture
async def migrated(
    postgres: PostgresServer,
) -> AsyncIterator[Callable[[str], Awaitable[TestDatabase]]]:
    """A function: package name (`titanium_blog`) -> a fresh database at its newest revision."""
    from titanium_kit.migrate import migrate
    from titanium_kit.settings import ServiceSettings

    made: list[str] = []

    async def make(package: str) -> TestDatabase:
        if package not in postgres.templates:
            database = await postgres.create_database()
            settings = ServiceSettings(
                service="test", environment="development", **database.environment()
            )
            await migrate(settings, package)
            postgres.templates[package] = database.name
        copy = await postgres.create_database(postgres.templates[package])
        made.append(copy.name)
        return copy

    yield make
    for name in made:
        await postgres.drop_database(name)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running Redis of this test alone."""
    with tempfile.TemporaryDirectory(prefix="ti-rd-") as name:
        server = RedisServer(Path(name))
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def slow_redis(redis_server: RedisServer) -> AsyncIterator[DelayingProxy]:
    """A proxy before `redis_server` that can be made slow."""
    proxy = DelayingProxy(redis_server.folder / "proxy.sock", redis_server.socket)
    async for running in proxy.run():
        yield running
