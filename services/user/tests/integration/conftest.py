"""The user service on a real database, with its peers on a Unix socket as its sidecar has them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI, Response

from titanium_kit.testing import LocalIssuer, listening, serving
from titanium_user.main import create_app
from titanium_user.settings import UserSettings

PASSWORD = "correct horse battery"


@dataclass
class Peers:
    """auth and blog as the user service sees them, with what they were told.

    `status` is the answer to every notice, `delay` seconds pass before each.
    """

    issuer: LocalIssuer = field(default_factory=LocalIssuer)
    revoked: list[tuple[int, int]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    status: int = 204
    delay: float = 0.0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/jwks.json")
        async def jwks() -> dict[str, Any]:
            return await self.issuer.jwks()

        @app.get("/internal/revocations")
        async def revocations(after: int) -> dict[str, Any]:
            return await self.issuer.revocations(after)

        @app.post("/internal/sessions/revoke", status_code=204)
        async def revoke(body: dict[str, int], response: Response) -> None:
            await asyncio.sleep(self.delay)
            response.status_code = self.status
            if self.status == 204:
                self.revoked.append((body["user_id"], body["epoch"]))

        @app.delete("/internal/authors/{user_id}", status_code=204)
        async def remove(user_id: int, response: Response) -> None:
            await asyncio.sleep(self.delay)
            response.status_code = self.status
            if self.status == 204:
                self.removed.append(user_id)

        return app


@dataclass
class Service:
    """A running user service: its client, its peers and a way to its database."""

    http: httpx2.AsyncClient
    app: FastAPI
    peers: Peers
    settings: UserSettings

    async def register(self, name: str, password: str = PASSWORD) -> dict[str, str]:
        """A new account; returns the header of its bearer token."""
        body = {"username": name, "email": f"{name.lower()}@example.org", "password": password}
        answer = await self.http.post("/api/register", json=body)
        assert answer.status_code == 201, answer.text
        return self.peers.issuer.bearer(answer.json()["id"], name)

    async def verify(self, name: str, password: str = PASSWORD) -> httpx2.Response:
        """What auth asks at a login."""
        return await self.http.post(
            "/internal/credentials/verify", json={"username": name, "password": password}
        )

    async def sql(self, statement: str, *values: object) -> list[Any]:
        """The rows of one statement."""
        connection = await asyncpg.connect(
            self.settings.database_url, password=self.settings.database_password.get_secret_value()
        )
        try:
            rows: list[Any] = await connection.fetch(statement, *values)
        finally:
            await connection.close()
        return rows


@pytest.fixture
async def make_service(
    migrated: Callable[[str], Awaitable[Any]],
) -> AsyncIterator[Callable[..., Any]]:
    """A function that starts a service; keyword arguments are settings."""
    database = await migrated("titanium_user")

    with tempfile.TemporaryDirectory(prefix="ti-user-") as folder:
        socket = Path(folder) / "egress.sock"

        @asynccontextmanager
        async def make(**changes: Any) -> AsyncIterator[Service]:
            values = {
                "service": "user",
                "environment": "development",
                "egress": f"unix:{socket}",
                "argon2_memory_kib": 64,
                "failure_seconds": 0,
                "database_pool_size": 4,
                **database.environment(),
                **changes,
            }
            settings = UserSettings(**values)
            app = create_app(settings)
            peers = Peers()
            async with listening(peers.app(), socket), serving(app) as http:
                yield Service(http, app, peers, settings)

        yield make


@pytest.fixture
async def service(make_service: Callable[..., Any]) -> AsyncIterator[Service]:
    """A service with cheap hashes."""
    async with make_service() as running:
        yield running
