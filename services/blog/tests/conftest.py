"""Fixtures: the blog's application in this process, on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from services.blog.tests.support import BlogUnderTest
from titanium_blog.main import create_app
from titanium_blog.settings import Settings
from titanium_kit.testing import LocalIssuer, serving


@pytest.fixture
async def blog_settings(migrated: Callable[[str], Awaitable[Any]]) -> Settings:
    """Settings of a blog on a fresh database, without Redis."""
    database = await migrated("titanium_blog")
    return Settings(service="blog", environment="development", **database.environment())


@pytest.fixture
async def blog(blog_settings: Settings) -> AsyncIterator[BlogUnderTest]:
    """One replica without Redis."""
    issuer = LocalIssuer()
    app = create_app(blog_settings, issuer)
    async with serving(app) as client:
        yield BlogUnderTest(app, client, issuer, blog_settings)
