"""Fixtures of auth's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from services.auth.tests.support import KEY, Auth, FakeUsers
from titanium_auth.settings import AuthSettings


@pytest.fixture
async def auth(
    migrated: Callable[[str], Awaitable[Any]], postgres: Any, tmp_path: Path
) -> AsyncIterator[Auth]:
    """The service's settings and database, with the account alice (password: "right")."""
    database = await migrated("titanium_auth")
    link = tmp_path / "db"
    link.symlink_to(postgres.folder)
    settings = AuthSettings(
        service="auth",
        environment="development",
        key_encryption_key=KEY,
        database_url=database.url.replace(str(postgres.folder), str(link)),
        database_password=database.password,
    )
    connection = await asyncpg.connect(database.url, password=database.password)
    users = FakeUsers()
    users.add("alice", "right")
    try:
        async with AsyncExitStack() as stack:
            yield Auth(settings, users, connection, stack, link)
    finally:
        await connection.close()


@pytest.fixture
async def client(auth: Auth) -> httpx2.AsyncClient:
    """A client of one replica."""
    return await auth.replica()
