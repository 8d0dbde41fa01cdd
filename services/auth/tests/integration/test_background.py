"""Housekeeping, administration and the call to the user service."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from services.auth.tests.support import Auth, bearer, log_in, tokens
from titanium_auth import admin
from titanium_auth.adapters.credentials import UserCredentials
from titanium_auth.adapters.housekeeping import Housekeeping
from titanium_auth.domain.models import Account
from titanium_kit.client import MeshClient
from titanium_kit.database import Database
from titanium_kit.problems import Unavailable

pytestmark = pytest.mark.integration


async def test_expired_rows_go_and_others_stay(client: httpx2.AsyncClient, auth: Auth) -> None:
    """In every table; what is still needed is kept."""
    tables = ("sessions", "revocations", "login_failures", "known_addresses", "signing_keys")

    async def counts() -> list[int]:
        return [
            await auth.database.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608
            for name in tables
        ]

    granted = await tokens(client)
    await tokens(client)
    await client.post("/api/auth/logout", headers=bearer(granted["access_token"]))
    await log_in(client, "alice", "wrong")
    await admin.rotate_keys(auth.settings, lead=0)
    before = await counts()
    assert before == [1, 1, 2, 1, 2]
    database = Database(auth.settings)
    housekeeping = Housekeeping(database)
    await database.start()
    try:
        assert not any((await housekeeping.prune()).values())
        assert await counts() == before
        for change in (
            "sessions SET expires_at =",
            "revocations SET until =",
            "login_failures SET expires_at =",
            "known_addresses SET seen_at =",
            "signing_keys SET retires_at = (retires_at - retires_at) +",
        ):
            await auth.database.execute(f"UPDATE {change} interval '-91 days' + now()")
        assert list((await housekeeping.prune()).values()) == [1, 1, 2, 1, 1]
        assert await counts() == [0, 0, 0, 0, 1]
    finally:
        await database.stop()


async def test_housekeeping_works_in_the_background(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on by itself, and the health document shows when it has died."""
    monkeypatch.setattr("titanium_auth.adapters.housekeeping.EVERY", 0.05)
    client = await auth.replica()
    await tokens(client)
    await auth.database.execute("UPDATE sessions SET expires_at = now()")
    for _ in range(50):
        await asyncio.sleep(0.02)
        if not await auth.database.fetchval("SELECT count(*) FROM sessions"):
            break
    assert await auth.database.fetchval("SELECT count(*) FROM sessions") == 0
    ready = await client.get("/internal/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"]["housekeeping"] == "ok"
    with pytest.raises(Unavailable):
        await Housekeeping(Database(auth.settings)).check()


async def run_admin(auth: Auth, *arguments: str, **changes: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command line."""
    settings = auth.settings
    environment = {
        "SERVICE": "auth",
        "ENVIRONMENT": "development",
        "DATABASE_URL": settings.database_url,
        "DATABASE_PASSWORD": settings.database_password.get_secret_value(),
        "KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
        **changes,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "titanium_auth.admin",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_rotate_keys_as_a_command(auth: Auth) -> None:
    """Says which key signs now; a failure is one line and exit status 1."""
    status, out, err = await run_admin(auth, "rotate-keys")
    assert (status, err) == (0, "")
    assert out.endswith("is the first one\n")
    status, out, err = await run_admin(
        auth, "rotate-keys", KEY_ENCRYPTION_KEY="another generated key"
    )
    assert status == 1
    assert err.startswith("rotate-keys failed: KEY_ENCRYPTION_KEY: does not open")
    assert err.count("\n") == 1
    status, out, err = await run_admin(
        auth, "rotate-keys", DATABASE_URL="postgresql://nobody@/nothing?host=/nowhere"
    )
    assert status == 1
    assert "Traceback" not in err


async def test_admin_main_in_process(
    auth: Auth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same inside this process, for its branches."""
    await admin.rotate_keys(auth.settings)
    assert "stays published until" in await admin.rotate_keys(auth.settings, lead=0)
    monkeypatch.setattr(admin, "load_settings", lambda _: auth.settings)
    await asyncio.to_thread(admin.main, ["rotate-keys", "--discard"])
    assert "all other keys were deleted" in capsys.readouterr().out
    away = auth.settings.model_copy(update={"database_url": "postgresql://x@/x?host=/nowhere"})
    monkeypatch.setattr(admin, "load_settings", lambda _: away)
    with pytest.raises(SystemExit, match="rotate-keys failed: The database is away"):
        await asyncio.to_thread(admin.main, ["rotate-keys"])
    wrong = auth.settings.model_copy(
        update={"key_encryption_key": type(auth.settings.key_encryption_key)("another key, long")}
    )
    monkeypatch.setattr(admin, "load_settings", lambda _: wrong)
    with pytest.raises(SystemExit, match="KEY_ENCRYPTION_KEY"):
        await asyncio.to_thread(admin.main, ["rotate-keys"])


@asynccontextmanager
async def user_service(path: Path, answers: list[tuple[int, Any]]) -> AsyncIterator[list[Any]]:
    """A peer on a real Unix socket that gives `answers` in turn; yields what it was asked."""
    asked: list[Any] = []
    app = FastAPI()

    @app.post("/internal/credentials/verify")
    async def verify(request: Request) -> Response:
        asked.append((request.headers["host"], await request.json()))
        status, body = answers.pop(0)
        return Response(orjson.dumps(body), status_code=status, media_type="application/json")

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_keep_alive=1)
        )
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield asked
        finally:
            server.should_exit = True
            await task


async def test_credentials_are_asked_of_the_user_service(auth: Auth, tmp_path: Path) -> None:
    """The documented call and answers; anything else is 503, never a wrong password."""
    account = {"user_id": 7, "username": "alice", "session_epoch": 3}
    path = tmp_path / "egress.sock"
    answers: list[tuple[int, Any]] = [
        (200, account),
        (401, {}),
        (422, {}),
        (403, {}),
        (500, {}),
        (200, {"user_id": "x"}),
        (200, []),
    ]
    client = MeshClient(auth.settings.model_copy(update={"egress": f"unix:{path}"}))
    credentials = UserCredentials(client)
    async with user_service(path, answers) as asked:
        await client.start()
        try:
            assert await credentials.verify("alice", "pä\x00ss") == Account(7, "alice", 3)
            assert asked == [
                ("user.titanium.internal", {"username": "alice", "password": "pä\x00ss"})
            ]
            assert await credentials.verify("alice", "wrong") is None
            assert await credentials.verify("a name that cannot be", "x") is None
            for _ in range(4):
                with pytest.raises(Unavailable):
                    await credentials.verify("alice", "right")
        finally:
            await client.stop()
