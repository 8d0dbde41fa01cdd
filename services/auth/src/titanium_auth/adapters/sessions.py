"""Sessions in PostgreSQL; implements `SessionStore`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from titanium_auth.adapters.failures import PostgresFailureLog
from titanium_auth.adapters.revocations import publish
from titanium_auth.domain.errors import ConcurrentRefreshError, SessionEndedError
from titanium_auth.domain.models import Account, Session
from titanium_auth.domain.ports import Rotation
from titanium_auth.domain.refresh import (
    HOLD,
    HOLD_AT_MOST,
    HOLD_CONTENDED,
    FamilyState,
    Verdict,
    judge,
)
from titanium_auth.domain.sessions import ENDED
from titanium_auth.domain.throttle import Attempt
from titanium_kit.database import Connection, Database
from titanium_kit.logs import get_logger

logger = get_logger(__name__)

BUSY = "Another request is refreshing this session. Use the token that it was given."


def _session(row: asyncpg.Record) -> Session:
    return Session(row["id"], row["user_id"], row["username"], row["expires_at"])


class PostgresSessions:
    """One row for each live session; one that ends is deleted and its id published."""

    def __init__(self, database: Database, failures: PostgresFailureLog, lifetime: int) -> None:
        self._database = database
        self._failures = failures
        self._lifetime = timedelta(seconds=lifetime)

    async def open(self, account: Account, family: bytes, attempt: Attempt) -> Session | None:
        name, network = self._failures.keys_of(attempt)
        async with self._database.connection() as connection:
            # The epoch's row is locked until the statement commits: `end_older` comes before it,
            # and this login is refused, or after it, and finds the session.
            row = await connection.fetchrow(
                """
                WITH newest AS (
                    INSERT INTO account_epochs AS e (user_id, epoch) VALUES ($3, $5)
                    ON CONFLICT (user_id) DO UPDATE SET epoch = greatest(e.epoch, excluded.epoch)
                    RETURNING epoch
                ), seen AS (
                    INSERT INTO known_addresses AS k (account, address)
                    SELECT $7, $8 FROM newest WHERE newest.epoch <= $5
                    ON CONFLICT (account, address) DO UPDATE SET seen_at = now()
                    WHERE k.seen_at < now() - interval '1 day'
                )
                INSERT INTO sessions (id, family, user_id, username, epoch, expires_at)
                SELECT $1, $2, $3, $4, $5, now() + $6 FROM newest WHERE newest.epoch <= $5
                RETURNING id, user_id, username, expires_at
                """,
                uuid.uuid4(),
                family,
                account.user_id,
                account.username,
                account.epoch,
                self._lifetime,
                name,
                network,
            )
        return _session(row) if row else None

    async def rotate(self, family: bytes, generation: int, arrived: float) -> Rotation:
        async with self._database.transaction() as connection:
            # Measured before the question: the database's `now` is later, so the arrival is
            # never placed too early, however long the row's lock takes.
            waited = timedelta(seconds=time.monotonic() - arrived)
            row = await connection.fetchrow(
                """
                SELECT id, user_id, username, expires_at, generation, rotated_at, answered_at,
                       clock_timestamp() AS now
                FROM sessions WHERE family = $1 AND expires_at > now() FOR UPDATE
                """,
                family,
            )
            if row is None:
                raise SessionEndedError(ENDED)
            state = FamilyState(row["generation"], row["rotated_at"], row["answered_at"])
            verdict = judge(generation, state, row["now"] - waited)
            if verdict is Verdict.ROTATE:
                return await self._move(connection, _session(row), generation + 1)
            if verdict is Verdict.CONCURRENT:
                await self._extend(connection, row["id"])
            else:
                await self._end(connection, [row["id"]])
        if verdict is Verdict.CONCURRENT:
            raise ConcurrentRefreshError(BUSY)
        logger.warning("refresh_token_reused", user_id=row["user_id"], session_id=row["id"].hex)
        raise SessionEndedError(ENDED)

    async def release(self, rotation: Rotation) -> float:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                UPDATE sessions
                SET answered_at = CASE WHEN window_until <= clock_timestamp()
                                       THEN clock_timestamp() END
                WHERE id = $1 AND rotated_at = $2 AND answered_at IS NULL
                RETURNING answered_at, window_until - clock_timestamp() AS rest
                """,
                rotation.session.id,
                rotation.rotated_at,
            )
            if row is None:
                lives = await connection.fetchval(
                    "SELECT true FROM sessions WHERE id = $1", rotation.session.id
                )
                raise ConcurrentRefreshError(BUSY) if lives else SessionEndedError(ENDED)
        if row["answered_at"]:
            return 0.0
        return max(0.001, float(row["rest"].total_seconds()))

    async def end(self, session_id: UUID) -> None:
        async with self._database.transaction() as connection:
            await self._end(connection, [session_id])

    async def end_family(self, family: bytes) -> None:
        async with self._database.transaction() as connection:
            found = await connection.fetchval("SELECT id FROM sessions WHERE family = $1", family)
            if found:
                await self._end(connection, [found])

    async def end_older(self, user_id: int, epoch: int) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                INSERT INTO account_epochs AS e (user_id, epoch) VALUES ($1, $2)
                ON CONFLICT (user_id) DO UPDATE SET epoch = greatest(e.epoch, excluded.epoch)
                """,
                user_id,
                epoch,
            )
            older = await connection.fetch(
                "SELECT id FROM sessions WHERE user_id = $1 AND epoch < $2 ORDER BY id",
                user_id,
                epoch,
            )
            await self._end(connection, [row["id"] for row in older])
        logger.info("sessions_ended", user_id=user_id, epoch=epoch, count=len(older))

    @staticmethod
    async def _move(connection: Connection, session: Session, generation: int) -> Rotation:
        rotated_at = await connection.fetchval(
            """
            UPDATE sessions
            SET generation = $2, answered_at = NULL, rotated_at = clock_timestamp(),
                window_until = clock_timestamp() + $3
            WHERE id = $1
            RETURNING rotated_at
            """,
            session.id,
            generation,
            HOLD,
        )
        return Rotation(session, generation, rotated_at)

    @staticmethod
    async def _extend(connection: Connection, session_id: UUID) -> None:
        await connection.execute(
            """
            UPDATE sessions
            SET window_until = least(clock_timestamp() + $2, rotated_at + $3)
            WHERE id = $1 AND answered_at IS NULL
            """,
            session_id,
            HOLD_CONTENDED,
            HOLD_AT_MOST,
        )

    @staticmethod
    async def _end(connection: Connection, session_ids: Sequence[UUID]) -> None:
        ended = await connection.fetch(
            "DELETE FROM sessions WHERE id = ANY($1) RETURNING id, rotated_at", session_ids
        )
        await publish(connection, [(row["id"], row["rotated_at"]) for row in ended])
