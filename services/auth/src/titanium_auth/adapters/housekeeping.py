"""Deletes what has expired, in the background."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from titanium_auth.domain.throttle import REMEMBER_ADDRESS
from titanium_kit.background import Background
from titanium_kit.database import Database
from titanium_kit.logs import get_logger
from titanium_kit.problems import Unavailable

logger = get_logger(__name__)

EVERY = 60.0
BATCH = 5000

EXPIRED = {
    "sessions": "expires_at < now()",
    "revocations": "until < now()",
    "login_failures": "expires_at < now()",
    "known_addresses": f"seen_at < now() - interval '{REMEMBER_ADDRESS.days} days'",
    "signing_keys": "retires_at < now()",
}


class Housekeeping:
    """Once a minute, some rows at a time; replicas may do so side by side."""

    name = "housekeeping"
    required = False

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task = Background("housekeeping", self._work)

    async def start(self) -> None:
        self._task.start()

    async def stop(self) -> None:
        await self._task.stop()

    async def check(self) -> None:
        """Raises when the task has died."""
        if not self._task.alive:
            raise Unavailable("expired rows are not being deleted")

    async def prune(self) -> dict[str, int]:
        """Delete up to `BATCH` expired rows of each table: how many went."""
        deleted: dict[str, int] = {}
        for table, condition in EXPIRED.items():
            async with self._database.connection() as connection:
                status = await connection.execute(
                    f"""
                    DELETE FROM {table} WHERE ctid = ANY(ARRAY(
                        SELECT ctid FROM {table} WHERE {condition} LIMIT {BATCH}
                        FOR UPDATE SKIP LOCKED
                    ))
                    """  # noqa: S608 - constants of this module
                )
            deleted[table] = int(status.split()[-1])
        return deleted

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(EVERY * random.uniform(0.5, 1.0))  # noqa: S311 - spreads replicas
            with suppress(Unavailable):
                deleted = await self.prune()
                if any(deleted.values()):
                    logger.info("expired_rows_deleted", **deleted)
