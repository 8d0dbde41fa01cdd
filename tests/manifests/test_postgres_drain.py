"""What a pod of the base's PostgreSQL does before it stops, with a server of the test's own."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import asyncpg
import pytest

from conftest import PostgresServer
from tests.manifests.support import MANIFESTS
from titanium.tools import find_postgres_bin

pytestmark = pytest.mark.integration

SCRIPT = MANIFESTS / "base" / "postgres" / "drain.sh"


def adapted(server: PostgresServer, folder: Path) -> Path:
    """The script with this machine's places instead of the pod's."""
    postmaster = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    text = SCRIPT.read_text("utf-8")
    for place, here in (
        ("/var/run/postgresql", str(server.folder)),
        ("kill -TERM 1\n", f"kill -TERM {postmaster}\n"),
        ("/proc/1/fd/1", str(folder / "log")),
    ):
        assert place in text
        text = text.replace(place, here)
    path = folder / "drain.sh"
    path.write_text(text)
    return path


async def session(server: PostgresServer) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(
        host=str(server.folder), user="titanium", password=server.password, database="postgres"
    )


async def until_closed(one: asyncpg.Connection[asyncpg.Record]) -> None:
    deadline = time.monotonic() + 5
    while not one.is_closed():
        assert time.monotonic() < deadline, "still open"
        await asyncio.sleep(0.02)


async def test_clients_are_sent_away_between_their_statements(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    """Nobody new gets in, a transaction comes to its end, and then the server ends by itself."""
    idle, busy = await session(own_postgres), await session(own_postgres)
    change = busy.transaction()
    await change.start()
    await busy.execute("CREATE TABLE kept (id int)")
    path = f"{find_postgres_bin()}:{os.environ['PATH']}"
    draining = await asyncio.create_subprocess_exec(
        "sh",
        str(adapted(own_postgres, tmp_path)),
        env={"PATH": path, "PGPASSWORD": own_postgres.password},
    )
    await until_closed(idle)
    with pytest.raises(asyncpg.CannotConnectNowError):
        await session(own_postgres)
    await busy.execute("INSERT INTO kept VALUES (1)")
    await change.commit()
    await until_closed(busy)
    async with asyncio.timeout(10):
        assert await draining.wait() == 0, (tmp_path / "log").read_text()
    for _ in range(200):
        if not (own_postgres.folder / "data" / "postmaster.pid").exists():
            return
        await asyncio.sleep(0.05)
    pytest.fail("the server goes on")
