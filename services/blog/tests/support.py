"""The blog's application as the tests see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from titanium_blog.settings import Settings
from titanium_kit.testing import LocalIssuer


@dataclass(frozen=True)
class BlogUnderTest:
    """A served application: `client` speaks to it, `issuer` makes tokens that it accepts."""

    app: FastAPI
    client: httpx2.AsyncClient
    issuer: LocalIssuer
    settings: Settings

    def bearer(self, user_id: int = 1, username: str = "soyeon") -> dict[str, str]:
        """The Authorization header of a person."""
        return self.issuer.bearer(user_id, username)

    async def post(
        self,
        title: str = "Title",
        content: str = "Content",
        *,
        user_id: int = 1,
        username: str = "soyeon",
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> httpx2.Response:
        """POST /api/posts as a person."""
        return await self.client.post(
            "/api/posts",
            json={"title": title, "content": content, **members},
            headers={**self.bearer(user_id, username), **(headers or {})},
        )

    async def created(self, title: str = "Title", content: str = "Content", **more: Any) -> Any:
        """The document of a new post."""
        response = await self.post(title, content, **more)
        assert response.status_code == 201, response.text
        return response.json()

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of a statement, outside of the application."""
        connection = await asyncpg.connect(
            self.settings.database_url,
            password=self.settings.database_password.get_secret_value(),
        )
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        finally:
            await connection.close()
        return rows
