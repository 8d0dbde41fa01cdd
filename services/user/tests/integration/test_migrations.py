"""The schema keeps its own rules, whoever writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from titanium_kit.migrate import script_directory

pytestmark = pytest.mark.integration

INSERT = "INSERT INTO account (username, email, password_hash) VALUES ($1, $2, repeat('x', 40))"


REFUSED = [
    ("x", "a@example.org"),
    ("x" * 31, "a@example.org"),
    ("..", "a@example.org"),
    ("a/b", "a@example.org"),
    ("name", "@example.org"),
    ("name", "a@" + "x" * 254),
    ("TAKEN", "a@example.org"),
    ("name", "TAKEN@example.org"),
]


async def test_the_database_refuses_what_the_service_would(
    migrated: Callable[[str], Awaitable[Any]],
) -> None:
    database = await migrated("titanium_user")
    connection = await asyncpg.connect(database.url, password=database.password)
    try:
        await connection.execute(INSERT, "taken", "taken@example.org")
        for username, email in REFUSED:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(INSERT, username, email)
    finally:
        await connection.close()


async def test_the_first_revision_can_be_undone(
    migrated: Callable[[str], Awaitable[Any]],
) -> None:
    database = await migrated("titanium_user")
    url = make_url(database.url).set(drivername="postgresql+asyncpg", password=database.password)
    engine = create_async_engine(url)

    def undo(connection: Connection) -> int:
        with Operations.context(MigrationContext.configure(connection)):
            (revision,) = script_directory("titanium_user").walk_revisions()
            revision.module.downgrade()
        tables = "SELECT count(*) FROM pg_tables WHERE tablename IN ('account', 'outbox')"
        return int(connection.execute(text(tables)).scalar_one())

    async with engine.begin() as connection:
        assert await connection.run_sync(undo) == 0
    await engine.dispose()
