"""The blog's API on the database behind the load balancer, and somebody who writes through it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from tests.terraform.patroni.cluster import Cluster
from titanium_blog.main import create_app
from titanium_blog.settings import Settings
from titanium_kit.migrate import migrate
from titanium_kit.testing import LocalIssuer, serving


@dataclass
class Author:
    """Publishes one post after the other, each until it is confirmed, with one idempotency key."""

    client: httpx2.AsyncClient
    headers: dict[str, str]
    confirmed: list[tuple[float, str]] = field(default_factory=list)  # moment, title
    refused: list[tuple[float, float, int]] = field(default_factory=list)  # moment, seconds, status

    async def write(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.publish(f"post {uuid.uuid4().hex}", stop)
            await asyncio.sleep(0.05)

    async def publish(self, title: str, stop: asyncio.Event) -> None:
        headers = self.headers | {"Idempotency-Key": uuid.uuid4().hex}
        body = {"title": title, "content": "Written while the database fails."}
        while not stop.is_set():
            began = time.monotonic()
            answer = await self.client.post("/api/posts", json=body, headers=headers, timeout=30)
            now = time.monotonic()
            if answer.status_code == httpx2.codes.CREATED:
                self.confirmed.append((now, title))
                return
            self.refused.append((now, now - began, answer.status_code))
            await asyncio.sleep(0.1)

    def first_after(self, moment: float) -> float:
        """When the first post was confirmed after `moment`."""
        return min(at for at, _ in self.confirmed if at > moment)


@asynccontextmanager
async def author(cluster: Cluster, port: int, passwords: dict[str, str]) -> AsyncIterator[Author]:
    """One replica of the blog whose database is behind `port`; `passwords` by role.

    PGSSLMODE and PGSSLROOTCERT say what of its certificate is checked, as in a pod.
    """
    settings = Settings(
        service="blog",
        environment="development",
        database_url=f"postgresql://blog@127.0.0.1:{port}/blog",
        database_password=passwords["blog"],
        database_owner_url=f"postgresql://blog_owner@127.0.0.1:{port}/blog",
        database_owner_password=passwords["blog_owner"],
    )
    await migrate(settings, "titanium_blog")
    issuer = LocalIssuer()
    async with serving(create_app(settings, issuer)) as client:
        yield Author(client, issuer.bearer(7, "minji"))
