"""Ended sessions whose access tokens may still look valid, in the order of their commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from titanium_auth.domain.models import Revocation, Revocations
from titanium_auth.domain.refresh import HOLD_AT_MOST
from titanium_kit.database import Connection, Database
from titanium_kit.tokens.claims import LEEWAY, MAX_LIFETIME

LOCK = 7_310_579_105  # any number that only this list uses
PAGE = 5000
MARGIN = 60  # seconds for clocks that disagree
KEPT = float(MAX_LIFETIME + LEEWAY + HOLD_AT_MOST.seconds + MARGIN)


async def publish(connection: Connection, ended: Sequence[tuple[UUID, datetime]]) -> None:
    """Add sessions (id, time of the last token) inside the caller's transaction.

    The lock is held until the commit, so that numbers become visible in their order: a reader
    that has seen number n has seen all below it. Take row locks before calling, never after.
    """
    if not ended:
        return
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    await connection.execute(
        """
        INSERT INTO revocations (session_id, until)
        SELECT id, clock_timestamp() + make_interval(secs => $3)
        FROM unnest($1::uuid[], $2::timestamptz[]) AS ended (id, issued_at)
        WHERE issued_at > now() - make_interval(secs => $3)
        """,
        [session_id for session_id, _ in ended],
        [issued_at for _, issued_at in ended],
        KEPT,
    )


class PostgresRevocations:
    """Reads the list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, number: int) -> Revocations:
        """What was published after `number`, at most `PAGE` at once.

        A `number` ahead of the list (the database was restored, or the newest entries were
        pruned) reads it from its start: nothing may be missed.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                WITH newest AS (SELECT coalesce(max(seq), 0) AS seq FROM revocations)
                SELECT newest.seq AS last, r.seq, r.session_id, extract(epoch FROM r.until) AS until
                FROM newest LEFT JOIN LATERAL (
                    SELECT * FROM revocations
                    WHERE seq > CASE WHEN $1 > newest.seq THEN 0 ELSE $1 END
                    ORDER BY seq LIMIT $2
                ) AS r ON true
                ORDER BY r.seq
                """,
                number,
                PAGE,
            )
        revoked = [
            Revocation(row["session_id"].hex, float(row["until"]))
            for row in rows
            if row["session_id"]
        ]
        return Revocations(rows[-1]["seq"] or rows[-1]["last"], revoked)
