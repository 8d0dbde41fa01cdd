"""Fixtures for every test: a real PostgreSQL in a temporary folder, one database per test."""

from __future__ import annotations

import asyncio
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

    def environment(self) -> dict[str, object]:
        """Keyword arguments for a service's settings."""
        return {"database_url": self.url, "database_password": self.password}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its socket folder and the superuser's password."""

    folder: Path
    password: str

    async def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            connection = await asyncpg.connect(
                host=str(self.folder), user="titanium", password=self.password, database="postgres"
            )
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    async def create_database(self) -> TestDatabase:
        """A fresh database of its own for one test."""
        name = f"t_{secrets.token_hex(6)}"
        connection = await asyncpg.connect(
            host=str(self.folder), user="titanium", password=self.password, database="postgres"
        )
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        finally:
            await connection.close()
        return TestDatabase(f"postgresql://titanium@/{name}?host={self.folder}", self.password)


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
def migrated(postgres: PostgresServer) -> Callable[[str], Awaitable[TestDatabase]]:
    """A function: package name (`titanium_blog`) -> a fresh database at its newest revision."""
    from titanium_kit.migrate import migrate
    from titanium_kit.settings import ServiceSettings

    async def make(package: str) -> TestDatabase:
        database = await postgres.create_database()
        settings = ServiceSettings(
            service="test", environment="development", **database.environment()
        )
        await migrate(settings, package)
        return database

    return make


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
