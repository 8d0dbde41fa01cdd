"""A real serving process: start, log lines, drain on SIGTERM, refusals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

pytestmark = pytest.mark.integration

APPLICATION = """
import asyncio
from titanium_kit.app import api_router, build_app
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings, SettingsError, load_settings


def create_app():
    settings = load_settings(ServiceSettings)
    router = api_router()

    @router.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "done"

    @router.get("/modules")
    async def modules() -> list[str]:
        import sys
        return [name for name, found in sys.modules.items() if found]

    return build_app(settings, Metrics("test"), title="t", routers=[router], resources=[])


def refuse():
    raise SettingsError("KEY_ENCRYPTION_KEY: empty")
"""

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """A function: starts the server with environment variables of the test's choice."""
    (tmp_path / "sample_app.py").write_text(APPLICATION)
    made: list[asyncio.subprocess.Process] = []

    async def launch(
        target: str = "sample_app:create_app", **values: str
    ) -> asyncio.subprocess.Process:
        environment = {
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "SERVICE": "test",
            "INSTANCE": "test-0",
            "ENVIRONMENT": "development",
            "BIND": f"unix:{tmp_path}/app.sock",
            **values,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "titanium_kit.server",
            target,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        made.append(process)
        return process

    yield launch
    for process in made:
        if process.returncode is None:
            process.kill()
            await process.wait()


def connect(tmp_path: Path) -> httpx2.AsyncClient:
    transport = httpx2.AsyncHTTPTransport(uds=str(tmp_path / "app.sock"))
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


async def answers(client: httpx2.AsyncClient) -> None:
    """Wait until the server answers."""
    for _ in range(500):
        try:
            if (await client.get("/internal/livez")).status_code == 200:
                return
        except httpx2.TransportError:
            await asyncio.sleep(0.02)
    raise AssertionError("the server does not start")


async def test_sigterm_finishes_what_is_under_way(start: Start, tmp_path: Path) -> None:
    process = await start()
    async with connect(tmp_path) as client:
        await answers(client)
        under_way = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.1)
        process.terminate()
        assert (await under_way).json() == "done"
    out, err = await asyncio.wait_for(process.communicate(), 5)
    assert process.returncode in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["event"] == "serving"
    assert {line["service"] for line in lines} == {"test"}
    assert err == b""


async def test_a_socket_left_by_a_killed_process_is_taken_over(
    start: Start, tmp_path: Path
) -> None:
    first = await start()
    async with connect(tmp_path) as client:
        await answers(client)
        first.kill()
        await first.wait()
        assert (tmp_path / "app.sock").exists()
        await start()
        await answers(client)


async def test_the_serving_process_imports_only_what_it_needs(start: Start, tmp_path: Path) -> None:
    await start()
    async with connect(tmp_path) as client:
        await answers(client)
        modules = set((await client.get("/modules")).json())
    assert modules.isdisjoint({"rich", "sqlalchemy", "alembic", "pytest", "websockets", "h2"})


@pytest.mark.parametrize(
    ("target", "values", "says"),
    [
        (
            "sample_app:create_app",
            {"BIND": "tcp:8000"},
            (
                "sample_app:create_app cannot start: BIND: 'tcp:8000' is neither "
                "unix:/path/to.sock nor tcp:host:port"
            ),
        ),
        (
            "sample_app:create_app",
            {"LOG_LEVEL": "loud"},
            (
                "sample_app:create_app cannot start: LOG_LEVEL: Input should be "
                "'debug', 'info', 'warning' or 'error'"
            ),
        ),
        ("sample_app:refuse", {}, "sample_app:refuse cannot start: KEY_ENCRYPTION_KEY: empty"),
    ],
)
async def test_wrong_settings_are_one_line_and_status_1(
    target: str, values: dict[str, str], says: str, start: Start
) -> None:
    process = await start(target, **values)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 1
    assert err.decode() == says + "\n"
