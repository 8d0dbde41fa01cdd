"""Deletes what has expired, now and then."""

from __future__ import annotations

import asyncio

from titanium_blog.adapters.writing import SqlPostStore
from titanium_kit.background import Background
from titanium_kit.logs import get_logger
from titanium_kit.problems import Problem

logger = get_logger(__name__)

EVERY = 600.0


class Janitor:
    """A background task of each replica; two at once do no harm."""

    name = "janitor"
    required = False

    def __init__(self, store: SqlPostStore, every: float = EVERY) -> None:
        self._store = store
        self._every = every
        self._task = Background("janitor", self._run)

    async def start(self) -> None:
        """Start the task; the first sweep is after one interval."""
        self._task.start()

    async def stop(self) -> None:
        """End the task."""
        await self._task.stop()

    async def check(self) -> None:
        """Nothing to ask: a late sweep harms nobody."""

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._store.forget_old_keys()
            except Problem as problem:
                logger.warning("sweep_failed", reason=problem.detail)
