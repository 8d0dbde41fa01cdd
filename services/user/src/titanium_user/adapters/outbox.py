"""The outbox: what other services must be told, written with the change that it tells.

A row belongs to nobody while `due_at` has passed, and to one process until then: whoever wants
to deliver it moves `due_at` into the future first. A process that dies leaves its rows to the
others when that time is over, and nothing holds a lock while a peer is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from titanium_kit.database import Connection, Database
from titanium_user.domain.models import Notice, NoticeKind

LEASE = 3.0
"""Seconds that a process has to deliver what it took; above the time-out of a call."""
LONGEST_PAUSE = 30.0

_ADD = """
INSERT INTO outbox (kind, user_id, epoch, due_at)
VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 second') RETURNING id
"""
_CLAIM = """
UPDATE outbox SET due_at = clock_timestamp() + $2 * interval '1 second'
WHERE id IN (
    SELECT id FROM outbox WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, user_id, epoch
"""
_POSTPONE = """
UPDATE outbox
SET attempts = attempts + 1,
    due_at = clock_timestamp()
             + least($2, 0.25 * power(2, least(attempts, 16))) * interval '1 second'
WHERE id = $1
"""


async def add_notice(
    connection: Connection, kind: NoticeKind, user_id: int, epoch: int, *, lease: float
) -> Notice:
    """Write a notice in the caller's transaction; nobody else delivers it for `lease` seconds."""
    row_id = await connection.fetchval(_ADD, kind.value, user_id, epoch, lease)
    return Notice(row_id, kind, user_id, epoch)


class Outbox:
    """The rows that still have to be delivered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, limit: int) -> Sequence[Notice]:
        """Up to `limit` notices that are due, this process's own for `LEASE` seconds."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_CLAIM, limit, LEASE)
        return [Notice(row[0], NoticeKind(row[1]), row[2], row[3]) for row in rows]

    async def done(self, notice: Notice) -> None:
        """The notice arrived."""
        async with self._database.connection() as connection:
            await connection.execute("DELETE FROM outbox WHERE id = $1", notice.id)

    async def postpone(self, notice: Notice) -> None:
        """The notice did not arrive: 0.25 s to the next attempt, twice as long each time."""
        async with self._database.connection() as connection:
            await connection.execute(_POSTPONE, notice.id, LONGEST_PAUSE)
