"""A fake user service, replicas of auth, and calls that tests make often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from titanium_auth.domain.models import Account
from titanium_auth.main import create_app
from titanium_auth.settings import AuthSettings
from titanium_kit.testing import serving

KEY = "a generated key for tests"


class FakeUsers:
    """The user service's answers; implements `Credentials` and counts the hashes it would make."""

    def __init__(self) -> None:
        self.accounts: dict[str, tuple[str, Account]] = {}
        self.hashes = 0
        self.before_answer: Callable[[], Awaitable[None]] | None = None

    def add(self, username: str, password: str, *, user_id: int = 1, epoch: int = 0) -> None:
        """An account, or its new password and epoch."""
        self.accounts[username] = (password, Account(user_id, username, epoch))

    async def verify(self, username: str, password: str) -> Account | None:
        self.hashes += 1
        known, account = self.accounts.get(username, ("", None))
        if self.before_answer:
            await self.before_answer()
        return account if account and known == password else None


@asynccontextmanager
async def away(auth: Auth) -> AsyncIterator[None]:
    """The service's way to the database is cut meanwhile; the test's own connection stays."""
    hidden = auth.link.with_name("hidden")
    auth.link.rename(hidden)
    await auth.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    try:
        yield
    finally:
        hidden.rename(auth.link)


@dataclass
class Auth:
    """Replicas of the service on one database, which they reach through the folder `link`."""

    settings: AuthSettings
    users: FakeUsers
    database: asyncpg.Connection
    stack: AsyncExitStack
    link: Path
    apps: list[FastAPI] = field(default_factory=list)

    def with_settings(self, **changes: Any) -> Auth:
        """The same with other settings."""
        return replace(self, settings=self.settings.model_copy(update=changes))

    async def replica(self, base_url: str = "http://test") -> httpx2.AsyncClient:
        """A client of one more replica."""
        app = create_app(self.settings, credentials=self.users)
        self.apps.append(app)
        return await self.stack.enter_async_context(serving(app, base_url))


async def log_in(
    client: httpx2.AsyncClient,
    username: str = "alice",
    password: str = "right",  # noqa: S107 - of the account that the fixture makes
    address: str = "198.51.100.7",
    **members: Any,
) -> httpx2.Response:
    """POST /api/login as the gateway passes it on."""
    return await client.post(
        "/api/login",
        json={"username": username, "password": password, **members},
        headers={"x-forwarded-for": address},
    )


async def tokens(client: httpx2.AsyncClient, **options: Any) -> dict[str, Any]:
    """The answer of a login that works, with the refresh token; the cookie is forgotten."""
    response = await log_in(client, with_refresh_token=True, **options)
    assert response.status_code == 200, response.text
    client.cookies.clear()
    body: dict[str, Any] = response.json()
    return body


async def refresh(client: httpx2.AsyncClient, refresh_token: str) -> httpx2.Response:
    """POST /api/auth/refresh with the token in the body; the cookie is forgotten."""
    response = await client.post("/api/auth/refresh", json={"refresh_token": refresh_token})
    client.cookies.clear()
    return response


def bearer(token: str) -> dict[str, str]:
    """The Authorization header."""
    return {"Authorization": f"Bearer {token}"}


async def eventually(check: Callable[[], Awaitable[bool]], within: float = 1.0) -> bool:
    """Whether `check` comes true within so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while loop.time() < deadline:
        if await check():
            return True
        await asyncio.sleep(0.02)
    return False
