"""Failed logins in PostgreSQL; implements `FailureLog`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from titanium_auth.adapters.derived_keys import DerivedKeys
from titanium_auth.domain.throttle import (
    ACCOUNT,
    ADDRESS,
    REMEMBER_ADDRESS,
    Attempt,
    Standing,
    Window,
)
from titanium_kit.database import Connection, Database

_KNOWN = """
    EXISTS (
        SELECT FROM known_addresses
        WHERE account = $1 AND address = $2 AND seen_at > now() - $3::interval
    )
"""


class PostgresFailureLog:
    """One row for each name and each network, with at most as many moments as its limit."""

    def __init__(self, database: Database, keys: DerivedKeys) -> None:
        self._database = database
        self._keys = keys

    def keys_of(self, attempt: Attempt) -> tuple[bytes, bytes]:
        """What the database knows the attempt's name and network by."""
        account = self._keys.hide("account", attempt.name)
        return account, self._keys.hide("address", attempt.network)

    async def standing(self, attempt: Attempt) -> Standing:
        account, address = self.keys_of(attempt)
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"""
                SELECT
                    (SELECT moments FROM login_failures WHERE key = $1) AS account,
                    (SELECT moments FROM login_failures WHERE key = $2) AS address,
                    {_KNOWN} AS known,
                    clock_timestamp() AS now
                """,  # noqa: S608 - a constant
                account,
                address,
                REMEMBER_ADDRESS,
            )
        return Standing(row["account"] or (), row["address"] or (), row["known"], row["now"])

    async def add(self, attempt: Attempt) -> int:
        account, address = self.keys_of(attempt)
        async with self._database.transaction() as connection:
            # Always in this order, so that two attempts cannot wait for each other.
            by_account = await _lock(connection, account)
            by_address = await _lock(connection, address)
            known, now = await connection.fetchrow(
                f"SELECT {_KNOWN}, clock_timestamp()",
                account,
                address,
                REMEMBER_ADDRESS,
            )
            wait = Standing(by_account, by_address, known, now).wait()
            if not wait:
                await _append(connection, account, by_account, ACCOUNT, now)
                await _append(connection, address, by_address, ADDRESS, now)
        return wait


async def _lock(connection: Connection, key: bytes) -> Sequence[datetime]:
    moments: Sequence[datetime] = await connection.fetchval(
        """
        INSERT INTO login_failures AS f (key, moments, expires_at)
        VALUES ($1, '{}', now() + interval '1 minute')
        ON CONFLICT (key) DO UPDATE SET key = f.key
        RETURNING moments
        """,
        key,
    )
    return moments


async def _append(
    connection: Connection,
    key: bytes,
    moments: Sequence[datetime],
    window: Window,
    now: datetime,
) -> None:
    kept = [*window.recent(moments, now), now][-window.limit :]
    await connection.execute(
        "UPDATE login_failures SET moments = $2, expires_at = $3 WHERE key = $1",
        key,
        kept,
        now + window.length,
    )
