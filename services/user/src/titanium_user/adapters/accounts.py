"""Accounts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from titanium_kit.database import Connection, Database
from titanium_user.adapters import statements as sql
from titanium_user.adapters.outbox import add_notice
from titanium_user.domain.errors import (
    NoAccountError,
    TakenError,
    TooManyAttemptsError,
    UnknownUserError,
)
from titanium_user.domain.models import (
    Account,
    Credentials,
    Notice,
    NoticeKind,
    ProfileChanges,
)
from titanium_user.domain.names import name_digest

CHECKS = 10
CHECK_WINDOW = 15 * 60


class SqlAccounts:
    """Implements `domain.ports.Accounts`.

    A notice is written in the transaction of the change that it tells. `lease` is how long the
    rest of the platform leaves it to the writer to deliver it, in seconds; 0 leaves it to others.
    """

    def __init__(self, database: Database, *, lease: float) -> None:
        self._database = database
        self._lease = lease

    async def create(self, username: str, email: str, password_hash: str) -> Account:
        try:
            async with self._database.connection() as connection:
                row = await connection.fetchrow(
                    sql.CREATE, username, email, password_hash, name_digest(username)
                )
        except asyncpg.UniqueViolationError:
            raise TakenError from None
        if row is None:
            raise TakenError
        return Account(**row)

    async def by_id(self, user_id: int) -> Account | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql.BY_ID, user_id)
        return Account(**row) if row else None

    async def by_username(self, username: str) -> Account | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql.BY_USERNAME, username)
        return Account(**row) if row else None

    async def credentials(self, username: str) -> Credentials | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql.CREDENTIALS, username)
        return Credentials(**row) if row else None

    async def begin_check(self, user_id: int) -> Credentials:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql.BEGIN_CHECK, user_id, CHECK_WINDOW, CHECKS)
            if row:
                return Credentials(**row)
            wait = await connection.fetchval(sql.CHECK_AGAIN_IN, user_id, CHECK_WINDOW)
        if wait is None:
            raise NoAccountError
        raise TooManyAttemptsError(max(1, wait))

    async def end_check(self, user_id: int) -> None:
        async with self._database.connection() as connection:
            await connection.execute(sql.END_CHECK, user_id)

    async def update(self, user_id: int, changes: ProfileChanges) -> Account:
        try:
            async with self._database.connection() as connection:
                row = await connection.fetchrow(
                    sql.UPDATE, user_id, changes.email, changes.display_name, changes.bio
                )
        except asyncpg.UniqueViolationError:
            raise TakenError from None
        if row is None:
            raise NoAccountError
        return Account(**row)

    async def replace_hash(self, user_id: int, old: str, new: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(sql.REPLACE_HASH, user_id, old, new)

    async def change_password(self, user_id: int, epoch: int, new: str) -> Sequence[Notice]:
        async with self._database.transaction() as connection:
            raised = await connection.fetchval(sql.CHANGE_PASSWORD, user_id, epoch, new)
            if raised is None:
                raise NoAccountError
            return [await self._tell(connection, NoticeKind.END_SESSIONS, user_id, raised)]

    async def delete(self, user_id: int, epoch: int) -> Sequence[Notice]:
        async with self._database.transaction() as connection:
            raised = await connection.fetchval(sql.DELETE, user_id, epoch)
            if raised is None:
                raise NoAccountError
            return [
                await self._tell(connection, NoticeKind.END_SESSIONS, user_id, raised),
                await self._tell(connection, NoticeKind.REMOVE_POSTS, user_id, raised),
            ]

    async def disable(self, username: str) -> bool:
        """Refuse logins and end all sessions; False when it was disabled already.

        Raises `UnknownUserError`.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(sql.DISABLE, username)
            if row is None:
                await self._must_exist(connection, username)
                return False
            user_id, epoch = row
            await self._tell(connection, NoticeKind.END_SESSIONS, user_id, epoch)
            return True

    async def enable(self, username: str) -> bool:
        """Take logins again; False when nothing was disabled. Raises `UnknownUserError`."""
        async with self._database.transaction() as connection:
            if await connection.fetchval(sql.ENABLE, username) is not None:
                return True
            await self._must_exist(connection, username)
            return False

    async def _must_exist(self, connection: Connection, username: str) -> None:
        if await connection.fetchval(sql.EXISTS, username) is None:
            raise UnknownUserError

    async def _tell(
        self, connection: Connection, kind: NoticeKind, user_id: int, epoch: int
    ) -> Notice:
        return await add_notice(connection, kind, user_id, epoch, lease=self._lease)
