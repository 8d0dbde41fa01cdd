"""Fixtures of the kit's tests: settings, small applications, a real Redis."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, FastAPI

from libs.kit.tests.token_support import Auth, Clock
from titanium.tools import find_redis
from titanium_kit.app import build_app
from titanium_kit.cache import ResponseCache
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings
from titanium_kit.tokens import TokenVerifier


def make_settings(**values: Any) -> ServiceSettings:
    """Settings of a development service called `test`."""
    return ServiceSettings(**{"service": "test", "environment": "development", **values})


@pytest.fixture
def settings() -> Callable[..., ServiceSettings]:
    """A function: settings of a development service called `test`."""
    return make_settings


@pytest.fixture
def make_app() -> Callable[..., FastAPI]:
    """A function: routers -> an application with metrics in `app.state.metrics`."""

    def make(*routers: APIRouter, cached: bool = False, **values: Any) -> FastAPI:
        configured = make_settings(**values)
        metrics = Metrics(configured.service)
        cache = ResponseCache(configured, metrics) if cached else None
        app = build_app(
            configured, metrics, title="test", routers=routers, resources=[], cache=cache
        )
        app.state.metrics = metrics
        app.state.cache = cache
        return app

    return make


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """What a test does to the root logger and to structlog ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


class RedisServer:
    """A redis-server on a Unix socket, to be started and killed at will."""

    def __init__(self, folder: Path) -> None:
        self._binary = find_redis()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, empty, and wait until it listens."""
        self._process = subprocess.Popen(
            [str(self._binary), "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as when the machine's memory ran out."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running Redis of this test alone."""
    with tempfile.TemporaryDirectory(prefix="ti-rd-") as name:
        server = RedisServer(Path(name))
        server.start()
        yield server
        server.kill()


class DelayingProxy:
    """A Unix socket in front of another; `delay` seconds are added to each answer."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path, self.target, self.delay = path, target, 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def _pump(self, reader: Any, writer: Any, slow: bool) -> None:
        try:
            while data := await reader.read(65536):
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_unix_connection(str(self.target))
        for task in (
            asyncio.create_task(self._pump(reader, down, slow=False)),
            asyncio.create_task(self._pump(up, writer, slow=True)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> AsyncIterator[DelayingProxy]:
        """Serve until the generator is closed."""
        server = await asyncio.start_unix_server(self._accept, str(self.path))
        yield self
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close in the loop's next round


@pytest.fixture
async def slow_redis(redis_server: RedisServer) -> AsyncIterator[DelayingProxy]:
    """A proxy before `redis_server` that can be made slow."""
    proxy = DelayingProxy(redis_server.folder / "proxy.sock", redis_server.socket)
    async for running in proxy.run():
        yield running


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """A function that waits until a condition holds, and fails after `within` seconds."""

    async def wait(condition: Callable[[], bool], within: float = 5.0) -> float:
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within, "the condition does not come true"
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    return wait


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def verify(auth: Auth, settings: Callable[..., ServiceSettings]) -> TokenVerifier:
    return TokenVerifier(settings(), auth)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
